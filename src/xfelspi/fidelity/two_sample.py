"""A small classifier that tries to tell simulated from measured frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .curve import REPLICATES, Estimate
from .kernel import require_features

MAX_FEATURES = 12
"""More are reduced to `COMPONENTS` principal components: few frames would be told apart by chance."""

COMPONENTS = 8
FOLDS, REPEATS, PERMUTATIONS = 5, 10, 100
_FARTHEST = 4.0  # standard deviations: one odd frame must not be the whole fit
_AT_ONCE = 2_000_000  # weights in memory


class TwoSample(NamedTuple):
    """How well the sets can be told apart."""

    auc: Estimate
    """Area under the ROC curve over held-out frames; 0.5 = cannot be told apart, 1 = always."""
    chance: tuple[float, float]
    """95 % of the areas when the frames' origins are shuffled."""


def two_sample_test(simulated: np.ndarray, measured: np.ndarray, seed: int = 0) -> TwoSample:
    """Classifier two-sample test: logistic regression, cross-validated.

    Features are standardized, cut at ± 4, and if there are more than `MAX_FEATURES`, reduced to their
    first `COMPONENTS` principal components; the origins take no part in that. Logistic regression
    (ridge ½ |β|², both sets of equal weight whatever their sizes) is trained on four fifths of either set
    and scores the fifth held out, for ten ways to cut the sets. The area is the share of pairs, one frame
    of either set, in which the simulated one scores higher, over pairs held out together. Pairs of
    different fifths are not counted: a frame held out shifts the mean of its set in the training the
    other way, which puts the area of equal sets below 0.5.

    The interval is a bootstrap over frames of both sets with the scores kept (Bayesian: Rubin 1981,
    Ann. Stat. 9, 130). `chance` repeats everything with origins shuffled.

    Parameters
    ----------
    simulated, measured : (n, d), (m, d)
        Features of each frame.
    seed : int
        Of folds, bootstrap and shuffles.

    Raises
    ------
    InputError
        As `kernel_distance`.

    References
    ----------
    Lopez-Paz & Oquab (2017), ICLR, arXiv:1610.06545; Airola et al. (2011), Comput. Stat. Data Anal. 55,
    1828, for areas over pairs held out together.
    """
    x, y = require_features(simulated, measured)
    rng = np.random.default_rng(seed)
    n, m = len(x), len(y)
    features = _prepare(np.vstack([x, y]), np.r_[np.full(n, 0.5 / n), np.full(m, 0.5 / m)])
    wins, pairs = _held_out_pairs(features, np.arange(n + m) < n, rng, REPEATS)
    auc = _interval(wins, pairs, rng)
    shuffled = []
    for _ in range(PERMUTATIONS):
        is_first = rng.permutation(n + m) < n
        won, met = _held_out_pairs(features, is_first, rng, REPEATS)
        shuffled.append(won.sum() / met.sum())
    low, high = np.quantile(shuffled, [0.025, 0.975])
    return TwoSample(auc, (float(low), float(high)))


def _prepare(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Standardized features with a column of ones: (n, d + 1)."""
    features = _standardized(features, weights)
    if features.shape[1] > MAX_FEATURES:
        _, _, axes = np.linalg.svd(features * np.sqrt(weights)[:, None], full_matrices=False)
        features = _standardized(features @ axes[:COMPONENTS].T, weights)
    return np.column_stack([np.clip(features, -_FARTHEST, _FARTHEST), np.ones(len(features))])


def _standardized(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    features = features - weights @ features
    deviation = np.sqrt(weights @ features**2)
    return features / np.where(deviation > 1e-9 * max(1e-300, deviation.max()), deviation, np.inf)


def _held_out_pairs(
    features: np.ndarray, is_first: np.ndarray, rng: np.random.Generator, repeats: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each frame of the first set outscored each of the second, and how often they met."""
    first, second = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    fold = np.empty((repeats, is_first.size), int)
    for folds in fold:
        for members in (first, second):
            folds[members] = rng.permutation(np.arange(members.size) % FOLDS)
    held_out = fold[:, None] == np.arange(FOLDS)[:, None]  # (repeats, folds, frames)
    scores = np.empty(held_out.shape)
    for cut in range(repeats):
        scores[cut] = _fit(features, is_first, ~held_out[cut]) @ features.T
    wins = np.zeros((first.size, second.size))
    pairs = np.zeros_like(wins)
    for cut in range(repeats):
        for k in range(FOLDS):
            a, b = (np.flatnonzero(held_out[cut, k, members]) for members in (first, second))
            score_a, score_b = scores[cut, k, first[a]][:, None], scores[cut, k, second[b]]
            wins[np.ix_(a, b)] += (score_a > score_b) + 0.5 * (score_a == score_b)
            pairs[np.ix_(a, b)] += 1
    return wins, pairs


def _fit(features: np.ndarray, is_first: np.ndarray, trained_on: np.ndarray) -> np.ndarray:
    """Logistic regressions, one for each row of `trained_on`: coefficients (k, d).

    Newton's method; both classes weigh as much as the smaller one has frames. The last feature is the
    constant, without a ridge.
    """
    n_first = np.maximum(1, (trained_on & is_first).sum(axis=1, keepdims=True))
    n_second = np.maximum(1, (trained_on & ~is_first).sum(axis=1, keepdims=True))
    weights = trained_on * np.minimum(n_first, n_second) / np.where(is_first, n_first, n_second)
    d = features.shape[1]
    outer = (features[:, :, None] * features[:, None, :]).reshape(len(features), -1)
    ridge = np.diag(np.r_[np.ones(d - 1), 1e-6])
    beta = np.zeros((len(trained_on), d))
    for _ in range(8):
        expected = 1 / (1 + np.exp(-np.clip(beta @ features.T, -30, 30)))
        gradient = (weights * (is_first - expected)) @ features - beta @ ridge
        hessian = ((weights * expected * (1 - expected)) @ outer).reshape(-1, d, d) + ridge
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        beta += step * np.minimum(1, 4 / np.maximum(1e-12, np.abs(step).max(axis=1, keepdims=True)))
    return beta


def _interval(wins: np.ndarray, pairs: np.ndarray, rng: np.random.Generator) -> Estimate:
    value = float(wins.sum() / pairs.sum())
    n, m = wins.shape
    unseen = 1 - 0.025 ** (1 / min(n, m))  # a share of either set that would not have shown among so few
    if value in (0.0, 1.0):
        return Estimate(value, max(0.0, value - unseen), min(1.0, value + unseen))
    of_first, of_second = rng.standard_exponential((REPLICATES, n)), rng.standard_exponential((REPLICATES, m))
    areas = ((of_first @ wins) * of_second).sum(axis=1) / ((of_first @ pairs) * of_second).sum(axis=1)
    low, high = np.quantile(areas, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value))
