"""Radial profile: how the light falls off from the centre."""

from __future__ import annotations

import numpy as np

from .curve import Curve, Estimate, curve_distance, frame_weights
from .frames import FrameSet, on_common_pixels, require_frames
from .rings import Rings

ENOUGH_PHOTONS = 100
"""In a ring, over all frames of a set, for the ring to be compared."""


def profile_curve(frames: FrameSet, seed: int = 0) -> Curve:
    """Mean photons per pixel in rings about the centre, every frame divided by its own total.

    p(r) = mean over frames of [mean over the good pixels of ring r of k] / [sum over good pixels of k], so
    that brightness is no cue. Frames without photons are left out.

    Parameters
    ----------
    frames : FrameSet
        Two lit frames or more.
    seed : int
        Of the bootstrap over frames.

    Returns
    -------
    curve : Curve
        Over the radius in pixels; share of the frame's photons per pixel.

    Raises
    ------
    InputError
        If fewer than two frames hold photons.
    """
    require_frames(frames := frames.lit(), 2)
    rings = Rings(frames)
    sums = rings.sums(rings.pixels(frames.counts))
    profiles = sums / np.maximum(rings.n_pixels, 1) / frames.totals[:, None]
    weights = frame_weights(np.random.default_rng(seed), frames.n)
    return Curve(
        x=rings.radius,
        value=profiles.mean(axis=0),
        replicates=weights @ profiles,
        solid=sums.sum(axis=0) >= ENOUGH_PHOTONS,
    )


def profile_curves(simulated: FrameSet, measured: FrameSet, seed: int = 0) -> tuple[Curve, Curve]:
    """Radial profiles of both sets on the pixels good in both, see `profile_curve`."""
    pair = on_common_pixels(simulated, measured)
    return profile_curve(pair[0], seed), profile_curve(pair[1], seed + 1)


def profile_distance(simulated: FrameSet, measured: FrameSet, seed: int = 0) -> Estimate:
    """Relative difference of the radial profiles, root mean square over rings, see `curve_distance`."""
    return curve_distance(*profile_curves(simulated, measured, seed))
