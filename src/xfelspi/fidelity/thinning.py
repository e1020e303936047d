"""The same number of photons in every frame, so that brightness is no cue."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from xfelspi.errors import InputError

from .frames import FrameSet

FEWEST_PHOTONS = 100
"""Of a frame whose shape is compared."""


def common_total(*sets: FrameSet) -> int:
    """Photons that nearly all frames have: the least 5 % quantile of the sets, `FEWEST_PHOTONS` or more.

    The quantile, not the minimum: one almost empty frame would leave nothing to compare.

    Raises
    ------
    InputError
        If no frame of a set has `FEWEST_PHOTONS` photons.
    """
    brightest = min(frames.totals.max() for frames in sets)
    if brightest < FEWEST_PHOTONS:
        raise InputError(
            f"No frame of a set has more than {brightest:.0f} photons on good pixels; {FEWEST_PHOTONS} are "
            "needed to compare shapes."
        )
    least = min(float(np.quantile(frames.totals, 0.05)) for frames in sets)
    return max(FEWEST_PHOTONS, math.floor(least))


def thinned(frames: FrameSet, total: int, seed: int = 0) -> tuple[FrameSet, np.ndarray]:
    """Keep `total` photons of every frame, drawn without replacement.

    This is binomial thinning with the number of photons kept fixed: exactly `total`, so not even the
    scatter of the totals tells bright from dim. Photons that are not whole are rounded first.

    Parameters
    ----------
    frames : FrameSet
        Photons.
    total : int
        Photons to keep.
    seed : int
        Of the draw.

    Returns
    -------
    thinned : FrameSet
        uint16 frames of `total` photons each.
    kept : (k,) int
        Their indices; frames with fewer photons are left out.

    Raises
    ------
    InputError
        If no frame has as many.

    Examples
    --------
    >>> bright = FrameSet(counts=np.full((2, 8, 8), 9.0), good=np.ones((8, 8), bool), centre_yx=(3.5, 3.5))
    >>> thinned(bright, 100)[0].totals.tolist()
    [100.0, 100.0]
    """
    rng = np.random.default_rng(seed)
    pixels = frames.good.size
    fewer, kept = [], []
    for index, counts in enumerate(frames.counts):
        photons = np.rint(counts.ravel()).astype(np.intp)
        n = int(photons.sum())
        if n >= total:
            place = np.repeat(np.arange(pixels), photons)
            chosen = place[rng.choice(n, total, replace=False, shuffle=False)]
            fewer.append(np.bincount(chosen, minlength=pixels).astype(np.uint16))
            kept.append(index)
    if not kept:
        raise InputError(f"No frame has {total} photons on good pixels; compare at fewer.")
    return replace(frames, counts=np.reshape(fewer, (-1, *frames.good.shape))), np.array(kept)
