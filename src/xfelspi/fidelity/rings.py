"""Rings of pixels about the centre, one pixel wide."""

from __future__ import annotations

import numpy as np

from .frames import FrameSet


class Rings:
    """Good pixels sorted by their distance from the centre; ring k reaches from k to k + 1 pixels.

    Parameters
    ----------
    frames : FrameSet
        Whose pixels; there are as many rings as fit into its frame.

    Attributes
    ----------
    n : int
        Number of rings.
    radius : (n,)
        Middle of each, in pixels.
    n_pixels : (n,) int
        Good pixels in each; a hole at the centre leaves none.
    order : (p,) int
        Good pixels of all rings, ring after ring, as indices into a flat frame.
    ring : (p,) int
        The ring of each.

    Examples
    --------
    >>> flat = FrameSet(counts=np.ones((1, 9, 9)), good=np.ones((9, 9), bool), centre_yx=(4.0, 4.0))
    >>> Rings(flat).n_pixels.tolist()
    [1, 8, 16, 20]
    """

    def __init__(self, frames: FrameSet) -> None:
        distance = np.hypot(*offsets(frames))
        self.n = min(frames.good.shape) // 2
        self.radius = np.arange(self.n) + 0.5
        ring = np.where(frames.good.ravel(), distance.ravel().astype(int), self.n)
        order = np.argsort(ring, kind="stable")
        self.order = order[: np.count_nonzero(ring < self.n)]
        self.ring = ring[self.order]
        self.n_pixels = np.bincount(self.ring, minlength=self.n)

    def pixels(self, counts: np.ndarray) -> np.ndarray:
        """Pixels of all rings, in their order: (k, p) of (k, ny, nx) counts."""
        return counts.reshape(counts.shape[0], -1)[:, self.order]

    def sums(self, pixels: np.ndarray) -> np.ndarray:
        """Sum over every ring, 0 where it has no pixel: (k, n) float64 of (k, p) pixels."""
        found = np.zeros((pixels.shape[0], self.n))
        filled = self.n_pixels > 0
        if filled.any():
            starts = (np.cumsum(self.n_pixels) - self.n_pixels)[filled]
            found[:, filled] = np.add.reduceat(pixels, starts, axis=1, dtype=np.float64)
        return found


def offsets(frames: FrameSet) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every pixel from the centre along y and x, in pixels: two (ny, nx) arrays."""
    y, x = np.indices(frames.good.shape).astype(float)
    return y - frames.centre_yx[0], x - frames.centre_yx[1]
