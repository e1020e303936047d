"""From what the user names to the pattern files meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xfelspi.errors import InputError

from .formats import is_one_set
from .formats.dragonfly import is_detector
from .formats.euxfel import recognizes_run

SUFFIXES = (".h5", ".hdf5", ".cxi", ".emc")
NAMES = ", ".join(f"*{suffix}" for suffix in SUFFIXES)


def find_pattern_files(paths: Iterable[Path]) -> list[Path]:
    """Files as given; for a folder, its *.h5, *.hdf5, *.cxi and *.emc, sorted. Each once.

    A run, a folder of nothing but pictures, or a pattern of names is one set of frames and taken as it is.
    Pictures beside pattern files are drawn of them; detector files of Dragonfly hold no patterns.

    Raises
    ------
    InputError
        If a path does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir() and not recognizes_run(path):
            files = (p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
            inside = sorted(file for file in files if not is_detector(file))
            if not inside and not is_one_set(path):
                raise InputError(f"The folder {path} holds no patterns ({NAMES}); simulate some into it.")
            found += inside or [path]
        elif not path.exists() and not is_one_set(path):
            raise InputError(f"{path} does not exist; name a pattern file, or a folder of them.")
        else:
            found.append(path)
    return list({path.resolve(): path for path in found}.values())
