"""CXI files of versions 1.5 and 1.6, and our own, which are CXI with truth and recipe in them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import h5py
import numpy as np

from ..beside import as_mask
from ..hdf5 import Hdf5File, holds, open_hdf5
from ..layout import (
    DATA,
    DETECTOR,
    IDENTIFIER,
    has_truth,
    is_own,
    read_centre,
    read_geometry,
    read_mean,
    read_run,
    read_truth,
)
from ..sizes import load, require_honest_chunks, require_stored
from .hdf5 import Hdf5Stack, chosen_stack
from .stack import Choices

UNUSABLE = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x40 | 0x80 | 0x200 | 0x400 | 0x1000
"""Bits of CXI's mask after which a value says nothing: invalid, saturated, hot, dead, shadowed, ignored,
bad, missing, noisy, failed correction. The others (in a peak, beyond the resolution asked for, corrected) say
where the pixel lies or what was done to it."""

_SQUARE = 0.01  # relative difference of a pixel's edges that is none
_LOOKED_AT = 50  # masks, where each frame has its own


class CxiStack(Hdf5Stack):
    """Frames of a CXI file, with its mask, geometry and identifiers; our own with truth and recipe."""

    def __init__(self, file: Hdf5File, dataset: h5py.Dataset) -> None:
        self._is_main = dataset == file.dataset(DATA)
        super().__init__(file, dataset)
        self.detector_group = self._detector
        self.geometry = read_geometry(file, self.shape, self._detector)
        self.centre_yx = read_centre(file, self._detector)
        edges = [read_mean(file, f"{self._detector}/{axis}_pixel_size") for axis in "xy"]
        if edges[0] and edges[1] and abs(edges[1] / edges[0] - 1) > _SQUARE:
            self.geometry = None
            self.remarks += (
                f"Its pixels are {1e6 * edges[0]:g} µm wide and {1e6 * edges[1]:g} µm high; only square ones "
                "make a geometry.",
            )
        self.run = read_run(file)

    @property
    def _detector(self) -> str:
        """The group that speaks of these frames: their own, the first detector's for those in `data_1`."""
        beside = self._dataset.parent.name.lstrip("/")
        return beside if beside.startswith(f"{DETECTOR.rpartition('/')[0]}/detector_") else DETECTOR

    @cached_property
    def ids(self) -> np.ndarray | None:  # type: ignore[override]  # may be long: read when asked for
        """Experiment identifiers, else train and pulse; None for a file without one for each frame."""
        for name in (f"{self._dataset.parent.name}/experiment_identifier", IDENTIFIER):
            item = self.hdf5.dataset(name)
            if item is not None and self._has_one_each(item) and h5py.check_string_dtype(item.dtype):
                return np.array([text.decode(errors="replace") for text in load(item)[: self.n]])
        train, pulse = (self.hdf5.dataset(f"entry_1/{name}") for name in ("trainId", "pulseId"))
        if train is None or pulse is None or not all(map(self._has_one_each, (train, pulse))):
            return None
        pairs = zip(*(load(each)[: self.n].tolist() for each in (train, pulse)), strict=True)
        return np.array([f"{t}:{p}" for t, p in pairs])

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`; where each has a mask of its own, what that hides is NaN."""
        frames = super().read(start, stop)
        if self._own_masks is None:
            return frames
        require_honest_chunks(self._own_masks, start, stop)
        frames = frames.astype(np.float32)
        frames[unusable(self._own_masks[start:stop]).reshape(frames.shape)] = np.nan
        return frames

    def read_truth(self) -> dict[str, np.ndarray] | None:
        """Read the truth, where the frames are those that it speaks of."""
        return read_truth(self.hdf5, self.n) if self._is_main else None

    def _find_mask(self) -> np.ndarray | None:
        """Look for a mask for all frames, or one for each; of the latter, what is bad in all looked at."""
        self._own_masks: h5py.Dataset | None = None
        for name in (f"{self._dataset.parent.name}/mask", f"{self._detector}/mask", "mask"):
            item = self.hdf5.dataset(name)
            if item is None or item.dtype.kind not in "buif":
                continue
            raw_shape = self.raw_shape or self.shape
            if item.shape in (self.shape, raw_shape):
                values = load(item).reshape(self.shape)
                if item.dtype.kind in "ui":
                    self.bits = values.astype(np.uint32)
                return as_mask(unusable(values), self.shape, name)
            if item.shape in ((self.n, *raw_shape), self._dataset.shape):
                require_stored(item, self.n)
                self._own_masks, self.has_own_masks = item, True
                looked_at = np.unique(np.linspace(0, self.n - 1, _LOOKED_AT).astype(int))
                common = np.logical_and.reduce([unusable(item[index]) for index in looked_at])
                return as_mask(common.reshape(self.shape), self.shape, name)
        return None

    def _find_labels(self) -> np.ndarray | None:
        return None if self._is_main and has_truth(self.hdf5) else super()._find_labels()


def unusable(mask: np.ndarray) -> np.ndarray:
    """Tell which pixels are of no use: (ny, nx) bool from CXI's bits.

    Examples
    --------
    >>> unusable(np.array([0, 0x1, 0x20, 0x24, 0x10200])).tolist()
    [False, True, False, True, True]
    """
    return mask != 0 if mask.dtype.kind in "bf" else (mask.astype(np.int64) & UNUSABLE) != 0


def recognizes_own(path: Path) -> bool:
    """Tell whether xfel wrote this."""
    return holds(path, is_own)


def recognizes_cxi(path: Path) -> bool:
    """Tell a CXI file by its version, or by the group that all of CXI starts from."""
    return holds(path, lambda file: "cxi_version" in file or "entry_1" in file)


def open_cxi(path: Path, choices: Choices) -> CxiStack:
    """Open a CXI file at the place where the standard puts the frames, or the one named.

    Raises
    ------
    InputError
        If there are no frames, or several stacks in other places.
    """
    file = open_hdf5(path, choices.follow_links)
    try:
        return CxiStack(file, chosen_stack(file, choices, DATA, f"{DETECTOR}/data"))
    except BaseException:
        file.close()
        raise
