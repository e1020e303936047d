"""Where the beam crosses the detector, found from the patterns themselves.

Near the beam the Ewald sphere is flat and Friedel's law, I(-q) = I(q), makes pixels opposite each other about
the beam alike, for any particle and any number of them. So the frames are compared with themselves turned by
half a turn about every place: summed over pairs of good pixels, the covariance of opposite pixels is largest
about the beam. All places are tried at once, since that sum is a convolution of the frame with itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_FINE_PIXELS = 4.0  # blur that is taken off for the second look: speckles are narrower, halos wider
_REACH = 12  # half pixels that the second look goes from the first
_LEAST_PAIRS = 0.15  # of the good pixels must have a good opposite
_FEW_PAIRS = 0.03  # of the good pixels: a place with fewer is not seen at all
_NEAR = 4  # half pixels within which two looks see one place
_LARGEST_EDGE = 640  # pixels; larger frames are binned
_SIGMAS = 6.0  # of chance that the correlation must exceed


class Centre(NamedTuple):
    """Where the beam crosses the detector."""

    yx: tuple[float, float]
    """In pixels."""
    correlation: float
    """Of the roots of the counts in opposite pixels."""


def find_centre(frames: Iterable[np.ndarray], bad: np.ndarray) -> Centre | None:
    """Find the one centre of frames of one run.

    The square roots of the counts are compared, in which Poisson noise is the same everywhere. The first look
    follows the light as a whole, which leads near the beam; the second the speckles alone, to a fraction of a
    pixel.

    Parameters
    ----------
    frames : iterable of (ny, nx)
        Photons, all of one detector at one place; 0 or more on good pixels.
    bad : (ny, nx) bool
        True = bad.

    Returns
    -------
    centre : Centre or None
        None where opposite pixels are nowhere more alike than chance makes them.

    References
    ----------
    Padfield 2012, IEEE Trans. Image Process. 21, 2706, for correlation under masks.

    Examples
    --------
    >>> y, x = np.mgrid[:40, :50]
    >>> rings = np.rint(20 + 20 * np.cos(np.hypot(y - 17.5, x - 26)))
    >>> centre = find_centre([rings], np.zeros((40, 50), bool))
    >>> [round(place, 1) for place in centre.yx]
    [17.5, 26.0]
    """
    bins = -(-max(bad.shape) // _LARGEST_EDGE)
    bad = _binned(bad, bins) > 0
    good = (~bad).astype(np.float32)
    whole, fine = _Opposites(good), _Opposites(good)
    coverage = np.maximum(_blurred(good), 1e-3)
    for frame in frames:
        root = np.sqrt(np.where(bad, 0, _binned(frame, bins)), dtype=np.float32)
        whole.add(root)
        fine.add(root - _blurred(root) / coverage)
    if whole.n == 0:
        return None
    covariance, correlation, chance = whole.look()
    at = _highest(covariance)
    if not correlation[at] > _SIGMAS * chance[at] or _rises_beside(correlation, chance, at):
        return None
    top, left = (max(0, place - _REACH) for place in at)
    nearby = fine.look()[0][top : at[0] + _REACH + 1, left : at[1] + _REACH + 1]
    row, column = _highest(nearby)
    y = top + row + _vertex(nearby[:, column], row)
    x = left + column + _vertex(nearby[row], column)
    yx = bins * (y + 1) / 2 - 0.5, bins * (x + 1) / 2 - 0.5
    return Centre(yx, float(correlation[at]))


class _Opposites:
    """Sums over frames that tell how alike opposite pixels are about every centre s / 2, s = 0, 1, 2, ..."""

    def __init__(self, good: np.ndarray) -> None:
        from scipy import fft  # half of what a short command would take to start

        self._good, self._fft = good, fft
        self._size = [fft.next_fast_len(2 * n, real=True) for n in good.shape]
        self._mask = self._spectrum(good)
        self._sum = np.zeros_like(self._mask)
        self._squares = np.zeros_like(self._mask)
        self._products = np.zeros_like(self._mask)
        self._own = np.zeros_like(good)
        self.n = 0

    def add(self, frame: np.ndarray) -> None:
        """Take in one frame, unless it is the same everywhere."""
        values = frame * self._good
        values -= self._good * (values.sum() / self._good.sum())
        squares = values**2
        if not squares.any():
            return
        spectrum = self._spectrum(values)
        self._sum += spectrum
        self._squares += self._spectrum(squares)
        self._products += spectrum**2
        self._own += squares
        self.n += 1

    def look(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(2 ny - 1, 2 nx - 1) summed covariance, correlation, and what chance makes of the correlation."""
        pairs, products = self._back(self._mask**2), self._back(self._products)
        # A pixel opposite itself is no pair: it would draw the centre to whole pixels.
        pairs[::2, ::2] -= self._good
        products[::2, ::2] -= self._own
        pairs = np.maximum(pairs * self.n, 1.0)
        mean = self._back(self._sum * self._mask) / pairs
        covariance = products - pairs * mean**2
        variance = self._back(self._squares * self._mask) - pairs * mean**2
        share = pairs / (self.n * self._good.sum())
        seen = (share > _FEW_PAIRS) & (variance > 0)
        correlation = np.where(seen, covariance / np.maximum(variance, 1e-9), 0.0)
        # Each pair counts twice in these sums.
        return np.where(share > _LEAST_PAIRS, covariance, -np.inf), correlation, np.sqrt(2 / pairs)

    def _spectrum(self, values: np.ndarray) -> np.ndarray:
        return self._fft.rfft2(values, self._size)

    def _back(self, spectrum: np.ndarray) -> np.ndarray:
        ny, nx = self._good.shape
        return self._fft.irfft2(spectrum, self._size)[: 2 * ny - 1, : 2 * nx - 1]


def _rises_beside(correlation: np.ndarray, chance: np.ndarray, at: tuple[int, int]) -> bool:
    """Tell whether opposite pixels are more alike about a place beside, where there are fewer of them.

    Then the beam meets no good pixel, as where half of the detector is dead, and what is highest is nearest.
    """
    top, left = (max(0, place - _REACH) for place in at)
    beside = correlation[top : at[0] + _REACH + 1, left : at[1] + _REACH + 1]
    row, column = _highest(beside)
    best = top + row, left + column
    apart = max(abs(best[0] - at[0]), abs(best[1] - at[1]))
    return apart > _NEAR and bool(correlation[best] > correlation[at] + _SIGMAS * chance[best])


def _binned(frame: np.ndarray, bins: int) -> np.ndarray:
    """Sum up bins x bins pixels; those left over at the end of rows and columns are dropped."""
    if bins == 1:
        return frame
    ny, nx = (n // bins for n in frame.shape)
    return frame[: ny * bins, : nx * bins].reshape(ny, bins, nx, bins).sum((1, 3))


def _blurred(values: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter(values, _FINE_PIXELS, mode="constant", truncate=3.0)


def _highest(values: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    return int(row), int(column)


def _vertex(line: np.ndarray, place: int) -> float:
    """Distance of the top of the parabola through a maximum and its neighbours."""
    if not 0 < place < len(line) - 1:
        return 0.0
    before, top, after = line[place - 1 : place + 2]
    bend = before - 2 * top + after
    return float(0.5 * (before - after) / bend) if np.isfinite(bend) and bend < 0 else 0.0
