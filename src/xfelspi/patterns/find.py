"""From what the user names to the pattern files meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xfelspi.errors import InputError

from .formats import is_one_set
from .formats.dragonfly import is_detector

SUFFIXES = (".h5", ".hdf5", ".cxi", ".emc")
NAMES = ", ".join(f"*{suffix}" for suffix in SUFFIXES)


def find_pattern_files(paths: Iterable[Path]) -> list[Path]:
    """Files as given; for a folder, its *.h5, *.hdf5, *.cxi and *.emc, sorted. Each once.

    A folder that is one set of frames, such as a run or pictures, is taken as it is, and so is a pattern of
    names. Detector files of Dragonfly, which lie beside EMC, hold no patterns.

    Raises
    ------
    InputError
        If a path does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if is_one_set(path):
            found.append(path)
        elif not path.exists():
            raise InputError(f"{path} does not exist; name a pattern file, or a folder of them.")
        elif path.is_dir():
            files = (p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
            inside = sorted(file for file in files if not is_detector(file))
            if not inside:
                raise InputError(f"The folder {path} holds no patterns ({NAMES}); simulate some into it.")
            found += inside
        else:
            found.append(path)
    return list({path.resolve(): path for path in found}.values())
