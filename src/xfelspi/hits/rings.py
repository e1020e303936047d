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
    wedges : int
        Equal parts of half a turn; what lies opposite belongs together.

    Attributes
    ----------
    n : int
        Number of rings.
    radius : (n,) float64
        Middle of each, in pixels.
    area : (n,) float64
        Good pixels in each.
    wedge_area : (wedges, n) float64
        The same, wedge by wedge.

    Examples
    --------
    >>> rings = Rings(np.ones((5, 5), bool), (2.0, 2.0))
    >>> rings.radius.tolist(), rings.area.tolist()
    ([0.0, 1.0, 2.0, 3.0], [1.0, 8.0, 12.0, 4.0])
    >>> rings.sums(np.ones((1, 5, 5))).tolist()
    [[1.0, 8.0, 12.0, 4.0]]
    """

    def __init__(
        self,
        good: np.ndarray,
        centre_yx: tuple[float, float],
        width: float = 1.0,
        inner: float = 0.0,
        wedges: int = 1,
    ) -> None:
        y, x = (n - c for n, c in zip(np.indices(good.shape), centre_yx, strict=True))
        distance = np.hypot(y, x).ravel()
        wedge = np.minimum((np.arctan2(y, x).ravel() % np.pi) * (wedges / np.pi), wedges - 1).astype(int)
        used = good.ravel() & (distance >= inner)
        found, place = np.unique(np.rint(distance[used] / width), return_inverse=True)
        self.n = found.size
        self.radius = found * width
        self._n_bins = wedges * self.n
        self._bin = np.full(good.size, self._n_bins, np.intp)  # what is left out has one of its own
        self._bin[used] = wedge[used] * self.n + place
        self.wedge_area = (
            np.bincount(self._bin[used], minlength=self._n_bins).reshape(wedges, -1).astype(float)
        )
        self.area = self.wedge_area.sum(axis=0)

    def sums(self, counts: np.ndarray) -> np.ndarray:
        """Photons in every ring, (k, n) float64, of (k, ny, nx) counts."""
        return self.wedge_sums(counts).sum(axis=1)

    def wedge_sums(self, counts: np.ndarray) -> np.ndarray:
        """Photons in every ring of every wedge, (k, wedges, n) float64, of (k, ny, nx) counts."""
        photons = np.empty((len(counts), self._n_bins))
        for into, frame in zip(photons, counts.reshape(len(counts), -1), strict=True):
            lit = np.flatnonzero(frame)  # few pixels see a photon
            found = np.bincount(self._bin[lit], weights=frame[lit], minlength=self._n_bins + 1)
            into[:] = found[: self._n_bins]
        return photons.reshape(len(counts), *self.wedge_area.shape)
