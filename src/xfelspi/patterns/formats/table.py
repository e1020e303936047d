"""The kinds of files, in the order in which they are tried: the first that recognizes a path opens it."""

from __future__ import annotations

from pathlib import Path

from xfelspi.errors import InputError

from ..hdf5 import require_readable
from . import cxi, emc, euxfel, hdf5, images, npy, psana
from .finished import finished
from .stack import Choices, Format, Stack

_HDF5 = ("dataset", "follow_links")

FORMATS = (
    Format("LCLS", psana.recognizes_run, psana.open_run, ("detector",)),
    Format("xfel", cxi.recognizes_own, cxi.open_cxi, _HDF5),
    Format("CXI", cxi.recognizes_cxi, cxi.open_cxi, _HDF5),
    Format("EMC in HDF5", emc.recognizes_hdf5, emc.open_hdf5_emc, ("detector", "follow_links")),
    Format("HDF5", hdf5.recognizes_hdf5, hdf5.open_plain, _HDF5),
    Format("EMC", emc.recognizes_binary, emc.open_binary, ("detector",)),
    Format("npy", npy.recognizes_npy, npy.open_npy, ()),
    Format("npz", npy.recognizes_npz, npy.open_npz, ("dataset",)),
    Format("European XFEL", euxfel.recognizes_run, euxfel.open_run, ("detector",)),
    Format("TIFF or PNG", images.recognizes_file, images.open_file, ()),
    Format("TIFF or PNG files", images.recognizes_several, images.open_several, ()),
)


def is_one_set(path: Path) -> bool:
    """Tell whether a folder, a pattern of names or the name of a run is one set of frames."""
    return not path.is_file() and any(form.recognizes(path) for form in FORMATS)


def open_stack(path: Path, choices: Choices) -> tuple[str, Stack]:
    """Name of the format, and the frames.

    Raises
    ------
    InputError
        If nothing is there, no format knows it, or the one that does cannot read it or use a choice.
    """
    for form in FORMATS:
        if form.recognizes(path):
            for name in ("dataset", "detector"):
                if getattr(choices, name) is not None and name not in form.takes:
                    raise InputError(f"{path} is {form.name} and has no use for --{name}; leave it out.")
            stack = form.open(path, choices)
            try:
                return form.name, finished(stack, choices)
            except BaseException:
                stack.close()
                raise
    require_readable(path)
    names = ", ".join(form.name for form in FORMATS)
    raise InputError(
        f"{path} is of none of the formats that xfel reads ({names}); convert it to one of them."
    )
