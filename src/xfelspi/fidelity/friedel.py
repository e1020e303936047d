"""Friedel symmetry: I(q) = I(-q) for any body, where the Ewald sphere is flat.

What breaks it is not the body, or a centre taken wrongly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .frames import FrameSet

DIM = 3000
"""Photons of a frame below which the most symmetric centre is often one at which the brightest rows meet a
gap and drop out."""

_NODES = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)])  # steps of half a pixel
_FIT = np.linalg.pinv(
    np.column_stack([np.ones(9), _NODES, _NODES[:, 0] ** 2, _NODES[:, 1] ** 2, _NODES.prod(axis=1)])
)


class Friedel(NamedTuple):
    """How far frames are from the symmetry, one number for each frame."""

    excess: np.ndarray
    """Mean of (a - b)² / (a + b) over lit pairs, minus 1: 0 for pure Poisson noise, grows with brightness."""
    asymmetry: np.ndarray
    """Mean square of (a - b) / (a + b) of the expected photons: the same, whatever the brightness."""
    centre_yx: np.ndarray
    """Centre of the symmetry: (n, 2)."""


def friedel_symmetry(frames: FrameSet, search_pixels: float = 3.0) -> Friedel:
    """Asymmetry between pixels at +q and -q, beyond Poisson noise.

    Of a lit pair with s = a + b photons, a is binomial. If a share (1 + e) / 2 of the expected photons
    belongs to a, the mean of (a - b)² / s is exactly 1 + e² (s - 1). So `excess` is the mean over pairs of
    (a - b)² / s - 1, and `asymmetry` estimates e² as the sum of (a - b)² / s - 1 over that of s - 1:
    weighted by photons, right for any brightness, below 0 as often as above where there is nothing.
    Pairs without photons, or with a pixel that is not good, take no part.

    Reflection through (Y/2, X/2) with whole Y and X moves whole pixels, so the statistic needs no
    interpolation, which would smooth the Poisson noise. The centre is searched on this grid of half
    pixels: the least mean square difference of sqrt(k + 3/8), in which the noise of bright and dim
    pixels is even. Around it, a paraboloid through the nine nearest nodes gives centre and asymmetry
    between the nodes. In a frame without structure the search finds chance symmetry, and the asymmetry
    comes out a little below 0.

    Parameters
    ----------
    frames : FrameSet
        Any number of frames.
    search_pixels : float
        How far the centre may lie from the given one, along y and x; 0 takes the given one, to the
        nearest half pixel.

    Returns
    -------
    friedel : Friedel
        Asymmetry and excess are 0 for a frame without a lit pair.

    References
    ----------
    Friedel (1913), C. R. Acad. Sci. 157, 1533; Anscombe (1948), Biometrika 35, 246, for the square root.
    """
    twice = np.rint(2 * np.array(frames.centre_yx)).astype(int)
    found = Friedel(np.zeros(frames.n), np.zeros(frames.n), np.tile(twice / 2, (frames.n, 1)))
    nodes = _best_nodes(frames, twice, int(2 * search_pixels)) if search_pixels else None
    for index, counts in enumerate(frames.counts):
        if nodes is None:
            found.excess[index], found.asymmetry[index] = _at_node(counts, frames.good, *twice)
            continue
        around = nodes[index] + _NODES
        excess, asymmetry = np.transpose([_at_node(counts, frames.good, *node) for node in around])
        step = _lowest(_FIT @ asymmetry)
        found.excess[index], found.asymmetry[index] = (
            at if step is None else _paraboloid(_FIT @ values, step)
            for values, at in ((excess, excess[4]), (asymmetry, asymmetry[4]))
        )
        found.centre_yx[index] = (nodes[index] + (0 if step is None else step)) / 2
    return found


def _best_nodes(frames: FrameSet, twice: np.ndarray, reach: int) -> np.ndarray:
    """Twice the most symmetric centre of each frame within `reach` half pixels: (n, 2) int.

    Sums over all pairs p, p' with p + p' = c are convolutions of a frame with itself.
    """
    from scipy import fft

    size = [fft.next_fast_len(2 * n, real=True) for n in frames.good.shape]
    grid = np.ix_(*(np.arange(c - reach, c + reach + 1) % n for c, n in zip(twice, size, strict=True)))

    def transform(image: np.ndarray) -> np.ndarray:
        return fft.rfft2(image.astype(np.float32), size)

    def pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return fft.irfft2(first * second, size)[grid]

    good = transform(frames.good)
    n_pairs = pairs(good, good)
    nodes = np.empty((frames.n, 2), int)
    for index, counts in enumerate(frames.counts):
        root = np.where(frames.good, np.sqrt(counts + np.float32(3 / 8)), 0)
        even = transform(root)
        difference = pairs(transform(root**2), good) - pairs(even, even)
        mean = np.where(n_pairs > 0.5 * n_pairs.max(), difference / np.maximum(n_pairs, 1), np.inf)
        nodes[index] = np.unravel_index(np.argmin(mean), mean.shape)
    return nodes + twice - reach


def _at_node(counts: np.ndarray, good: np.ndarray, *twice: int) -> tuple[float, float]:
    """Excess and asymmetry about `twice` / 2."""
    window = tuple(slice(max(0, c - n + 1), min(n, c + 1)) for c, n in zip(twice, good.shape, strict=True))
    near, both = counts[window].ravel(), good[window].ravel()
    half = near.size // 2  # each pair once, and a central pixel never beside itself
    a, b = near[:half].astype(np.float64), near[::-1][:half]
    pair_sum = (a + b) * (both[:half] & both[::-1][:half])
    lit = pair_sum > 0
    pair_sum = pair_sum[lit]
    if pair_sum.size == 0:
        return 0.0, 0.0
    beyond = float(((a - b)[lit] ** 2 / pair_sum - 1).sum())
    weight = float((pair_sum - 1).sum())
    return beyond / pair_sum.size, beyond / weight if weight > 0 else 0.0


def _lowest(terms: np.ndarray) -> np.ndarray | None:
    """Where a paraboloid is lowest, in half pixels; None if it has no bottom near its middle."""
    curvature = np.array([[2 * terms[3], terms[5]], [terms[5], 2 * terms[4]]])
    if not (terms[3] > 0 and np.linalg.det(curvature) > 0):
        return None
    step = -np.linalg.solve(curvature, terms[1:3])
    return step if np.abs(step).max() <= 1 else None


def _paraboloid(terms: np.ndarray, at: np.ndarray) -> float:
    y, x = at
    return float(terms @ [1, y, x, y * y, x * x, y * x])
