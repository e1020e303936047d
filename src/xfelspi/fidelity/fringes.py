"""Fringe visibility: how dark the darkest ring is, beside the bright one outside it."""

from __future__ import annotations

import numpy as np

from .frames import FrameSet
from .rings import Rings


def fringe_visibility(frames: FrameSet, seed: int = 0) -> np.ndarray:
    """Visibility of the clearest dark ring of every frame.

    V = (I_max - I_min) / (I_max + I_min) (Michelson; Born & Wolf, Principles of Optics, 7.3.4), where I_min
    is the mean of a ring and I_max that of a ring farther out: without fringes light only falls off, and V
    is 0 or less. The two rings are those whose rise is the clearest against Poisson noise,
    (I_max - I_min) / sqrt(I_max / n_max + I_min / n_min) over n pixels.

    The brightest and the darkest of noisy rings always differ, so with rings chosen and measured on the
    same photons V would be far above 0 for a flat frame. So every ring's photons are split in two by
    coin toss, which makes two independent Poisson counts; one half chooses the rings, the other measures,
    and the other way round. V is then right for the rings chosen; in dim frames a less than best choice
    makes it smaller, never larger. Photons that are not whole are rounded, ring by ring.

    Parameters
    ----------
    frames : FrameSet
        Any number of frames.
    seed : int
        Of the coin toss.

    Returns
    -------
    visibility : (n,) float64
        Mean of the two halves; 0 where a half has no photons.
    """
    rings = Rings(frames)
    filled = rings.n_pixels > 0
    n_pixels = rings.n_pixels[filled]
    photons = np.rint(rings.sums(rings.pixels(frames.counts))[:, filled]).astype(np.int64)
    heads = np.random.default_rng(seed).binomial(photons, 0.5)
    halves = heads / n_pixels, (photons - heads) / n_pixels
    return (_visibility(*halves, n_pixels) + _visibility(*halves[::-1], n_pixels)) / 2


def _visibility(choosing: np.ndarray, measuring: np.ndarray, n_pixels: np.ndarray) -> np.ndarray:
    dark, bright = np.triu_indices(n_pixels.size, 1)
    if dark.size == 0:
        return np.zeros(choosing.shape[0])
    found = np.zeros(choosing.shape[0])
    # A photon more in either ring: two empty rings make no rise, one photon no sure one.
    noise = (choosing + 1 / n_pixels) / n_pixels
    for index, (means, variance) in enumerate(zip(choosing, noise, strict=True)):
        rise = (means[bright] - means[dark]) / np.sqrt(variance[bright] + variance[dark])
        best = np.argmax(rise)
        low, high = measuring[index, dark[best]], measuring[index, bright[best]]
        if high + low > 0:
            found[index] = (high - low) / (high + low)
    return found
