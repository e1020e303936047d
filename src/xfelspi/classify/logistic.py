"""Logistic regression on features, its regularization chosen by cross-validation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError

from .data import Progress

REGULARIZATIONS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Of scikit-learn's C, the weight of the patterns against that of small coefficients."""

FOLDS = 5

_MOST_STEPS = 500
_DARK = 1e-6  # a feature whose deviation is below this share of the largest says nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Logistic:
    """A linear map from features to the logit of being single.

    Attributes
    ----------
    weight : (d,) float32
    offset : float
    c : float
        Regularization chosen.
    losses : dict of float to float
        For each one tried, the mean loss on patterns not learned from, in nats.
    """

    weight: np.ndarray
    offset: float
    c: float
    losses: dict[float, float]

    def logits(self, features: np.ndarray) -> np.ndarray:
        """(n, d) float32 -> (n,) float32."""
        return (features @ self.weight + np.float32(self.offset)).astype(np.float32)


def fit_logistic(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Logistic:
    """Learn to tell classes apart, both weighing the same, whatever their numbers.

    Features are brought to mean 0 and deviation 1 over the patterns. Of `REGULARIZATIONS`, the one with the
    least loss on patterns left out takes all patterns: five times a fifth of them is left out, fewer times
    where a class has fewer groups.

    Parameters
    ----------
    features : (n, d) float32
        Of patterns.
    labels : (n,) int
        1 single, 0 not.
    groups : (n,) int, optional
        Patterns with the same number are left out together.
    seed : int
        Of who is left out when.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        If a class has fewer than two groups.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.arange(labels.size) if groups is None else groups
    fewest = min(np.unique(groups[labels == label]).size for label in (0, 1))
    if fewest < 2:
        raise InputError(
            f"{labels.size} patterns are too few: to choose a regularization, single hits and others have to "
            "be two or more; add patterns."
        )
    mean = features.mean(0, dtype=float).astype(np.float32)
    shown = features - mean
    deviation = np.sqrt(np.einsum("nd,nd->d", shown, shown, dtype=float) / len(shown))
    is_dark = deviation <= _DARK * deviation.max()
    per_deviation = np.where(is_dark, 0, 1 / np.where(is_dark, 1, deviation)).astype(np.float32)
    shown *= per_deviation

    def fitted(chosen: np.ndarray | slice, c: float, start: LogisticRegression | None) -> LogisticRegression:
        model = start or LogisticRegression(class_weight="balanced", max_iter=_MOST_STEPS, warm_start=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is judged as it is
            return model.set_params(C=c).fit(shown[chosen], labels[chosen])

    n_folds = min(FOLDS, fewest)
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed % 2**32)
    losses = dict.fromkeys(REGULARIZATIONS, 0.0)
    for fold, (learned, left_out) in enumerate(folds.split(shown, labels, groups)):
        model = None
        for step, c in enumerate(REGULARIZATIONS):
            model = fitted(learned, c, model)
            losses[c] += _loss(model.decision_function(shown[left_out]), labels[left_out]) / n_folds
            if progress is not None:
                done = fold * len(REGULARIZATIONS) + step + 1
                progress("logistic regression", done / (n_folds * len(REGULARIZATIONS) + 1))
    c = min(losses, key=lambda tried: losses[tried])
    model = fitted(slice(None), c, None)
    if progress is not None:
        progress("logistic regression", 1.0)
    weight = (model.coef_[0] * per_deviation).astype(np.float32)
    return Logistic(
        weight=weight,
        offset=float(model.intercept_[0] - weight.astype(float) @ mean),
        c=c,
        losses=losses,
    )


def _loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Cross entropy, both classes weighing the same; a class that is not there has no say."""
    loss = np.logaddexp(0, np.where(labels == 1, -logits, logits))
    return float(np.mean([loss[labels == label].mean() for label in np.unique(labels)]))
