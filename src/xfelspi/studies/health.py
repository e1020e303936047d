"""What an installation is made of, and what in it is known to make trouble."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xfelspi.patterns.folder import nearest

LEAST_DISK_GB = 1.0
LEAST_MEMORY_GB = 2.0

_PACKAGES = ("numpy", "scipy", "numba", "h5py", "torch", "safetensors", "scikit-learn", "trimesh", "isal")
_OTHERS = ("xfel", "cctbx")
"""Import packages of another project that speaks of XFELs; they do no harm beside xfelspi."""

_EXTRAS = ("extra-data", "extra-geom", "psana", "tifffile", "mpi4py")


@dataclass(frozen=True, kw_only=True)
class Health:
    """An installation, looked at.

    Attributes
    ----------
    facts : dict
        By what they are about; JSON-able.
    problems : list of str
        A sentence each: what is wrong, what it does, what to do.
    """

    facts: dict[str, Any]
    problems: list[str]

    @property
    def verdict(self) -> str:
        """One line."""
        n = len(self.problems)
        return "All is well." if not n else f"{n} problem{'s' * (n != 1)}, see above."


def examine(folder: Path) -> Health:
    """Look at the installation, and at a folder that is to be worked in; takes some seconds.

    Nothing is changed: locks are tried on a file that has no name.
    """
    import h5py
    import torch
    from threadpoolctl import threadpool_info

    from xfelspi import __version__
    from xfelspi.classify.compute import cores, gpu_name
    from xfelspi.classify.predict import chosen_precision
    from xfelspi.simulate.table import cache_folder

    from .looks import log_path

    cache, log, memory_gb = cache_folder(), log_path(), _memory_gb()
    facts: dict[str, Any] = {
        "versions": {"xfel": __version__, "Python": platform.python_version()}
        | {name: found for name in (*_PACKAGES, *_EXTRAS) if (found := _version(name)) is not None}
        | {"HDF5": h5py.version.hdf5_version},
        "others": [name for name in _OTHERS if find_spec(name) is not None],
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "cores": cores(),
        "memory_gb": memory_gb,
        "gpu": gpu_name(),
        "precision": str(chosen_precision()).removeprefix("torch."),
        "cache": {"folder": str(cache), "mb": _megabytes(cache)},
        "log_of_looks": {"file": str(log), "mb": _megabytes(log)},
        "free_disk_gb": {str(at): _free_gb(at) for at in dict.fromkeys((folder.absolute(), cache))},
    }
    libraries = [library["filepath"] for library in threadpool_info() if library["user_api"] == "openmp"]
    problems = [
        *_openmp_problems(torch.backends.openmp.is_available(), libraries),
        *_command_problems(shutil.which("xfel"), _other_commands()),
        *_version_problems(__version__, _version("xfelspi")),
        *_room_problems(memory_gb, facts["free_disk_gb"]),
        *_cache_problems(cache),
        *_lock_problems(folder),
        *_hdf5_problems(os.environ),
    ]
    return Health(facts=facts, problems=problems)


def _openmp_problems(torch_has_it: bool, libraries: Iterable[str]) -> Iterator[str]:
    if not torch_has_it:
        yield "This torch was built without OpenMP, so training uses one core; install another build of it."
    names = [Path(library).name for library in libraries]
    intel = [name for name in names if "iomp" in name]
    others = [name for name in names if "iomp" not in name]
    if intel and others:
        yield (
            f"Two OpenMP runtimes are loaded, {intel[0]} and {others[0]}: they may slow each other down "
            "or hang; install numpy and torch from the same place, both by pip or both by conda."
        )


def _command_problems(found: str | None, others: Iterable[str]) -> Iterator[str]:
    for name in others:
        yield (
            f"{name} installs a command xfel as well, and whichever came last is started; "
            "keep them in environments of their own."
        )
    if found is not None and Path(found).parent.resolve() != Path(sys.executable).parent.resolve():
        yield f"The first xfel on the PATH is {found}, of another environment; put this one's first."


def _version_problems(running: str, installed: str | None) -> Iterator[str]:
    if installed is not None and running != installed:
        yield f"The code says version {running} and the installation {installed}; install the package again."


def _room_problems(memory_gb: float | None, free_gb: Mapping[str, float]) -> Iterator[str]:
    if memory_gb is not None and memory_gb < LEAST_MEMORY_GB:
        yield f"There are {memory_gb:.1f} GB of memory; {LEAST_MEMORY_GB:g} are needed to train."
    for folder, free in free_gb.items():
        if free < LEAST_DISK_GB:
            yield f"{folder} has {free:.2f} GB of disk left; make room, or work elsewhere."


def _cache_problems(cache: Path) -> Iterator[str]:
    if not os.access(nearest(cache), os.W_OK | os.X_OK):
        yield (
            f"The cache {cache} cannot be written, so tables are computed anew every time; "
            "name a folder in XFELSPI_CACHE."
        )


def _lock_problems(folder: Path) -> Iterator[str]:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except PermissionError:
        yield f"{folder.absolute()} cannot be written to; work in another folder."
    except OSError as error:
        yield (
            f"Files in {folder.absolute()} cannot be locked ({error.strerror}), so two runs could write one "
            "file; work on another file system, or mount this one with locks."
        )


def _hdf5_problems(environment: Mapping[str, str]) -> Iterator[str]:
    if environment.get("HDF5_USE_FILE_LOCKING", "").upper() in ("TRUE", "1", "BEST_EFFORT"):
        yield (
            "HDF5_USE_FILE_LOCKING asks every HDF5 program for locks, so a file that one writes cannot be "
            "opened by others; unset it."
        )


def _other_commands() -> list[str]:
    """Name packages of others that install a command of our name."""
    return [
        entry.dist.name if entry.dist is not None else entry.value
        for entry in entry_points(group="console_scripts", name="xfel")
        if not entry.value.startswith("xfelspi")
    ]


def _version(name: str) -> str | None:
    with contextlib.suppress(PackageNotFoundError):
        return version(name)
    return None


def _memory_gb() -> float | None:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    return None


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else path.rglob("*")
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 1)


def _free_gb(folder: Path) -> float:
    return round(shutil.disk_usage(nearest(folder)).free / 1e9, 2)
