"""Scores of a poster study, and of classifiers that look at nothing: what others are to be measured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xfelspi.classify import Thresholds, evaluate
from xfelspi.classify.scores import WANTED_FPR

from .matrix import Mean, over_rows
from .poster_work import Judged

SCORES = ("accuracy", "balanced_accuracy", "auc", "fnr", "fpr")

_AT_ZERO = Thresholds(balanced=0.0, at_fpr=dict.fromkeys(WANTED_FPR, 0.0), negatives=np.zeros(1, np.float32))


def means(judged: Sequence[Judged]) -> dict[str, Mean]:
    """Return the scores over seeds: mean, least and most, and the interval for the choice of patterns."""
    return over_rows([row(one) for one in judged])


def row(judged: Judged) -> dict[str, Any]:
    """Return accuracy, balanced accuracy, area, false negatives and false positives, with intervals."""
    scores = evaluate(judged.above, judged.labels, None, _AT_ZERO).row("", None)
    return {name: scores[name] for score in SCORES for name in (score, f"{score}_ci")}


def pooled(parts: Sequence[Judged]) -> Judged:
    """Put together what several classifiers said about patterns of their own.

    Each has its own threshold, above which its logits are taken; so areas over all of them hold as far as the
    classifiers' scales agree.
    """
    return Judged(
        above=np.concatenate([part.above for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )


def majority(labels: np.ndarray) -> Judged:
    """Return what calls all patterns by the name of the most of them."""
    answer = 1.0 if 2 * np.count_nonzero(labels == 1) >= labels.size else -1.0
    return Judged(above=np.full(labels.size, answer, np.float32), labels=labels)


class Counts(NamedTuple):
    """A classifier that knows nothing but the photons of a frame: those beyond `cut` are single.

    Attributes
    ----------
    sign : float
        1 where bright frames are single, -1 where dim ones are.
    cut : float
        Natural logarithm of the photons.
    """

    sign: float
    cut: float

    def judge(self, counts: np.ndarray, labels: np.ndarray) -> Judged:
        """Judge frames by their photons."""
        return Judged(above=(self.sign * (_log(counts) - self.cut)).astype(np.float32), labels=labels)


def learn_counts(counts: np.ndarray, labels: np.ndarray) -> Counts:
    """Choose the cut that parts the classes best, both weighing the same.

    Examples
    --------
    >>> learn_counts(np.array([10.0, 20.0, 90.0, 80.0]), np.array([1, 1, 0, 0])).sign
    -1.0
    """
    order = np.argsort(counts, kind="stable")
    values, single = _log(counts[order]), labels[order] == 1
    # Of each class, the share at or below each value: their difference is what a cut there gains.
    gains = np.cumsum(~single) / max((~single).sum(), 1) - np.cumsum(single) / max(single.sum(), 1)
    last_of_equals = np.append(np.diff(values) > 0, True)
    gains = np.where(last_of_equals, gains, 0.0)
    best = int(np.argmax(np.abs(gains)))
    above = values[min(best + 1, values.size - 1)]
    return Counts(sign=1.0 if gains[best] >= 0 else -1.0, cut=float((values[best] + above) / 2))


def _log(counts: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(counts, 1.0))
