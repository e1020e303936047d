"""How many photons the pixels hold, and how many the frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .curve import Curve, Estimate, debiased_rms, frame_weights
from .frames import FrameSet, require_frames

_EDGES = np.array([0, 1, 2, 3, *(2**k + 1 for k in range(2, 16))])
BIN_NAMES = ("0", "1", "2", *(f"{low}-{2 * (low - 1)}" for low in _EDGES[3:].tolist()))
"""Photons in a pixel: 0, 1, 2, 3-4, 5-8, 9-16 and so on."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class TotalCounts(NamedTuple):
    """Photons per frame in two sets."""

    simulated: np.ndarray
    """`QUANTILES` of the simulated frames: (5,)."""
    measured: np.ndarray
    """Of the measured frames: (5,)."""
    statistic: Estimate
    """Largest difference of the cumulative distributions (Kolmogorov & Smirnov)."""
    p_value: float
    """Chance of at least this difference if both came from one distribution."""


def photon_histogram(frames: FrameSet, seed: int = 0) -> Curve:
    """Share of the good pixels that hold 0, 1, 2, 3-4, 5-8 ... photons, mean over frames.

    Brightness decides it: thin both sets to a common total (`thinned`) to compare anything else.

    Parameters
    ----------
    frames : FrameSet
        Two frames or more; photons that are not whole are rounded.
    seed : int
        Of the bootstrap over frames.

    Returns
    -------
    curve : Curve
        Over the bins `BIN_NAMES`; `x` is the least number of photons in a bin.

    Raises
    ------
    InputError
        If there are fewer than two frames.
    """
    require_frames(frames, 2)
    bin_of = np.zeros(2**16, np.intp)
    bin_of[_EDGES[1:]] = 1
    bin_of = np.cumsum(bin_of)
    shares = np.empty((frames.n, _EDGES.size))
    for share, counts in zip(shares, frames.counts, strict=True):
        whole = np.minimum(np.rint(counts[frames.good]), 2**16 - 1).astype(np.intp)
        share[:] = np.bincount(bin_of[whole], minlength=_EDGES.size) / whole.size
    weights = frame_weights(np.random.default_rng(seed), frames.n)
    return Curve(
        x=_EDGES.astype(float),
        value=shares.mean(axis=0),
        replicates=weights @ shares,
        solid=np.ones(_EDGES.size, bool),
    )


def histogram_distance(simulated: Curve, measured: Curve) -> Estimate:
    """Hellinger distance of two photon histograms p and q.

    H² = ½ Σ (√p - √q)², from 0 (equal) to 1 (no bin in common). Sampling is taken off, see `debiased_rms`;
    being a sum of squares, H allows that exactly, which Jensen-Shannon's distance does not.

    References
    ----------
    Le Cam & Yang (2000), Asymptotics in Statistics, 2nd ed., ch. 3.
    """
    scale = np.sqrt(simulated.x.size / 2)  # turns a mean over bins into half a sum

    def roots(values: np.ndarray) -> np.ndarray:
        return scale * np.sqrt(np.maximum(values, 0))  # a product of matrices may round below 0

    apart = roots(simulated.value) - roots(measured.value)
    found = debiased_rms(apart, roots(simulated.replicates) - roots(measured.replicates))
    return Estimate(*(min(1.0, edge) for edge in found))


def total_counts(simulated: FrameSet, measured: FrameSet) -> TotalCounts:
    """Compare the photons per frame: quantiles and the two-sample test of Kolmogorov and Smirnov.

    The statistic D is the largest difference of the two cumulative distributions. Its interval,
    D ± 1.358 sqrt(1 / n + 1 / m), has the width of the test's own bound: it contains 0 where the test
    would not tell the sets apart at 5 %.

    References
    ----------
    Smirnov (1948), Ann. Math. Stat. 19, 279.
    """
    from scipy.stats import ks_2samp

    first, second = simulated.totals, measured.totals
    found = ks_2samp(first, second, method="auto")
    value, half = float(found.statistic), 1.358 * np.sqrt(1 / first.size + 1 / second.size)
    return TotalCounts(
        np.quantile(first, QUANTILES),
        np.quantile(second, QUANTILES),
        Estimate(value, float(max(0.0, value - half)), float(min(1.0, value + half))),
        float(found.pvalue),
    )
