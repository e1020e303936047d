"""How often a single outscores another: areas under the curve over several seeds, differences, matched pairs.

All are means over pairs (single, other) of how often the single stands above, weighted shot by shot. Shots
are redrawn for the intervals, pairs are not: a shot that is in many pairs is still one shot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xfelspi.classify.intervals import wilson

NEAREST = 3
"""Others that each single is paired with at most, those of nearest counts."""

RATIO = 1.5
"""Of the counts in a pair, the larger over the smaller, at most."""

_REPLICATES = 2000
_SEED = 0  # the same scores give the same interval


class Share(NamedTuple):
    """A mean over pairs and its interval of 95 %."""

    value: float
    low: float
    high: float


def wins(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How often each single outscores each other, over all seeds; ties count half.

    Parameters
    ----------
    scores : (n,) or (seeds, n)
        Higher means more like a single.
    labels : (n,) int
        1 single, 0 not; others are left out.

    Returns
    -------
    wins : (singles, others) float32
        Between 0 and 1.

    Examples
    --------
    >>> wins(np.array([2.0, 1.0, 3.0, 2.0]), np.array([1, 0, 0, 0])).tolist()
    [[1.0, 0.0, 0.5]]
    """
    seeds = np.atleast_2d(scores)
    total = np.zeros(((labels == 1).sum(), (labels == 0).sum()), np.float32)
    for row in seeds:
        single, other = row[labels == 1][:, None], row[labels == 0][None, :]
        total += (single > other) + np.float32(0.5) * (single == other)
    return total / np.float32(len(seeds))


def share(wins: np.ndarray, pairs: np.ndarray | None = None) -> Share | None:
    """Mean of `wins` over pairs, with its interval.

    Bayesian bootstrap over singles and others (Rubin 1981, Ann. Stat. 9, 130). Where all pairs say the same,
    the bound is Wilson's for the shots of the smaller class, of which none stood on the wrong side.

    Parameters
    ----------
    wins : (singles, others)
        From `wins`.
    pairs : (singles, others) bool, optional
        Which pairs count; all without.

    Returns
    -------
    share : Share or None
        None without a pair.

    Examples
    --------
    >>> share(np.array([[1.0, 0.0], [1.0, 1.0]])).value
    0.75
    """
    chosen = np.ones(wins.shape, np.float32) if pairs is None else pairs.astype(np.float32)
    n_pairs = chosen.sum()
    if n_pairs == 0:
        return None
    won = wins * chosen
    value = float(won.sum(dtype=float) / n_pairs)
    if np.all(wins[chosen > 0] == value):  # apart one way or the other, or all tied
        unseen = wilson(0, int(min(chosen.any(axis=1).sum(), chosen.any(axis=0).sum())))[1]
        return Share(value, value * (1 - unseen), value + (1 - value) * unseen)
    return Share(value, *_interval(won, chosen))


def difference(above: np.ndarray, below: np.ndarray) -> Share:
    """Area of one model minus that of another, shots redrawn for both together.

    Parameters
    ----------
    above, below : (singles, others)
        From `wins`, of the same shots.
    """
    apart = above - below
    if not apart.any():  # as for `share`: shots that were not seen may tell them apart
        unseen = wilson(0, min(apart.shape))[1]
        return Share(0.0, -unseen, unseen)
    return Share(float(apart.mean(dtype=float)), *_interval(apart, np.ones_like(apart)))


def _interval(won: np.ndarray, chosen: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(_SEED)
    of_single = rng.standard_exponential((_REPLICATES, won.shape[0])).astype(np.float32)
    of_other = rng.standard_exponential((_REPLICATES, won.shape[1])).astype(np.float32)
    weighed = ((of_single @ won) * of_other).sum(axis=1)
    weight = ((of_single @ chosen) * of_other).sum(axis=1)
    low, high = np.quantile(weighed / weight, (0.025, 0.975))
    return float(low), float(high)


def matched_pairs(
    counts: np.ndarray, labels: np.ndarray, *, nearest: int = NEAREST, ratio: float = RATIO
) -> np.ndarray:
    """Pair each single with the others of nearest total counts, none further than `ratio`.

    Parameters
    ----------
    counts : (n,)
        Photons of each shot.
    labels : (n,) int
        1 single, 0 not; others are left out.
    nearest : int
        Others for each single, at most.
    ratio : float
        Of the larger count of a pair over the smaller, at most.

    Returns
    -------
    pairs : (singles, others) bool

    Examples
    --------
    >>> matched_pairs(np.array([100.0, 90.0, 400.0]), np.array([1, 0, 0])).tolist()
    [[True, False]]
    """
    log = np.log(np.maximum(counts, 1.0).astype(float))
    apart = np.abs(log[labels == 1][:, None] - log[labels == 0][None, :])
    rank = apart.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return (rank < nearest) & (apart <= np.log(ratio))


def brightness(scores: np.ndarray, counts: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Say what total counts alone would give, and what is left of the scores at equal counts.

    Parameters
    ----------
    scores : (n,) or (seeds, n)
        Of a model, or of several seeds of it.
    counts : (n,)
        Photons of each shot.
    labels : (n,) int
        1 single, 0 not; others are left out.

    Returns
    -------
    facts : dict
        `counts` and `ours`: AUC as [value, low, high]; `counts_matched` and `ours_matched`: the same
        within the pairs of `matched_pairs`, None without one; `n_singles` and `n_pairs` of these.
        That `counts_matched` is near one half shows that the pairs are matched.
    """
    pairs = matched_pairs(counts, labels)
    by_counts, by_scores = wins(counts, labels), wins(scores, labels)
    return {
        "counts": share(by_counts),
        "ours": share(by_scores),
        "counts_matched": share(by_counts, pairs),
        "ours_matched": share(by_scores, pairs),
        "n_singles": int(pairs.any(axis=1).sum()),
        "n_pairs": int(pairs.sum()),
        "nearest": NEAREST,
        "ratio": RATIO,
    }
