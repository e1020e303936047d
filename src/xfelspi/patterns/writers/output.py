"""Where a writer writes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import h5py

from ..hdf5 import open_hdf5
from ..sturdy import SturdyFile


class Output(NamedTuple):
    """A file that takes the place of `path` once it is whole, and how it is to be written."""

    path: Path
    file: SturdyFile
    identity: str
    """What tells this conversion from others; the file says it, so that it is known again."""
    rounding: bool
    """Whether pixels may be rounded where the format has whole numbers only."""
    began: float
    """When, in seconds of the clock."""


OF_SOURCE = 6
"""Of the 16 digits that tell a conversion, those that tell its source; the others are of what is in it."""


def source_digits(*paths: Path) -> str:
    """Tell the files that something came of from others, of the same name in other folders too."""
    places = sorted({str(path.resolve() if path.exists() else path) for path in paths})
    return hashlib.sha256("\n".join(places).encode()).hexdigest()[:OF_SOURCE]


def text_in(path: Path, name: str) -> str | None:
    """Read a line of text from an HDF5 file; None where it is not there."""
    if not h5py.is_hdf5(path):
        return None
    with open_hdf5(path) as file:
        item = file.dataset(name)
        value = item[()] if item is not None and item.shape == () else None
    return value.decode(errors="replace") if isinstance(value, bytes) else None
