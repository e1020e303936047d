"""How sure a rate or an area is: intervals of 95 %."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Interval = tuple[float, float]

_Z = 1.959_963_984_540_054  # two-sided 95 % of a normal distribution
_REPLICATES = 1000
_SEED = 0  # the same logits give the same interval
_AT_ONCE = 4_000_000  # weights in memory
_ONE_BY_ONE = 20_000  # scores; of more, neighbours share a cell
_CELLS = 512


def wilson(k: int, n: int) -> Interval:
    """Interval of a rate of which k of n were seen (Wilson 1927, J. Am. Stat. Assoc. 22, 209).

    Examples
    --------
    No event in a thousand bounds the rate below 0.38 %:

    >>> [round(edge, 5) for edge in wilson(0, 1000)]
    [0.0, 0.00383]
    """
    rate, z2 = k / n, _Z**2
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return (0.0 if k == 0 else max(0.0, middle - half), 1.0 if k == n else min(1.0, middle + half))


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive's score exceeds a negative's, ties counting half.

    Examples
    --------
    >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * negative.size))


def auc_interval(positive: np.ndarray, negative: np.ndarray) -> Interval:
    """Interval of the area under the curve: Bayesian bootstrap over both classes.

    Rubin (1981), Ann. Stat. 9, 130: every score gets an exponential weight instead of a count. When the
    classes are apart, or all scores one, replicates all say the same; then the bound is that of a share of
    either class standing elsewhere, of which none was seen.

    The weights of neighbours add up to a gamma distributed one, so more than some thousands of scores are
    resampled in cells, each with the share of wins inside that was counted.
    """
    order = np.sort(negative)
    low = np.searchsorted(order, positive, "left")
    high = np.searchsorted(order, positive, "right")

    def area(rng: np.random.Generator, k: int) -> np.ndarray:
        of_positive = rng.standard_exponential((k, positive.size))
        of_negative = rng.standard_exponential((k, negative.size))
        below = np.zeros((k, negative.size + 1))
        np.cumsum(of_negative, axis=1, out=below[:, 1:])
        wins = ((below[:, low] + below[:, high]) * of_positive).sum(axis=1)
        return wins / (2 * below[:, -1] * of_positive.sum(axis=1))

    unseen = wilson(0, min(positive.size, negative.size))[1]
    if low.min() == negative.size:
        return 1 - unseen, 1.0
    if high.max() == 0:
        return 0.0, unseen
    if low.max() == 0 and high.min() == negative.size:  # all scores are the same
        return 0.5 - unseen / 2, 0.5 + unseen / 2
    if positive.size + negative.size > _ONE_BY_ONE:
        return _percentiles(_area_in_cells(positive, order, (low + high) / 2), 2 * _CELLS)
    return _percentiles(area, positive.size + negative.size)


def _area_in_cells(
    positive: np.ndarray, negative: np.ndarray, wins: np.ndarray
) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return what draws areas from scores sorted into cells; `wins` are the negatives below each positive."""
    scores = np.sort(np.concatenate([positive, negative]))  # frames without a photon have -inf
    edges = scores[np.linspace(0, scores.size - 1, _CELLS + 1)[1:-1].astype(int)]
    cell = np.searchsorted(edges, positive, "left")  # equal scores share a cell
    n_positive = np.bincount(cell, minlength=_CELLS)
    n_negative = np.bincount(np.searchsorted(edges, negative, "left"), minlength=_CELLS)
    before = np.cumsum(n_negative) - n_negative
    inside = np.bincount(cell, weights=wins - before[cell], minlength=_CELLS)
    share = inside / np.maximum(n_positive * n_negative, 1)

    def area(rng: np.random.Generator, k: int) -> np.ndarray:
        of_positive = rng.standard_gamma(n_positive, (k, _CELLS))
        of_negative = rng.standard_gamma(n_negative, (k, _CELLS))
        below = np.cumsum(of_negative, axis=1) - (1 - share) * of_negative
        return (below * of_positive).sum(axis=1) / (of_positive.sum(axis=1) * of_negative.sum(axis=1))

    return area


def balanced_interval(wrong: tuple[int, int], n: tuple[int, int]) -> Interval:
    """Interval of the balanced accuracy from the errors in either class.

    Newcombe (1998), Stat. Med. 17, 873, method 10, for the mean of two rates instead of their difference.
    A bootstrap would give no width at all where no error was seen.
    """
    rates = [1 - k / m for k, m in zip(wrong, n, strict=True)]
    edges = [wilson(m - k, m) for k, m in zip(wrong, n, strict=True)]
    middle = sum(rates) / 2
    down = math.hypot(*(rate - edge[0] for rate, edge in zip(rates, edges, strict=True))) / 2
    up = math.hypot(*(edge[1] - rate for rate, edge in zip(rates, edges, strict=True))) / 2
    return max(0.0, middle - down), min(1.0, middle + up)


def miss_interval(positive: np.ndarray, negative: np.ndarray, wanted_fpr: float) -> Interval:
    """Interval of the share of positives at or below a threshold that the negatives set.

    Both the threshold, the value that a share `wanted_fpr` of the negatives exceeds, and the share below it
    are redrawn: the negatives by a bootstrap, the share from its distribution given what was counted
    (beta, Jeffreys' prior), which has a width also where nothing was missed.
    """
    order, singles = np.sort(negative), np.sort(positive)

    def missed(rng: np.random.Generator, k: int) -> np.ndarray:
        # The sample of n sorted values, resampled: its quantile is one of them, chosen as the rank of a beta.
        n_above = allowed_false_positives(order.size, wanted_fpr)
        rank = order.size * rng.beta(order.size - n_above, n_above + 1, k)
        threshold = order[np.minimum(rank.astype(int), order.size - 1)]
        below = np.searchsorted(singles, threshold, "right")
        return rng.beta(below + 0.5, singles.size - below + 0.5)

    return _percentiles(missed, 1)


def kept_intervals(
    singles: tuple[int, int], others: tuple[int, int], prior: float
) -> tuple[Interval, Interval]:
    """Intervals of the share of shots kept, and of the share of singles among these.

    Parameters
    ----------
    singles, others : (k, n)
        How many of how many were kept; either rate is redrawn from its distribution given these counts (beta,
        Jeffreys' prior).
    prior : float
        Share of single hits among all shots.

    Examples
    --------
    No false positive in a thousand, but where 3 % are singles that does not make all of those kept singles:

    >>> share, precision = kept_intervals((950, 1000), (0, 1000), 0.03)
    >>> [round(edge, 3) for edge in precision]
    [0.915, 1.0]
    """
    rng = np.random.default_rng(_SEED)
    single, other = (rng.beta(k + 0.5, n - k + 0.5, _REPLICATES) for k, n in (singles, others))
    share = prior * single + (1 - prior) * other
    plain = [k / n for k, n in (singles, others)]
    kept = prior * plain[0] + (1 - prior) * plain[1]
    precision = prior * plain[0] / kept if kept else float((prior * single / share).mean())
    return _around(share, kept), _around(prior * single / share, precision)


def _around(draws: np.ndarray, value: float) -> Interval:
    """Percentiles that hold the value also where it is the edge of what is possible."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return min(float(low), value), max(float(high), value)


def allowed_false_positives(n: int, wanted_fpr: float) -> int:
    """Negatives of n that may stand above a threshold for `wanted_fpr`, rounded down."""
    return math.floor(wanted_fpr * n + 1e-9)


def threshold_at(ordered: np.ndarray, wanted_fpr: float) -> float:
    """Return the least score that no more than a share `wanted_fpr` of ascending negatives exceeds.

    Examples
    --------
    >>> threshold_at(np.arange(100.0), 0.01)
    98.0
    """
    return float(ordered[ordered.size - 1 - allowed_false_positives(ordered.size, wanted_fpr)])


def _percentiles(draw: Callable[[np.random.Generator, int], np.ndarray], width: int) -> Interval:
    rng = np.random.default_rng(_SEED)
    at_once = max(1, min(_REPLICATES, _AT_ONCE // width))
    sizes = [min(at_once, _REPLICATES - done) for done in range(0, _REPLICATES, at_once)]
    low, high = np.quantile(np.concatenate([draw(rng, size) for size in sizes]), [0.025, 0.975])
    return float(low), float(high)
