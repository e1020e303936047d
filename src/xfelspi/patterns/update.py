"""Scores added to a CXI file, all else bit for bit as it was."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import h5py
import numpy as np

from xfelspi.errors import InputError

from .formats.cxi import recognizes_cxi, recognizes_own
from .hdf5 import open_hdf5
from .layout import DETECTOR, SCORE, TAGS
from .replacing import replacing
from .sizes import load
from .verdicts import Verdicts
from .writers.cxi import write_rows

_COPY_BYTES = 1 << 24


def update_scores(path: Path, verdicts: Verdicts, detector: str = DETECTOR) -> bool:
    """Write scores and tags into a CXI file, beside those of other names that it has.

    An HDF5 file whose writer is killed is lost. So a copy is changed, flushed and renamed: the file has the
    scores or is as it was, and whatever else is in it is not even read. A link to the file stays a link.

    Parameters
    ----------
    path : Path
        CXI, our own files among them.
    verdicts : Verdicts
        One value for each shot of the file.
    detector : str
        Group of the detector that the shots are of.

    Returns
    -------
    changed : bool
        False if all of it stood there already.

    Raises
    ------
    InputError
        If the file is not CXI, has something else in the place of scores, there is no room for the copy, or
        another process writes to it. It is as it was then.
    """
    path = path.resolve()
    if not (recognizes_own(path) or recognizes_cxi(path)):
        raise InputError(f"{path} is not CXI, and has no place for scores; convert it to CXI first.")
    before = path.stat()
    score, tags = f"{detector}/{SCORE}", f"{detector}/{TAGS}"
    n = next((len(values) for values in (*verdicts.scores.values(), *verdicts.tags.values())), 0)
    there = _rows(path, (score, tags), n)
    rows = {score: there[score] | verdicts.scores, tags: there[tags] | verdicts.tags}
    if all(_equal(there[name], rows[name]) for name in rows):
        return False
    _require_room(path, before.st_size)

    def check() -> None:
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise InputError(f"{path} is being changed by another program; try again when that is done.")

    with replacing(path, check) as file:
        with path.open("rb") as source:
            shutil.copyfileobj(source, file, _COPY_BYTES)
        file.require_written()
        with h5py.File(file, "r+") as copy:
            for name, dtype in ((score, "<f8"), (tags, "i1")):
                if name in copy:
                    del copy[name]
                write_rows(copy, name, rows[name], dtype)
        os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        check()
    return True


def _rows(path: Path, names: tuple[str, ...], n: int) -> dict[str, dict[str, np.ndarray]]:
    """Read the scores and tags of n shots that are there, by name."""
    found: dict[str, dict[str, np.ndarray]] = {}
    with open_hdf5(path) as file:
        for name in names:
            item = file.get(name)
            if item is None:
                found[name] = {}
                continue
            headings = item.attrs.get("headings") if isinstance(item, h5py.Dataset) else None
            values = np.atleast_2d(load(item)) if isinstance(item, h5py.Dataset) else np.empty(0)
            shape = None if headings is None else (len(headings), n)
            if headings is None or values.shape != shape or values.dtype.kind not in "buif":
                raise InputError(
                    f"{name} of {path} is something else than rows of {n} shots with a name each in the "
                    "attribute headings; move it, or write a copy with --kept-to."
                )
            found[name] = dict(zip(map(_text, headings), values, strict=True))
    return found


def _text(heading: str | bytes) -> str:
    return heading.decode(errors="replace") if isinstance(heading, bytes) else str(heading)


def _equal(there: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> bool:
    return list(there) == list(wanted) and all(
        np.array_equal(there[name], wanted[name], equal_nan=True) for name in wanted
    )


def _require_room(path: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if n_bytes > free:
        raise InputError(
            f"Adding scores to {path} takes a copy of its {n_bytes / 1e9:.2g} GB for a moment, and "
            f"{path.parent} has {free / 1e9:.2g} GB free; make room, or use the table of scores beside it."
        )
