"""Whether a particle had company: the autocorrelation has a lobe at the distance of any pair."""

from __future__ import annotations

import math

import numpy as np

COMPANY = 8.0
"""Scores above are taken for several particles; see docs/hits.md for what that keeps and loses."""

_ANSCOMBE = 3 / 8


class Company:
    """Scores frames of one detector by their autocorrelation.

    Parameters
    ----------
    good : (ny, nx) bool
        Pixels that were measured.
    centre_yx : (float, float)
        Where the beam crosses the frames, in pixels.
    """

    def __init__(self, good: np.ndarray, centre_yx: tuple[float, float]) -> None:
        y, x = (n - c for n, c in zip(np.indices(good.shape), centre_yx, strict=True))
        self._good = good
        self._ring = np.rint(np.hypot(y, x)).astype(int)
        self._n_rings = int(self._ring.max()) + 1
        self._area = np.maximum(np.bincount(self._ring[good], minlength=self._n_rings), 1)
        along_y, along_x = np.fft.fftfreq(good.shape[0]), np.fft.rfftfreq(good.shape[1])
        self._lag = np.hypot(along_y[:, None], along_x)

    def __call__(self, counts: np.ndarray, edge_phase: np.ndarray) -> np.ndarray:
        """Highest lobe of the autocorrelation beyond one particle's extent, over what noise alone would show.

        The Fourier transform of a pattern is the autocorrelation of the density, and there two particles have
        a lobe at their distance (Patterson 1934, Phys. Rev. 46, 372). The pattern is taken as roots of
        counts, whose noise is even (Anscombe 1948, Biometrika 35, 246), less their mean over each ring about
        the beam; masked pixels are 0. What lies nearer than the diameter of the sphere that fits is left out.
        Of the power beyond, the largest is divided by what is to be expected of the largest of as many
        exponentially distributed values with the same median.

        Parameters
        ----------
        counts : (n, ny, nx)
            Frames.
        edge_phase : (n,) float
            From `SphereFit`: it tells the diameter.

        Returns
        -------
        score : (n,) float64
            About 1 for noise; NaN where the size is unknown, or where all of the autocorrelation lies within
            it.
        """
        return np.array(
            [self._score(frame, phase / math.pi) for frame, phase in zip(counts, edge_phase, strict=True)]
        )

    def _score(self, frame: np.ndarray, diameter: float) -> float:
        """Score a frame; distances are in fringes per pixel that two particles so far apart show."""
        beyond = (self._lag > diameter) & (self._lag < 0.5)
        n = np.count_nonzero(beyond)
        if n == 0 or not np.isfinite(diameter):
            return math.nan
        root = np.sqrt(frame + np.float32(_ANSCOMBE))
        sums = np.bincount(self._ring[self._good], weights=root[self._good], minlength=self._n_rings)
        mean = sums / self._area
        power = np.abs(np.fft.rfft2(np.where(self._good, root - mean[self._ring], 0.0))[beyond]) ** 2
        expected = np.median(power) * math.log(n) / math.log(2)
        return float(power.max() / expected) if expected > 0 else math.nan
