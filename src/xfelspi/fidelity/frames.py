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
                f"The good pixels are {good.dtype} of shape {good.shape}; bool of shape {counts.shape[1:]} is "
                "needed."
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
    def read(cls, patterns: PatternSet, indices: Iterable[int] | None = None, size: int = 128) -> Self:
        """Read frames, cropped to a square about the beam.

        Pixels are taken as they are: to compare files of different pixels or distances, bring them to
        the same momentum transfer per pixel first.

        Parameters
        ----------
        patterns : PatternSet
            An open file; without a geometry the middle of its frames is taken as the centre.
        indices : iterable of int, optional
            Which patterns; without it all.
        size : int
            Pixels along an edge. What lies beyond the detector is not good.

        Raises
        ------
        InputError
            If no pattern is asked for, one does not exist, or no good pixel is left.
        """
        chosen = list(range(patterns.n)) if indices is None else [int(index) for index in indices]
        if size < 8:
            raise InputError(f"The size is {size} pixels; 8 or more are needed.")
        if not chosen:
            raise InputError(f"No pattern of {patterns.path} was chosen; at least one is needed.")
        if not all(0 <= index < patterns.n for index in chosen):
            raise InputError(f"{patterns.path} has patterns 0 to {patterns.n - 1}; others were asked for.")
        ny, nx = patterns.shape
        centre = ((ny - 1) / 2, (nx - 1) / 2)
        if patterns.geometry is not None:
            centre = patterns.geometry.centre_yx
        starts = [math.floor(c - (size - 1) / 2 + 0.5) for c in centre]
        source = tuple(
            slice(max(0, s), max(0, min(n, s + size))) for s, n in zip(starts, (ny, nx), strict=True)
        )
        target = tuple(slice(w.start - s, w.stop - s) for w, s in zip(source, starts, strict=True))
        good = np.zeros((size, size), bool)
        counts = np.zeros((len(chosen), size, size), np.float32)
        if all(window.start < window.stop for window in source):
            good[target] = ~patterns.mask[source]
            first = patterns.frames(chosen[0], chosen[0] + 1).counts
            counts = counts.astype(np.uint16 if first.dtype == np.uint16 else np.float32)
            for row, index in zip(counts, chosen, strict=True):
                row[target] = patterns.frames(index, index + 1).counts[0][source]
        elif not good.any():
            raise InputError(
                f"The beam centre {centre} (y, x) of {patterns.path} is too far off the detector."
            )
        return cls(counts=counts, good=good, centre_yx=(centre[0] - starts[0], centre[1] - starts[1]))

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
