"""Whether probabilities mean what they say: how often that happened which was given a chance of p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .intervals import wilson
from .scores import Metric

N_BINS = 15
"""Bins of equal mass; fewer where they would hold less than `PER_BIN` patterns."""

PER_BIN = 25

_DRAWS = 4000


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """Probabilities and what came of them, in bins of rising probability.

    Attributes
    ----------
    predicted : (b,) float64
        Mean probability of being single.
    observed : (b,) float64
        Share of singles.
    interval : (b, 2) float64
        Of the share, 95 %: Wilson's of the singles among the bin's patterns, brought to the prior.
    mass : (b,) float64
        Share of the shots in the bin; about the same in all of them.
    deviation : (b,) float64
        Standard deviation of the share.
    """

    predicted: np.ndarray
    observed: np.ndarray
    interval: np.ndarray
    mass: np.ndarray
    deviation: np.ndarray


def reliability(probabilities: np.ndarray, labels: np.ndarray, prior: float = 0.5) -> Reliability:
    """Sort patterns into bins by their probability of being single, and count the singles in each.

    Parameters
    ----------
    probabilities : (n,) float
        Of being single, where a share `prior` of all shots is.
    labels : (n,) int
        1 single, 0 not; there must be both.
    prior : float
        Classes are weighted so that singles have this share, whatever it is among these patterns: they were
        drawn to test the model, the probabilities speak of another population.
    """
    single = labels == 1
    of_single, of_other = prior / single.sum(), (1 - prior) / (~single).sum()
    weight = np.where(single, of_single, of_other)
    bins = _bins(probabilities, weight)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(bins, values)

    def at_prior(share: np.ndarray) -> np.ndarray:
        """Share of singles among the bin's patterns -> among shots: odds change by the classes' weights."""
        return of_single * share / (of_single * share + of_other * (1 - share))

    n, k = np.bincount(bins), np.bincount(bins, single)
    smoothed = (k + 0.5) / (n + 1)  # Jeffreys: no event seen is not no event possible
    slope = of_single * of_other / (of_single * smoothed + of_other * (1 - smoothed)) ** 2  # of `at_prior`
    mass = total(weight)
    return Reliability(
        predicted=total(weight * probabilities) / mass,
        observed=at_prior(k / n),
        interval=at_prior(np.array([wilson(int(a), int(b)) for a, b in zip(k, n, strict=True)])),
        mass=mass,
        deviation=slope * np.sqrt(smoothed * (1 - smoothed) / n),
    )


def _bins(probabilities: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sort into as many bins of equal mass as have `PER_BIN` patterns each; equal ones stay together."""
    order = np.argsort(probabilities, kind="stable")
    mass = np.cumsum(weight[order])
    for n_bins in range(N_BINS, 1, -1):
        reached = np.searchsorted(mass, np.arange(1, n_bins) / n_bins)
        edges = np.unique(probabilities[order][np.minimum(reached, order.size - 1)])
        _, bins = np.unique(np.searchsorted(edges, probabilities), return_inverse=True)
        if np.bincount(bins).min() >= PER_BIN:
            return bins
    return np.zeros(probabilities.size, int)


def expected_calibration_error(found: Reliability) -> Metric:
    """Mean distance between the probability given and the share observed, over bins of equal mass.

    Counted plainly, the distances of a perfect forecast would be those of its noise. The mean excess that
    noise adds to each is taken off (Kumar, Liang & Ma 2019, NeurIPS 32, for a normal distribution). The
    interval of 95 % holds by the triangle inequality: the error is no farther from what was counted than the
    mean size of the noise, and that is above its 95th percentile in one of twenty cases. It is wider than it
    need be where the error is large.

    Examples
    --------
    A coin that is called heads with 70 %:

    >>> coin = reliability(np.full(1000, 0.7), np.arange(1000) % 2)
    >>> error, (low, high) = expected_calibration_error(coin)
    >>> round(error, 3), round(low, 3), round(high, 3)
    (0.2, 0.169, 0.231)
    """
    from scipy.special import erf

    gap, sigma = np.abs(found.predicted - found.observed), found.deviation
    counted = float(found.mass @ gap)
    folded = sigma * np.sqrt(2 / np.pi) * np.exp(-0.5 * (gap / sigma) ** 2) + gap * erf(
        gap / sigma / np.sqrt(2)
    )
    value = max(0.0, counted - float(found.mass @ (folded - gap)))
    noise = np.abs(np.random.default_rng(0).standard_normal((_DRAWS, gap.size))) * sigma
    most = float(np.quantile(noise @ found.mass, 0.95))
    return Metric(value, (max(0.0, counted - most), min(1.0, counted + most)))
