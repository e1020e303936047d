"""Good pixels by their distance from the beam."""

from __future__ import annotations

import numpy as np


class Rings:
    """Good pixels sorted into rings of equal width about the beam, empty rings left out.

    Parameters
    ----------
    good : (ny, nx) bool
        Pixels that were measured.
    centre_yx : (float, float)
        Where the beam crosses the frames, in pixels.
    width : float
        Of a ring, in pixels. Ring k holds what lies between (k - 1/2) and (k + 1/2) widths.
    inner : float
        Pixels nearer to the beam than this are left out.

    Attributes
    ----------
    n : int
        Number of rings.
    radius : (n,) float64
        Middle of each, in pixels.
    area : (n,) float64
        Good pixels in each.

    Examples
    --------
    >>> rings = Rings(np.ones((5, 5), bool), (2.0, 2.0))
    >>> rings.radius.tolist(), rings.area.tolist()
    ([0.0, 1.0, 2.0, 3.0], [1.0, 8.0, 12.0, 4.0])
    >>> rings.sums(np.ones((1, 5, 5))).tolist()
    [[1.0, 8.0, 12.0, 4.0]]
    """

    def __init__(
        self, good: np.ndarray, centre_yx: tuple[float, float], width: float = 1.0, inner: float = 0.0
    ) -> None:
        y, x = np.indices(good.shape)
        distance = np.hypot(y - centre_yx[0], x - centre_yx[1]).ravel()
        used = good.ravel() & (distance >= inner)
        found, place = np.unique(np.rint(distance[used] / width), return_inverse=True)
        self.n = found.size
        self.radius = found * width
        self.area = np.bincount(place, minlength=self.n).astype(float)
        self._ring = np.full(good.size, self.n, np.intp)  # what is left out has a bin of its own
        self._ring[used] = place

    def sums(self, counts: np.ndarray) -> np.ndarray:
        """Photons in every ring, (k, n) float64, of (k, ny, nx) counts."""
        photons = np.empty((len(counts), self.n))
        for into, frame in zip(photons, counts.reshape(len(counts), -1), strict=True):
            lit = np.flatnonzero(frame)  # few pixels see a photon
            found = np.bincount(self._ring[lit], weights=frame[lit], minlength=self.n + 1)
            into[:] = found[: self.n]
        return photons
