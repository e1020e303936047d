"""Mask and labels that come beside the patterns: from the same file, another HDF5 file, npy or csv."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np

from xfelspi.errors import InputError

from .damage import damage_told
from .hdf5 import Hdf5File, open_hdf5
from .sizes import load


def read_array(given: str | Path, file: Hdf5File | None, what: str) -> np.ndarray:
    """Read an array from where the user says it is.

    Parameters
    ----------
    given : str or Path
        A `.npy` file, "file.h5:dataset", or the name of a dataset in `file`.
    file : Hdf5File or None
        The pattern file, if it is HDF5.
    what : str
        "mask" or "labels", for the error.

    Raises
    ------
    InputError
        If it is not there or not an array of numbers.
    """
    text = str(given)
    with damage_told(f"The {what} {text} cannot be read", "save it again"):
        array = _find(text, file, what)
    if array.dtype.kind not in "buif":
        raise InputError(f"The {what} {text} holds {array.dtype}, not numbers; choose another.")
    return array


def _find(text: str, file: Hdf5File | None, what: str) -> np.ndarray:
    other, colon, name = text.rpartition(":")
    if text.endswith(".npy"):
        return _load_npy(Path(text), what)
    if colon and Path(other).exists():
        with open_hdf5(Path(other)) as opened:
            return _dataset(opened, name, what)
    if file is not None and (file.dataset(text) is not None or not Path(text).exists()):
        return _dataset(file, text, what)
    if not Path(text).exists():
        raise InputError(f"The {what} {text} does not exist; check the name.")
    if not h5py.is_hdf5(text):
        raise InputError(
            f"The {what} {text} is neither npy nor HDF5; give one of these, or a dataset's name."
        )
    with open_hdf5(Path(text)) as opened:
        return _dataset(opened, what, what)


def map_npy(path: Path) -> np.ndarray:
    """Map an npy file into memory, which tells its size before any is taken; pickles are refused.

    Raises
    ------
    InputError
        If it holds Python objects.
    ValueError, OSError, tokenize.TokenError
        If it is not one.
    """
    try:
        with np.errstate(over="ignore"):
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "Python objects" in str(error):
            raise holding_objects(path) from None
        if "pickle" in str(error):  # NumPy's guess at any other file, with advice to load it all the same
            raise ValueError("it does not begin as npy does") from None
        raise
    if not isinstance(array, np.ndarray):
        raise ValueError("it is npz")
    return array


def holding_objects(name: object) -> InputError:
    """Make the sentence for what would run code when loaded."""
    return InputError(
        f"{name} holds Python objects, which could run code and are never loaded; save numbers."
    )


def as_mask(array: np.ndarray, shape: tuple[int, int], given: str) -> np.ndarray:
    """Turn 0 = good into True = bad.

    Raises
    ------
    InputError
        If the size is not that of a frame, or no pixel is good.
    """
    if array.shape != shape:
        raise InputError(
            f"The mask {given} has shape {array.shape} and the frames {shape}; give a mask of that shape."
        )
    bad = array != 0
    if bad.all():
        raise InputError(f"The mask {given} leaves no good pixel; in a mask 0 means good.")
    return bad


def as_labels(array: np.ndarray, n: int, given: str) -> np.ndarray:
    """Check labels: 1 single, 0 not, -1 unknown; (n,) int8.

    Raises
    ------
    InputError
        If there is not one for each pattern, or another value among them.
    """
    if array.shape != (n,):
        raise InputError(
            f"The labels {given} have shape {array.shape}; needed is one for each of the {n} patterns."
        )
    if not are_labels(array):
        other = array[~np.isin(array, (-1, 0, 1))][0]
        raise InputError(
            f"The labels {given} hold {other}; allowed are 1 (single), 0 (not single) and -1 (unknown)."
        )
    return array.astype(np.int8)


def are_labels(array: np.ndarray) -> bool:
    """Tell whether all values are 1, 0 or -1."""
    return array.dtype.kind in "buif" and bool(np.isin(array, (-1, 0, 1)).all())


def read_label_table(path: Path, n: int) -> np.ndarray:
    """Read a csv with the columns index,label; patterns it does not name get -1.

    Raises
    ------
    InputError
        If a line is not two whole numbers, or an index is out of range or named twice.
    """
    if not path.exists():
        raise InputError(f"The labels {path} do not exist; check the name.")
    labels = np.full(n, -1, np.int64)
    seen: set[int] = set()
    with (
        damage_told(f"The labels {path} cannot be read", "give index,label in each line"),
        path.open(newline="", encoding="utf-8-sig", errors="replace") as file,
    ):
        for number, row in enumerate(csv.reader(file), 1):
            if not row or (number == 1 and row[0].strip() == "index"):
                continue
            try:
                index, label = (int(cell) for cell in row)
            except ValueError:
                raise InputError(
                    f"The labels {path}, line {number}, read {','.join(row)!r}; needed are index,label."
                ) from None
            if not 0 <= index < n or index in seen:
                problem = "is named twice" if index in seen else f"is not one of 0 ... {n - 1}"
                raise InputError(
                    f"The labels {path}, line {number}: index {index} {problem}; mend that line."
                )
            seen.add(index)
            labels[index] = label
    return labels


def _dataset(file: Hdf5File, name: str, what: str) -> np.ndarray:
    item = file.dataset(name) if name else None
    if item is None:
        raise InputError(
            f"The {what} {name!r} is neither a file nor a dataset of {file.path}, which has {file.listing()}."
        )
    return load(item)


def _load_npy(path: Path, what: str) -> np.ndarray:
    if not path.exists():
        raise InputError(f"The {what} {path} does not exist; check the name.")
    with damage_told(f"The {what} {path} is not a readable npy file", "save it again with numpy.save"):
        return np.array(map_npy(path))
