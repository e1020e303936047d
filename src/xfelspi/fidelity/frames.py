"""Frames to be compared: photons, good pixels, centre."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

MIN_FRAMES = 10
"""Of either set: with fewer no interval means anything."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameSet:
    """Frames of one kind, simulated or measured, on the same pixels.

    Attributes
    ----------
    counts : (n, ny, nx) float32 or uint16
        Photons; what stands in pixels that are not good is set to 0.
    good : (ny, nx) bool
        Pixels that were measured.
    centre_yx : tuple of float
        Where the beam crosses the frames, in pixels.

    Raises
    ------
    InputError
        If there is no frame or no good pixel, a shape does not fit, or a good pixel is negative or not
        finite.

    Examples
    --------
    >>> FrameSet(counts=np.ones((3, 8, 8)), good=np.ones((8, 8), bool), centre_yx=(3.5, 3.5)).n
    3
    """

    counts: np.ndarray
    good: np.ndarray
    centre_yx: tuple[float, float]

    def __post_init__(self) -> None:
        counts, good = np.asarray(self.counts), np.asarray(self.good)
        if counts.ndim != 3 or counts.shape[0] == 0:
            raise InputError(
                f"The frames have shape {counts.shape}; (n, ny, nx) with n of 1 or more is needed."
            )
        if good.dtype != bool or good.shape != counts.shape[1:]:
            raise InputError(
                f"The good pixels are {good.dtype} of shape {good.shape}; they must be bool of "
                f"{counts.shape[1:]}."
            )
        if not good.any():
            raise InputError("The mask leaves no good pixel; 0 means good in a mask of a file.")
        if not all(0 <= c <= n - 1 for c, n in zip(self.centre_yx, good.shape, strict=True)):
            raise InputError(f"The centre {self.centre_yx} (y, x) lies outside frames of {good.shape}.")
        dtype = np.uint16 if counts.dtype == np.uint16 else np.float32
        counts = np.where(good, counts, 0).astype(dtype)
        if dtype == np.float32 and not (np.isfinite(counts).all() and counts.min() >= 0):
            raise InputError(
                "Good pixels hold negative, NaN or infinite photons; mask them or set them to 0."
            )
        object.__setattr__(self, "counts", counts)

    @classmethod
    def read(
        cls, patterns: PatternSet, indices: Iterable[int] | None = None, size: int = 128, binning: int = 1
    ) -> Self:
        """Read frames, cropped to a square about the beam.

        Two sets can be compared only if their pixels span the same momentum transfer: bin the finer one.

        Parameters
        ----------
        patterns : PatternSet
            An open file; see `PatternSet.beam_yx` for the centre.
        indices : iterable of int, optional
            Which patterns; without it all.
        size : int
            Pixels along an edge, after binning. What lies beyond the detector is not good.
        binning : int
            Pixels of the file along the edge of one pixel of the set: their photons are added up, and it
            is good if all of them are.

        Raises
        ------
        InputError
            If no pattern is asked for, one does not exist, or no good pixel is left.
        """
        chosen = list(range(patterns.n)) if indices is None else [int(index) for index in indices]
        if size < 8 or binning < 1:
            raise InputError(f"size is {size} and binning {binning}; 8 and 1 or more are needed.")
        if not chosen:
            raise InputError(f"No pattern of {patterns.path} was chosen; at least one is needed.")
        if not all(0 <= index < patterns.n for index in chosen):
            raise InputError(f"{patterns.path} has patterns 0 to {patterns.n - 1}; others were asked for.")
        edge = size * binning
        centre = patterns.beam_yx
        starts = [math.floor(c - (edge - 1) / 2 + 0.5) for c in centre]
        source = tuple(
            slice(min(n, max(0, start)), min(n, max(0, start + edge)))
            for start, n in zip(starts, patterns.shape, strict=True)
        )
        target = tuple(
            slice(w.start - start, w.stop - start) for w, start in zip(source, starts, strict=True)
        )
        good = np.zeros((edge, edge), bool)
        good[target] = ~patterns.mask[source]
        counts = np.zeros((len(chosen), size, size), np.float32)
        frame = np.zeros((edge, edge), np.float32)
        for binned, index in zip(counts, chosen, strict=True):
            frame[target] = patterns.frames(index, index + 1).counts[0][source]
            binned[:] = _bins(frame, binning).sum(axis=(1, 3))
        y, x = ((c - start - (binning - 1) / 2) / binning for c, start in zip(centre, starts, strict=True))
        return cls(counts=counts, good=np.all(_bins(good, binning), axis=(1, 3)), centre_yx=(y, x))

    @property
    def n(self) -> int:
        """Number of frames."""
        return self.counts.shape[0]

    @property
    def totals(self) -> np.ndarray:
        """Photons on good pixels of every frame: (n,) float64."""
        return self.counts.sum(axis=(1, 2), dtype=np.float64)

    def lit(self) -> Self:
        """Return the frames that hold any photon; the shape of nothing cannot be compared."""
        return self.chosen(self.totals > 0)

    def chosen(self, which: np.ndarray) -> Self:
        """Return some of the frames, by index or by a boolean for each."""
        return replace(self, counts=self.counts[which])


def on_common_pixels(first: FrameSet, second: FrameSet) -> tuple[FrameSet, FrameSet]:
    """Return both sets with only those pixels good that are good in both.

    Raises
    ------
    InputError
        If frames differ in shape, or no pixel is good in both.
    """
    if first.good.shape != second.good.shape:
        raise InputError(
            f"Frames of {first.good.shape} and {second.good.shape} pixels cannot be compared; read both with "
            "the same size."
        )
    good = first.good & second.good
    if not good.any():
        raise InputError("No pixel is good in both sets; check the masks and the centres.")
    return replace(first, good=good), replace(second, good=good)


def require_frames(frames: FrameSet, at_least: int = MIN_FRAMES) -> None:
    """Refuse a set too small to say how its frames vary.

    Raises
    ------
    InputError
        If there are fewer than `at_least` frames.
    """
    if frames.n < at_least:
        raise InputError(
            f"A set has {frames.n} frame{'s' * (frames.n != 1)} with photons; at least {at_least} are needed "
            "to say how frames vary."
        )


def _bins(image: np.ndarray, binning: int) -> np.ndarray:
    """Return (rows, binning, columns, binning) of a frame that divides into them."""
    rows, columns = (n // binning for n in image.shape)
    return image.reshape(rows, binning, columns, binning)
