"""The kinds of files, in the order in which they are tried: the first that recognizes a path opens it."""

from __future__ import annotations

from pathlib import Path

from xfelspi.errors import InputError

from ..hdf5 import require_readable
from .cxi import open_cxi, recognizes_cxi, recognizes_own
from .hdf5 import open_plain, recognizes_hdf5
from .stack import Choices, Format, Stack

FORMATS = (
    Format("xfel", recognizes_own, open_cxi),
    Format("CXI", recognizes_cxi, open_cxi),
    Format("HDF5", recognizes_hdf5, open_plain),
)


def open_stack(path: Path, choices: Choices) -> tuple[str, Stack]:
    """Name of the format, and the frames.

    Raises
    ------
    InputError
        If nothing is there, no format knows it, or the one that does cannot read it.
    """
    for form in FORMATS:
        if form.recognizes(path):
            return form.name, form.open(path, choices)
    require_readable(path)
    names = ", ".join(form.name for form in FORMATS)
    raise InputError(
        f"{path} is of none of the formats that xfel reads ({names}); convert it to one of them."
    )
