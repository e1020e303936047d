"""A small classifier that tries to tell simulated from measured frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .curve import REPLICATES, Estimate
from .kernel import require_features

MAX_FEATURES = 12
"""More are reduced to `COMPONENTS` principal components: few frames would be told apart by chance."""

COMPONENTS = 8
FOLDS, REPEATS, SHUFFLES = 5, 10, 100
_MOST = 250  # frames of either set in one repeat
_FARTHEST = 4.0  # standard deviations: one odd frame must not be the whole fit


class TwoSample(NamedTuple):
    """How well the sets can be told apart."""

    auc: Estimate
    """Area under the ROC curve over held-out frames; 0.5 = cannot be told apart, 1 = always."""
    chance: tuple[float, float]
    """95 % of the areas when the frames' origins are shuffled."""


def two_sample_test(simulated: np.ndarray, measured: np.ndarray, seed: int = 0) -> TwoSample:
    """Classifier two-sample test: logistic regression, cross-validated.

    Ten times, as many frames are drawn of the larger set as the smaller one has, so that both weigh the
    same. Features are standardized, cut at ± 4, and if there are more than `MAX_FEATURES`, reduced to
    their first `COMPONENTS` principal components; the frames' origins take no part in that. Logistic
    regression with a ridge, ½ |β|², is trained on four fifths of either set and scores the fifth held
    out, for each of the five. The area is the share of pairs, one frame of either set, in which the
    simulated one scores higher, over pairs held out together. Pairs of different fifths do not count: a
    frame held out leaves the mean of its own set shifted away from it in the training, which puts the
    area of two equal sets below 0.5.

    `chance` comes from doing all of it again with origins shuffled. The interval is a bootstrap over
    frames of both sets with their scores kept (Bayesian: Rubin 1981, Ann. Stat. 9, 130). That leaves out
    that another training would score otherwise, so it is stretched by as much as the shuffled areas
    scatter more than bootstraps of the first of them do; less towards 0 and 1, where all trainings agree.

    Parameters
    ----------
    simulated, measured : (n, d), (m, d)
        Features of each frame.
    seed : int
        Of draws, folds, bootstrap and shuffles.

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
    features, n, m = np.vstack([x, y]), len(x), len(y)
    wins, met = _held_out_pairs(features, np.arange(n), np.arange(n, n + m), rng)
    shuffled, variances = np.empty(SHUFFLES), []
    for k in range(SHUFFLES):
        order = rng.permutation(n + m)
        won, together = _held_out_pairs(features, order[:n], order[n:], rng)
        shuffled[k] = won.sum() / together.sum()
        if k < SHUFFLES // 5:
            variances.append(_areas(won, together, rng).var())
    low, high = np.quantile(shuffled, [0.025, 0.975])
    stretch = max(1.0, float(shuffled.var() / np.mean(variances)))
    return TwoSample(_interval(wins, met, stretch, rng), (float(low), float(high)))


def _held_out_pairs(
    features: np.ndarray, first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """How often each frame of the first set outscored each of the second, and how often they met."""
    k = min(first.size, second.size, _MOST)
    drawn = [
        np.stack([rng.permutation(members.size)[:k] for _ in range(REPEATS)]) for members in (first, second)
    ]
    frames = np.hstack([first[drawn[0]], second[drawn[1]]])
    fold = np.tile(np.arange(k) % FOLDS, 2)  # the frames are drawn in random order
    prepared = np.stack([_prepared(features[chosen]) for chosen in frames])
    coefficients = _fit(prepared, np.arange(2 * k) < k, fold != np.arange(FOLDS)[:, None])
    scores = (coefficients @ prepared.swapaxes(1, 2))[:, fold, np.arange(2 * k)]
    a, b = scores[:, :k, None], scores[:, None, k:]
    together = fold[:k, None] == fold[None, k:]
    won = ((a > b) + 0.5 * (a == b)) * together
    wins, met = np.zeros((first.size, second.size)), np.zeros((first.size, second.size))
    for repeat in range(REPEATS):
        pairs = np.ix_(drawn[0][repeat], drawn[1][repeat])
        wins[pairs] += won[repeat]
        met[pairs] += together
    return wins, met


def _prepared(features: np.ndarray) -> np.ndarray:
    """Standardized features, few, and a column of ones: (n, d + 1)."""
    features = _standardized(features)
    if features.shape[1] > MAX_FEATURES:
        _, axes = np.linalg.eigh(features.T @ features)
        features = _standardized(features @ axes[:, : -COMPONENTS - 1 : -1])
    return np.column_stack([np.clip(features, -_FARTHEST, _FARTHEST), np.ones(len(features))])


def _standardized(features: np.ndarray) -> np.ndarray:
    deviation = features.std(axis=0)
    varies = deviation > 1e-9 * np.abs(features).max(axis=0)
    return np.where(varies, features - features.mean(axis=0), 0) / np.where(varies, deviation, 1)


def _fit(features: np.ndarray, is_first: np.ndarray, trained_on: np.ndarray) -> np.ndarray:
    """Logistic regressions by Newton's method: coefficients (repeats, folds, d).

    The last feature is the constant and has next to no ridge. Steps are cut at 4, which matters only
    where the sets are apart.
    """
    repeats, n, d = features.shape
    outer = (features[..., :, None] * features[..., None, :]).reshape(repeats, n, d * d)
    ridge = np.diag(np.r_[np.ones(d - 1), 1e-6])
    beta = np.zeros((repeats, len(trained_on), d))
    for _ in range(8):
        expected = 1 / (1 + np.exp(-np.clip(beta @ features.swapaxes(1, 2), -30, 30)))
        gradient = (trained_on * (is_first - expected)) @ features - beta @ ridge
        curvature = (trained_on * expected * (1 - expected)) @ outer
        step = np.linalg.solve(curvature.reshape(*beta.shape, d) + ridge, gradient[..., None])[..., 0]
        beta += step / np.maximum(1, np.abs(step).max(axis=-1, keepdims=True) / 4)
    return beta


def _interval(wins: np.ndarray, met: np.ndarray, stretch: float, rng: np.random.Generator) -> Estimate:
    value = float(wins.sum() / met.sum())
    n, m = wins.shape
    if value in (0.0, 1.0):
        unseen = 1 - 0.025 ** (1 / min(n, m))  # a share of either set that may not show among so few
        return Estimate(value, max(0.0, value - unseen), min(1.0, value + unseen))
    wider = np.sqrt(1 + (stretch - 1) * 4 * value * (1 - value))
    low, high = value + wider * (np.quantile(_areas(wins, met, rng), [0.025, 0.975]) - value)
    return Estimate(value, float(np.clip(low, 0, value)), float(np.clip(high, value, 1)))


def _areas(wins: np.ndarray, met: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Areas with the frames of both sets weighted at random: (`REPLICATES`,)."""
    n, m = wins.shape
    of_first, of_second = rng.standard_exponential((REPLICATES, n)), rng.standard_exponential((REPLICATES, m))
    return ((of_first @ wins) * of_second).sum(axis=1) / ((of_first @ met) * of_second).sum(axis=1)
