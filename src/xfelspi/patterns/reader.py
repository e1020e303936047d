"""Reading patterns: our own files, CXI, and any HDF5 file with a stack of frames in it."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import h5py
import numpy as np

from xfelspi.errors import InputError

from .beside import are_labels, as_labels, as_mask, read_array, read_label_table
from .chunk import expand_chunk
from .geometry import Geometry
from .hdf5 import datasets, listing, open_hdf5
from .layout import DATA, DETECTOR, has_truth, read_geometry, read_run, read_truth
from .truth import LABELS, clear_multiples

_USUAL_NAMES = ("patterns", "data", "frames", "images", "photons", "intensities")


class Frames(NamedTuple):
    """Some frames, and what had to be set to 0 in them."""

    counts: np.ndarray
    """(k, ny, nx); uint16 from our own files, float32 from others."""
    n_nan: int
    """Pixels that were NaN or infinite."""
    n_negative: int
    """Pixels that were negative."""


class PatternSet:
    """Patterns on disk, with whatever is known about them. Make one with `PatternSet.open`.

    Attributes
    ----------
    path : Path
        The file.
    n : int
        Number of patterns.
    shape : (ny, nx)
        Of one frame.
    mask : (ny, nx) bool
        True = bad.
    geometry : Geometry or None
        As far as the file says.
    run : dict or None
        Recipe, seed, shape, version, command: for our own files.
    """

    def __init__(self, file: h5py.File, dataset: h5py.Dataset) -> None:
        self.path = Path(file.filename)
        self._file = file
        self._dataset = dataset
        self.shape: tuple[int, int] = dataset.shape[-2:]
        self.n: int = dataset.shape[0] if dataset.ndim == 3 else 1
        self.mask = np.zeros(self.shape, bool)
        self.geometry: Geometry | None = read_geometry(file, self.shape)
        self.run: dict[str, Any] | None = read_run(file)
        self._given_labels: np.ndarray | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        dataset: str | None = None,
        mask: str | Path | None = None,
        labels: str | Path | None = None,
    ) -> Self:
        """Open a file and find patterns, mask and labels in it.

        Parameters
        ----------
        path : path
            Our own file, a CXI file, or any HDF5 file.
        dataset : str, optional
            HDF5 path of a (n, ny, nx) or (ny, nx) array. Without it the place CXI gives it, else the
            only stack of numbers in the file, else the only one with a usual name.
        mask : str or Path, optional
            `.npy` file, "file.h5:dataset", or dataset of this file; 0 = good. Without it a dataset
            called mask, of the shape of a frame, if there is one.
        labels : str or Path, optional
            Likewise, or a `.csv` with index,label; 1 single, 0 not, -1 unknown. Without it the truth,
            else a dataset called labels with one for each pattern, if there is one.

        Raises
        ------
        InputError
            If any of these cannot be read or does not fit; the sentence says what is there.
        """
        file = open_hdf5(Path(path))
        try:
            patterns = cls(file, _find_patterns(file, dataset))
            patterns._find_mask(mask)
            patterns._find_labels(labels)
        except (OSError, RuntimeError) as error:
            file.close()
            raise InputError(f"{path} is damaged ({error}); copy or simulate it again.") from None
        except BaseException:
            file.close()
            raise
        return patterns

    @cached_property
    def truth(self) -> dict[str, np.ndarray] | None:
        """The fields of `TRUTH_FIELDS`, one row per pattern; None without truth."""
        return read_truth(self._file) if self._is_main else None

    @property
    def labels(self) -> np.ndarray | None:
        """1 single, 0 not, -1 unknown: (n,) int8; None without."""
        if self._given_labels is not None or self.truth is None:
            return self._given_labels
        return (self.truth["label"] == LABELS.index("single")).astype(np.int8)

    @property
    def shapes(self) -> np.ndarray | None:
        """Particle shape of each shot: (n,) str; None without truth."""
        return None if self.truth is None else self.truth["shape"]

    @property
    def clear(self) -> np.ndarray | None:
        """Multiples that can be told from singles: (n,) bool, see `clear_multiples`; None without truth."""
        return None if self.truth is None else clear_multiples(self.truth)

    def frames(self, start: int, stop: int) -> Frames:
        """Read patterns `start` up to, not including, `stop`.

        NaN, infinite and negative pixels are set to 0 and counted.

        Raises
        ------
        InputError
            If the file is damaged there.
        """
        start, stop, _ = slice(start, stop).indices(self.n)
        try:
            if self._has_our_chunks:
                return Frames(self._expand(start, stop), 0, 0)
            raw = (
                self._dataset[start:stop] if self._dataset.ndim == 3 else self._dataset[()][None][start:stop]
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{self.path} is damaged in patterns {start} to {stop - 1} ({error}); "
                "copy or simulate it again."
            ) from None
        return _clean(raw)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def _is_main(self) -> bool:
        """Whether these are the patterns that truth and labels in the file speak of."""
        return DATA in self._file and self._dataset == self._file[DATA]

    @cached_property
    def _has_our_chunks(self) -> bool:
        data = self._dataset
        if data.ndim != 3 or data.dtype != "<u2" or data.chunks != (1, *self.shape):
            return False
        filters = data.id.get_create_plist()
        codes = [filters.get_filter(index)[0] for index in range(filters.get_nfilters())]
        return codes == [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE]

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

    def _find_mask(self, given: str | Path | None) -> None:
        if given is not None:
            self.mask = as_mask(read_array(given, self._file, "mask"), self.shape, str(given))
            return
        beside = self._dataset.parent.name
        for name in (f"{beside}/mask", f"{DETECTOR}/mask", "mask"):
            item = self._file.get(name)
            if isinstance(item, h5py.Dataset) and item.shape == self.shape and item.dtype.kind in "buif":
                self.mask = as_mask(item[()], self.shape, name)
                return

    def _find_labels(self, given: str | Path | None) -> None:
        if given is not None:
            array = (
                read_label_table(Path(given), self.n)
                if str(given).endswith(".csv")
                else read_array(given, self._file, "labels")
            )
            self._given_labels = as_labels(array, self.n, str(given))
        elif not (self._is_main and has_truth(self._file)):
            # Found, not given: labels of another kind (0, 1, 2 ...) are none of ours.
            for name in (f"{self._dataset.parent.name}/labels", "labels"):
                item = self._file.get(name)
                if isinstance(item, h5py.Dataset) and item.shape == (self.n,) and are_labels(item[()]):
                    self._given_labels = item[()].astype(np.int8)
                    return


def _clean(raw: np.ndarray) -> Frames:
    """Float frames without NaN, infinity and negative pixels, and how many there were."""
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and counted
        counts = raw.astype(np.float32)
    not_finite = ~np.isfinite(counts)
    n_nan = int(np.count_nonzero(not_finite))
    if n_nan:
        counts[not_finite] = 0
    n_negative = int(np.count_nonzero(counts < 0))
    if n_negative:
        np.maximum(counts, 0, out=counts)
    return Frames(counts, n_nan, n_negative)


def _find_patterns(file: h5py.File, name: str | None) -> h5py.Dataset:
    found = datasets(file)
    if name is None:
        item = file[DATA] if isinstance(file.get(DATA), h5py.Dataset) else _only_stack(file, found)
    else:
        item = file.get(name)
        if not isinstance(item, h5py.Dataset):
            raise InputError(f"{file.filename} has no dataset {name!r}; it has {listing(found)}.")
    where = f"{item.name} in {file.filename}"
    if item.dtype.kind not in "uif":
        raise InputError(f"{where} holds {item.dtype}, not numbers; choose another with --dataset.")
    if item.ndim not in (2, 3):
        raise InputError(
            f"{where} has shape {item.shape}; patterns are (n, ny, nx) or one (ny, nx): "
            f"choose another of {listing(found)}."
        )
    if item.size == 0:
        raise InputError(f"{where} has shape {item.shape}: no patterns in it; simulate or choose another.")
    return item


def _only_stack(file: h5py.File, found: dict[str, h5py.Dataset]) -> h5py.Dataset:
    """Choose the only (n, ny, nx), else the only one with a usual name; else the same among (ny, nx)."""
    numeric = {
        name: item for name, item in found.items() if item.dtype.kind in "uif" and not name.endswith("mask")
    }
    for ndim in (3, 2):
        candidates = {name: item for name, item in numeric.items() if item.ndim == ndim}
        usual = {name: item for name, item in candidates.items() if name.rpartition("/")[2] in _USUAL_NAMES}
        for choice in (candidates, usual):
            if len(choice) == 1:
                return next(iter(choice.values()))
        if candidates:
            raise InputError(
                f"{file.filename} has several datasets that could be the patterns: {listing(candidates)}; "
                "choose one with --dataset."
            )
    raise InputError(
        f"{file.filename} holds no patterns, which have 3 dimensions (n, ny, nx); it has {listing(found)}."
    )
