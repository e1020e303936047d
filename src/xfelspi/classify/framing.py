"""Frames of any detector, brought to the square of pixels that a model sees."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xfelspi.constants import HC_EV_NM
from xfelspi.errors import InputError
from xfelspi.patterns import Geometry

MASKED = -1.0
"""Stands in the pixels of a model's frame that the detector did not measure; photons are 0 or more."""

_AMO_PER_NM = 2 * math.pi * 1600.0 / HC_EV_NM * 300e-6 / 0.581
_WHOLE = 0.02  # a ratio of pixels this near a whole number counts as whole: resampling would blur fringes


@dataclass(frozen=True, kw_only=True)
class ModelFrame:
    """What a model sees: a square around the beam.

    Attributes
    ----------
    size : int
        Pixels along an edge.
    q_per_pixel_per_nm : float
        Momentum transfer from one pixel to the next near the beam, in 1/nm. The default is 300 um at
        0.581 m and 1.6 keV.
    q_unstated_per_nm : float
        The same of detectors whose frames come without a geometry, as measured sets often do.
    """

    size: int = 128
    q_per_pixel_per_nm: float = _AMO_PER_NM
    q_unstated_per_nm: float = _AMO_PER_NM


def frame_to_learn(size: int, geometries: Iterable[Geometry | None]) -> ModelFrame:
    """Return the frame of a model that learns from detectors that stand like this, None where unknown.

    Frames without a geometry are taken to be of the scale that the model learned from, if that is one: a
    recipe brought to measured frames has their scale. Otherwise they are taken as the model's own.
    """
    spans = [q_per_pixel_per_nm(geometry) for geometry in geometries if geometry is not None]
    if spans and max(spans) <= (1 + _WHOLE) * min(spans):
        return ModelFrame(size=size, q_unstated_per_nm=spans[0])
    return ModelFrame(size=size)


def q_per_pixel_per_nm(geometry: Geometry) -> float:
    """Momentum transfer from one pixel to the next near the beam, (2π / λ) (pixel / distance), in 1/nm.

    Examples
    --------
    >>> centre = (127.5, 127.5)
    >>> amo = Geometry(photon_energy_ev=1600.0, distance_m=0.581, pixel_size_m=3e-4, centre_yx=centre)
    >>> round(q_per_pixel_per_nm(amo), 7)
    0.0041868
    """
    wavenumber_per_nm = 2 * math.pi * geometry.photon_energy_ev / HC_EV_NM
    return wavenumber_per_nm * geometry.pixel_size_m / geometry.distance_m


class Framing:
    """Brings the frames of one file to a model's frame; photons are moved, neither made nor lost.

    With a geometry, the beam centre goes to the middle and momentum transfer per pixel decides the scale.
    Where one pixel of the model spans a whole number of the detector's (within 2 %), these are added up,
    along whole pixels; else every photon is shared out by the areas that overlap. Pixels wider than the
    model's are taken one for one: a photon cannot be shared out among pixels that did not see it. Without a
    geometry the scale is `q_unstated_per_nm`, and the beam meets `centre_yx`, else the middle of the frame.
    Pixels of the model that the detector measured by less than half are masked, and pixels of the detector
    beyond the model's frame are left out.

    Parameters
    ----------
    shape : (ny, nx)
        Of a frame on the detector.
    mask : (ny, nx) bool
        True = bad.
    geometry : Geometry or None
        Of the detector, if known.
    frame : ModelFrame
        Where to bring the frames.
    centre_yx : (float, float), optional
        Where the beam crosses a detector without a geometry.

    Attributes
    ----------
    masked : (size, size) bool
        Pixels of the model's frame without a measurement.

    Raises
    ------
    InputError
        If no good pixel falls into the model's frame.

    Examples
    --------
    >>> counts = np.arange(16, dtype=np.uint16).reshape(1, 4, 4)
    >>> framing = Framing((4, 4), np.zeros((4, 4), bool), None, ModelFrame(size=2))
    >>> framing(counts)
    array([[[ 5.,  6.],
            [ 9., 10.]]], dtype=float32)
    """

    def __init__(
        self,
        shape: tuple[int, int],
        mask: np.ndarray,
        geometry: Geometry | None,
        frame: ModelFrame,
        centre_yx: tuple[float, float] | None = None,
    ) -> None:
        ny, nx = shape
        if geometry is None:
            span, centre_yx = frame.q_unstated_per_nm, centre_yx or ((ny - 1) / 2, (nx - 1) / 2)
        else:
            span, centre_yx = q_per_pixel_per_nm(geometry), geometry.centre_yx
        scale = max(1.0, frame.q_per_pixel_per_nm / span)
        whole = max(1, round(scale))
        if abs(scale / whole - 1) <= _WHOLE:
            scale = float(whole)
        starts = [centre + 0.5 - scale * frame.size / 2 for centre in centre_yx]
        if scale == whole:
            starts = [float(math.floor(start + 0.5)) for start in starts]
        overlaps = [_overlaps(start, scale, frame.size, n) for start, n in zip(starts, shape, strict=True)]
        self._window = tuple(_span(overlap) for overlap in overlaps)
        self._rows, self._columns = (
            overlap[:, window] for overlap, window in zip(overlaps, self._window, strict=True)
        )
        good = (~mask[self._window]).astype(np.float32)
        self.masked = self._rows @ good @ self._columns.T < 0.5 * scale**2
        if self.masked.all():
            raise InputError(
                f"None of the model's {frame.size} x {frame.size} pixels around the beam at "
                f"{centre_yx[0]:.6g}, {centre_yx[1]:.6g} (y, x) is measured by frames of {ny} x {nx}; check "
                "the geometry and the mask."
            )
        self._good = good
        self._is_slice = scale == 1 and self._rows.shape == self._columns.shape == (frame.size, frame.size)

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Return (k, size, size) float32 photons, `MASKED` where there is no measurement.

        Parameters
        ----------
        counts : (k, ny, nx)
            Frames as the detector took them, no pixel negative or NaN.
        """
        window = counts[:, *self._window]
        if self._is_slice:
            framed = window.astype(np.float32)
        else:
            framed = self._rows @ (window * self._good) @ self._columns.T
        framed[:, self.masked] = MASKED
        return framed

    def half(self, counts: np.ndarray) -> np.ndarray:
        """Return the same as float16, half the memory: exact up to 2048 photons, at most 65,504."""
        return np.minimum(self(counts), np.finfo(np.float16).max).astype(np.float16)


def _overlaps(start: float, step: float, size: int, n: int) -> np.ndarray:
    """Length that each of n unit pixels shares with each of `size` intervals of `step`: (size, n) float32."""
    edges = start + step * np.arange(size + 1)
    pixels = np.arange(n)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.maximum(shared, 0).astype(np.float32)


def _span(overlaps: np.ndarray) -> slice:
    """Detector pixels that matter at all."""
    used = np.flatnonzero(overlaps.any(axis=0))
    return slice(used[0], used[-1] + 1) if used.size else slice(0, 0)
