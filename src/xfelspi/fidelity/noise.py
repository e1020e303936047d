"""Counting noise: how much neighbouring pixels differ, against how bright they are."""

from __future__ import annotations

import numpy as np

from .curve import Curve, Estimate, curve_distance, frame_weights
from .frames import FrameSet, require_frames

LEVELS = np.array([0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
"""Edges of the levels of brightness, in counts per pixel."""

ENOUGH_ROWS = 1_000
"""Of four pixels at one level: fewer say nothing sure."""

_NEAR = 5  # pixels along the edge of the surroundings that tell how bright a place is
_FEWEST_NEAR = 10  # good ones among them


def noise_curve(frames: FrameSet, seed: int = 0) -> Curve:
    """Variance over mean of the counts of neighbouring pixels, at every level of brightness.

    Of four pixels in a row, a - 3 b + 3 c - d has no part of light that bends evenly along them, and of
    Poisson's counts it has the variance of a + 9 b + 9 c + d: a level's value is the sum of the squares over
    the sum of the latter, 1 for counted photons however bright. Where g counts stand for a photon it falls
    to g for many photons, on a course that rounding decides (Janesick 2007, Photon Transfer, SPIE, ch. 5,
    whose curve this is). Fringes 12 pixels apart, of full contrast, add 0.0005 for each count. How bright a
    place is comes from the pixels around the four, so that noise does not choose its level.

    Parameters
    ----------
    frames : FrameSet
        Two or more, as counted: a thinned set shows the noise of thinning.
    seed : int
        Of the bootstrap over frames.

    Returns
    -------
    curve : Curve
        Over the mean counts of a pixel at each level, those of `LEVELS`.

    Raises
    ------
    InputError
        If there is one frame alone.
    """
    require_frames(frames, 2)
    n_levels = LEVELS.size - 1
    squares, means, rows = np.zeros((3, frames.n, n_levels))
    for axis in (0, 1):
        good = frames.good if axis else frames.good.T
        whole = good[:, :-3] & good[:, 1:-2] & good[:, 2:-1] & good[:, 3:]
        n_rest = _around(good.astype(np.float32))[:, 1:-2] - 4
        usable = np.flatnonzero(whole & (n_rest >= _FEWEST_NEAR))
        n_rest = n_rest.ravel()[usable]
        for i, frame in enumerate(frames.counts):
            counts = np.ascontiguousarray(frame if axis else frame.T, np.float32)
            a, b, c, d = counts[:, :-3], counts[:, 1:-2], counts[:, 2:-1], counts[:, 3:]
            rest = (_around(counts)[:, 1:-2] - a - b - c - d).ravel()[usable] / n_rest
            level = np.searchsorted(LEVELS, rest)
            square = ((a - 3 * b + 3 * c - d) ** 2).ravel()[usable]
            mean = (a + 9 * b + 9 * c + d).ravel()[usable]
            for found, weights in ((squares, square), (means, mean), (rows, None)):
                found[i] += np.bincount(level, weights, n_levels + 2)[1:-1]
    drawn = frame_weights(np.random.default_rng(seed), frames.n)
    n_rows, mean = rows.sum(axis=0), means.sum(axis=0)
    return Curve(
        x=_over(mean, 20 * n_rows),
        value=_over(squares.sum(axis=0), mean),
        replicates=_over(drawn @ squares, drawn @ means),
        solid=(n_rows >= ENOUGH_ROWS) & (mean > 0),
    )


def noise_distance(simulated: FrameSet, measured: FrameSet, seed: int = 0) -> Estimate:
    """Relative difference of the noise curves, root mean square over levels."""
    return curve_distance(noise_curve(simulated, seed), noise_curve(measured, seed + 1))


def _around(image: np.ndarray) -> np.ndarray:
    from scipy.ndimage import uniform_filter

    return uniform_filter(image, _NEAR, mode="constant") * np.float32(_NEAR**2)


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
