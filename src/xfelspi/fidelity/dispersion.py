"""Index of dispersion: how much the frames differ, pixel by pixel, beyond Poisson noise."""

from __future__ import annotations

import numpy as np

from .curve import Curve, Estimate, curve_distance, frame_weights
from .frames import FrameSet, require_frames
from .profile import ENOUGH_PHOTONS
from .rings import Rings


def dispersion_curve(frames: FrameSet, seed: int = 0) -> Curve:
    """Variance over mean of every pixel over the frames, in rings about the centre.

    Frames are first brought to the mean total T, k_i → k_i T / N_i, so that bright and dim are no
    difference. A ring's value is the sum of its pixels' variances (unbiased) over the sum of their means:
    1 for Poisson noise about one pattern, if all N_i are alike; orientation, shape and light that change
    from frame to frame add to it, in proportion to T. Compare sets at a common total (`thinned`).

    Parameters
    ----------
    frames : FrameSet
        Three lit frames or more.
    seed : int
        Of the bootstrap over frames.

    Returns
    -------
    curve : Curve
        Over the radius in pixels.

    Raises
    ------
    InputError
        If fewer than three frames hold photons.

    References
    ----------
    Cox & Lewis (1966), The Statistical Analysis of Series of Events, ch. 6.
    """
    require_frames(frames := frames.lit(), 3)
    n, rings, totals = frames.n, Rings(frames), frames.totals
    scale = (totals.mean() / totals).astype(np.float32)[:, None]
    counts = rings.pixels(frames.counts)
    pixels = counts * scale
    first = rings.sums(pixels)
    second = rings.sums(pixels**2)

    def dispersion(weights: np.ndarray) -> np.ndarray:
        of_means = rings.sums((weights.astype(np.float32) @ pixels) ** 2)
        mean = weights @ first
        variance = np.maximum(weights @ second - of_means, 0)
        return np.divide(variance, mean, out=np.zeros_like(mean), where=mean > 0)

    # The plain variance of n frames is too small by 1 - 1 / n, that of n - 1 drawn from them by
    # 1 - 1 / (n - 1) more.
    drawn = frame_weights(np.random.default_rng(seed), n)
    return Curve(
        x=rings.radius,
        value=dispersion(np.full((1, n), 1 / n))[0] * n / (n - 1),
        replicates=dispersion(drawn) * n / (n - 1) * (n - 1) / (n - 2),
        solid=rings.sums(counts).sum(axis=0) >= ENOUGH_PHOTONS,
    )


def dispersion_distance(simulated: FrameSet, measured: FrameSet, seed: int = 0) -> Estimate:
    """Relative difference of the dispersion curves, root mean square over rings."""
    return curve_distance(dispersion_curve(simulated, seed), dispersion_curve(measured, seed + 1))
