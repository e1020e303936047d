"""Any HDF5 file with a stack of frames in it; the base of everything that lies in HDF5."""

from __future__ import annotations

import math
from pathlib import Path

import h5py
import numpy as np

from xfelspi.errors import InputError

from ..beside import are_labels, as_mask
from ..chunk import expand_chunk
from ..hdf5 import Hdf5File, open_hdf5
from ..sizes import load, require_filters, require_honest_chunks, require_stored, written_rows
from .choosing import only_name, require_stack
from .stack import Choices, Stack


class Hdf5Stack(Stack):
    """Frames of one dataset, (n, ny, nx) or one (ny, nx); or raw ones, (n, modules, ny, nx)."""

    def __init__(self, file: Hdf5File, dataset: h5py.Dataset) -> None:
        self.hdf5: Hdf5File = file
        self._dataset = dataset
        raw_shape = dataset.shape[1:] if dataset.ndim > 2 else dataset.shape
        self.shape = (math.prod(raw_shape[:-1]), raw_shape[-1])
        self.room = dataset.shape[0] if dataset.ndim > 2 else 1
        self.n = written_rows(dataset) if dataset.ndim > 2 else 1
        if self.n < self.room:
            self.remarks = (f"It has room for {self.room} frames, and {self.n} are written.",)
        self.raw_shape = raw_shape if dataset.ndim > 3 else None
        self.mask = self._find_mask()
        self.labels = self._find_labels()
        self._has_our_chunks = has_our_chunks(dataset)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to, not including, `stop`."""
        if self._has_our_chunks:
            return self._expand(start, stop)
        if self._dataset.ndim > 2:
            require_honest_chunks(self._dataset, start, stop)
            return self._dataset[start:stop].reshape(-1, *self.shape)
        return load(self._dataset)[None]

    def close(self) -> None:
        """Close the file."""
        self.hdf5.close()

    def _expand(self, start: int, stop: int) -> np.ndarray:
        """Decode chunks here: HDF5's own filters are three times slower."""
        counts = np.empty((max(0, stop - start), *self.shape), np.uint16)
        for index, frame in enumerate(counts, start):
            try:
                skipped, chunk = self._dataset.id.read_direct_chunk((index, 0, 0))
            except (OSError, RuntimeError):  # never written, which means zeros, or damaged: HDF5 knows
                skipped = True
            if skipped:
                frame[...] = self._dataset[index]
            else:
                expand_chunk(chunk, frame)
        return counts

    def _find_mask(self) -> np.ndarray | None:
        """Look for a dataset called mask, 0 = good, beside the frames or at the top."""
        for name in (f"{self._dataset.parent.name}/mask", "mask"):
            item = self.hdf5.dataset(name)
            if item is not None and item.shape in (self.shape, self.raw_shape) and item.dtype.kind in "buif":
                return as_mask(load(item).reshape(self.shape), self.shape, name)
        return None

    def _find_labels(self) -> np.ndarray | None:
        """Look for a dataset called labels; those of another kind (0, 1, 2 ...) are none of ours."""
        for name in (f"{self._dataset.parent.name}/labels", "labels"):
            item = self.hdf5.dataset(name)
            if item is not None and self._has_one_each(item) and are_labels(values := load(item)[: self.n]):
                return values.astype(np.int8)
        return None

    def _has_one_each(self, item: h5py.Dataset) -> bool:
        """Tell whether a dataset has one entry for each frame, those that never came included."""
        return item.shape in ((self.n,), (self.room,))


def recognizes_hdf5(path: Path) -> bool:
    """Tell HDF5 by its signature."""
    return path.is_file() and h5py.is_hdf5(path)


def open_plain(path: Path, choices: Choices) -> Hdf5Stack:
    """Open a file and choose the only stack in it, or the one named.

    Raises
    ------
    InputError
        If there is no such stack, or several.
    """
    file = open_hdf5(path, choices.follow_links)
    try:
        return Hdf5Stack(file, chosen_stack(file, choices))
    except BaseException:
        file.close()
        raise


def chosen_stack(file: Hdf5File, choices: Choices, *usual: str) -> h5py.Dataset:
    """Choose the dataset the user names, else where the geometry or the format have it, else the only one.

    Raises
    ------
    InputError
        If there is no such stack, or several.
    """
    most_dims = choices.most_dims
    if choices.dataset is not None:
        return named_stack(file, choices.dataset, most_dims)
    at = () if choices.geometry is None or choices.geometry.data is None else (choices.geometry.data,)
    name = next((place for place in (*at, *usual) if file.dataset(place) is not None), None)
    return only_stack(file, most_dims) if name is None else named_stack(file, name, most_dims)


def named_stack(file: Hdf5File, name: str, most_dims: int = 3) -> h5py.Dataset:
    """Choose the dataset `name`, if it can hold frames.

    Raises
    ------
    InputError
        If there is no dataset of numbers of two dimensions to the most allowed.
    """
    item = file.dataset(name)
    if item is None:
        raise InputError(f"{file.path} has no dataset {name!r}; it has {file.listing()}.")
    where = f"{item.name} in {file.path}"
    require_stack(where, item, lambda: f"choose another of {file.listing()}", most_dims)
    require_filters(item)
    rows = written_rows(item) if item.ndim > 2 else None
    if rows == 0:
        raise InputError(
            f"{where} has room for {item.shape[0]} patterns, and none is written yet; wait for some."
        )
    require_stored(item, rows)
    return item


def only_stack(file: Hdf5File, most_dims: int = 3) -> h5py.Dataset:
    """Choose the dataset that must be the frames; see `only_name`.

    Raises
    ------
    InputError
        If there are several, or none.
    """
    found = file.datasets()
    name = only_name(file.path, found, file.listing(found), most_dims)
    return named_stack(file, name, most_dims)


def has_our_chunks(data: h5py.Dataset) -> bool:
    """Tell whether each frame is one chunk, shuffled and deflated, as we write them."""
    if data.ndim != 3 or data.dtype != "<u2" or data.chunks != (1, *data.shape[1:]):
        return False
    filters = data.id.get_create_plist()
    codes = [filters.get_filter(index)[0] for index in range(filters.get_nfilters())]
    return codes == [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE]
