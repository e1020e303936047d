"""How large the particles of many frames look, in the median over those that tell."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .sphere import SphereFit

TOLD = 0.15
"""Relative error up to which a frame tells how large its particles look: single hits are at a third of that,
blanks and flat light beyond."""

MISSES = 0.84
"""Quantile of the light of misses, where there are more of them than of frames that tell."""


class Looks(NamedTuple):
    """Which of some frames tell how large their particles look, and how large that is."""

    told: np.ndarray
    """(n,) bool"""
    phase: float
    """Median of the wave's turn from pixel to pixel at the particles' edge, in rad; NaN where none tells."""


def looks_of(counts: np.ndarray, good: np.ndarray, centre_yx: tuple[float, float]) -> Looks:
    """Tell how large particles look, see `SphereFit`; several lie under the envelope of one.

    Of blanks some look like particles by chance. Where most frames do not tell, they are misses, and what is
    no brighter than most of these tells nothing either.

    Parameters
    ----------
    counts : (n, ny, nx)
        Frames, 0 where they are not good.
    good : (ny, nx) bool
        Pixels that were measured.
    centre_yx : (float, float)
        Where the beam crosses the frames.
    """
    fit = SphereFit(good, centre_yx)(counts)
    told = fit.bounded & (fit.relative_error <= TOLD)
    if 0.0 < told.mean() < 0.5:
        totals = counts.sum(axis=(1, 2), dtype=np.float64)
        brighter = told & (totals > np.quantile(totals[~told], MISSES))
        told = brighter if brighter.any() else told
    return Looks(told, float(np.median(fit.phase[told])) if told.any() else math.nan)
