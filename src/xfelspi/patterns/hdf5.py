"""Opening HDF5 files of any origin, with one sentence for whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import h5py

from xfelspi.errors import InputError


def open_hdf5(path: Path) -> h5py.File:
    """Open for reading, without locks: a file that somebody writes can still be looked at.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, not HDF5, cut short, or may not be read.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a pattern file; name a file in it.")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; copy or simulate it again.")
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    if not h5py.is_hdf5(path):
        raise InputError(f"{path} is not an HDF5 file; patterns are read from HDF5 or CXI files.")
    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        raise InputError(f"{path} is cut short or damaged; copy or simulate it again.") from None


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Find every dataset of the file by its path, the links among them followed once."""
    found: dict[str, h5py.Dataset] = {}

    def note(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    file.visititems(note)
    return found


def listing(found: dict[str, h5py.Dataset], limit: int = 12) -> str:
    """Say what datasets there are: `mask (128, 128) uint8, patterns (50, 128, 128) uint16`."""
    lines = [f"{name} {item.shape} {item.dtype}" for name, item in found.items()]
    more = f" and {len(lines) - limit} more" if len(lines) > limit else ""
    return ", ".join(lines[:limit]) + more if lines else "no datasets"
