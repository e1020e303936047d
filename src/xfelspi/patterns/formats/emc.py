"""EMC files of Dragonfly: photons by place, in a binary file or in HDF5; see `dragonfly` for the detector.

Binary: a header of 1024 bytes (int32 number of frames, of pixels, type), then for type 0 the numbers ones[n]
and multi[n] of pixels with one and with more photons, place_ones, place_multi and count_multi, all int32; for
types 1 and 2 dense frames in int32 and float64. HDF5: num_pix, and place_ones, place_multi, count_multi with
a row of variable length for each frame.
"""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from xfelspi.errors import InputError

from ..hdf5 import Hdf5File, holds, open_hdf5, require_readable
from ..sizes import load, require_stored
from .dragonfly import DragonflyDetector, detector_for
from .stack import MOST_PIXELS, Choices, Stack

_HEADER_BYTES = 1024
_DENSE: dict[int, np.dtype] = {1: np.dtype("<i4"), 2: np.dtype("<f8")}
_PLACES = ("place_ones", "place_multi", "count_multi")


class EmcStack(Stack):
    """Frames of pixels in a list, brought to their places on the detector."""

    def __init__(self, n: int, detector: DragonflyDetector) -> None:
        self.n = n
        self.shape = detector.shape
        self.mask = detector.mask
        self.geometry = detector.geometry
        self.centre_yx = detector.centre_yx
        self._place = detector.place
        self.gaps = np.ones(self.shape, bool)
        self.gaps.reshape(-1)[self._place] = False
        self.found = () if detector.path is None else (detector.path,)


class SparseStack(EmcStack):
    """Frames put together from photons and their places."""

    @abstractmethod
    def _photons(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels with one photon, pixels with more, and how many these have."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`; int32."""
        frames = np.zeros((stop - start, *self.shape), np.int32)
        for index, frame in enumerate(frames.reshape(len(frames), -1), start):
            ones, multi, counts = self._photons(index)
            if len(multi) != len(counts):
                raise ValueError(f"{len(multi)} places and {len(counts)} counts in frame {index}")
            np.add.at(frame, self._placed(ones), 1)
            np.add.at(frame, self._placed(multi), counts)
        return frames

    def _placed(self, pixels: np.ndarray) -> np.ndarray:
        if len(pixels) and pixels.min() < 0:  # numpy itself refuses those beyond the last
            raise ValueError(f"pixel {pixels.min()}")
        return self._place[pixels]


class BinaryStack(SparseStack):
    """A sparse binary file, mapped into memory."""

    def __init__(self, path: Path, n: int, num_pix: int, detector: Path | None) -> None:
        numbers = np.memmap(
            path, "<i4", "r", offset=_HEADER_BYTES, shape=((_size(path) - _HEADER_BYTES) // 4,)
        )
        self._file = numbers
        lengths = numbers[: 2 * n].reshape(2, n).astype(np.int64)
        n_ones, n_multi = lengths.sum(axis=1).tolist()
        if lengths.min() < 0 or 2 * n + n_ones + 2 * n_multi > len(numbers):
            raise InputError(f"{path} is cut short: its header announces more photons; copy it again.")
        self._starts = np.concatenate([np.zeros((2, 1), np.int64), np.cumsum(lengths, axis=1)], axis=1)
        ends = np.cumsum([2 * n, n_ones, n_multi, n_multi])
        self._columns = [numbers[begin:end] for begin, end in pairwise(ends.tolist())]
        super().__init__(n, detector_for(path, detector, num_pix))

    def _photons(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ones, multi = (slice(*starts[index : index + 2]) for starts in self._starts)
        place_ones, place_multi, count_multi = self._columns
        return place_ones[ones], place_multi[multi], count_multi[multi]

    def close(self) -> None:
        """Let go of the file."""
        del self._file, self._columns


class DenseStack(EmcStack):
    """A binary file with a number for every pixel, mapped into memory."""

    def __init__(self, path: Path, n: int, num_pix: int, kind: int, detector: Path | None) -> None:
        dtype = _DENSE[kind]
        if _HEADER_BYTES + n * num_pix * dtype.itemsize > _size(path):
            raise InputError(f"{path} is cut short: its header announces {n} frames; copy it again.")
        self._frames = np.memmap(path, dtype, "r", offset=_HEADER_BYTES, shape=(n, num_pix))
        places = detector_for(path, detector, num_pix)
        super().__init__(n, places)
        self._is_plain = np.array_equal(self._place, np.arange(places.mask.size))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`; as they stand."""
        stored = self._frames[start:stop]
        if self._is_plain:
            return stored.reshape(-1, *self.shape)
        frames = np.zeros((stop - start, self.shape[0] * self.shape[1]), stored.dtype)
        for frame, pixels in zip(frames, stored, strict=True):
            np.add.at(frame, self._place, pixels)
        return frames.reshape(-1, *self.shape)

    def close(self) -> None:
        """Let go of the file."""
        del self._frames


class EmcHdf5Stack(SparseStack):
    """The same photons in HDF5."""

    def __init__(self, file: Hdf5File, detector: Path | None) -> None:
        items = [file.dataset(name) for name in _PLACES]
        if any(item is None or item.ndim != 1 or not h5py.check_vlen_dtype(item.dtype) for item in items):
            raise InputError(
                f"{file.path} lacks rows of photons; an EMC file has {', '.join(_PLACES)}, one row a frame."
            )
        for item in items:
            require_stored(item)
        self.hdf5: Hdf5File = file
        self._columns = items
        n, *others = (len(item) for item in items if item is not None)
        if others != [n, n]:
            raise InputError(
                f"{file.path} has {[n, *others]} rows of photons, not as many of each; copy it again."
            )
        num_pix = file.dataset("num_pix")
        if num_pix is None or num_pix.size != 1 or num_pix.dtype.kind not in "ui":
            raise InputError(
                f"{file.path} does not say in num_pix how many pixels a frame has; copy it again."
            )
        pixels = int(np.ravel(load(num_pix))[0])
        _require_frames(file.path, n, pixels)
        super().__init__(n, detector_for(file.path, detector, pixels))

    def _photons(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ones, multi, counts = (item[index] for item in self._columns if item is not None)
        return ones, multi, counts

    def close(self) -> None:
        """Close the file."""
        self.hdf5.close()


def recognizes_binary(path: Path) -> bool:
    """Tell by the name: there is no signature."""
    return path.suffix.lower() == ".emc" and path.is_file() and not h5py.is_hdf5(path)


def open_binary(path: Path, choices: Choices) -> EmcStack:
    """Open a binary EMC file.

    Raises
    ------
    InputError
        If the header and the size do not go together, or the detector does not fit.
    """
    require_readable(path)
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        raise InputError(f"{path} is shorter than the header of an EMC file; copy it again.")
    n, num_pix, kind = np.frombuffer(header, "<i4", 3).tolist()
    _require_frames(path, n, num_pix)
    if kind in _DENSE:
        return DenseStack(path, n, num_pix, kind, choices.detector)
    if kind != 0:
        raise InputError(f"{path} is of type {kind}; EMC files are of type 0 (sparse), 1 or 2.")
    if _HEADER_BYTES + 8 * n > _size(path):
        raise InputError(f"{path} is cut short: its header announces {n} frames; copy it again.")
    return BinaryStack(path, n, num_pix, choices.detector)


def recognizes_hdf5(path: Path) -> bool:
    """Tell by the datasets."""
    return holds(path, lambda file: all(name in file for name in ("num_pix", *_PLACES)))


def open_hdf5_emc(path: Path, choices: Choices) -> EmcHdf5Stack:
    """Open EMC's HDF5.

    Raises
    ------
    InputError
        If rows are missing, or the detector does not fit.
    """
    file = open_hdf5(path, choices.follow_links)
    try:
        return EmcHdf5Stack(file, choices.detector)
    except BaseException:
        file.close()
        raise


def _require_frames(path: Path, n: int, num_pix: int) -> None:
    if n < 1 or not 1 <= num_pix <= MOST_PIXELS:
        raise InputError(
            f"{path} announces {n} frames of {num_pix} pixels; that is no EMC file, or a damaged one."
        )


def _size(path: Path) -> int:
    return path.stat().st_size
