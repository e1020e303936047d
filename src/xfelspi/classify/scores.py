"""Logits and labels -> scores, each with its interval of 95 %."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .intervals import (
    Interval,
    auc,
    auc_interval,
    balanced_interval,
    miss_interval,
    threshold_at,
    wilson,
)

WANTED_FPR = {"1pct": 0.01, "0p1pct": 0.001}
"""False-positive rates for which a model knows a threshold, by the names they have in scores."""


class Metric(NamedTuple):
    """A value and its interval of 95 %."""

    value: float
    interval: Interval


@dataclass(frozen=True, kw_only=True, eq=False)
class Thresholds:
    """Logits above which a pattern is called single, found on patterns held out from the training.

    Attributes
    ----------
    balanced : float
        The model's own, see `best_balanced`.
    at_fpr : dict of str to float
        For each name of `WANTED_FPR`, the logit that this share of clear multiples exceeds.
    negatives : (k,) float32
        Logits of those clear multiples, which say how sure the thresholds are.
    """

    balanced: float
    at_fpr: dict[str, float]
    negatives: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How a model does on labelled patterns. A metric that the patterns cannot give is None.

    Single is the positive class: a false negative is a single called not single. Metrics whose name ends
    in `_clear` look at singles and clear multiples alone.
    """

    n_single: int
    n_other: int
    n_clear: int | None
    metrics: dict[str, Metric | None]

    def row(self, file: str, shape: str | None) -> dict[str, Any]:
        """Return one JSON-able row: every metric by its name, its interval beside it under `_ci`."""
        row: dict[str, Any] = {
            "file": file,
            "shape": shape,
            "n_single": self.n_single,
            "n_other": self.n_other,
            "n_clear": self.n_clear,
        }
        return row | columns(self.metrics)


def columns(metrics: Mapping[str, Metric | None]) -> dict[str, Any]:
    """Return every metric by its name, its interval beside it under `_ci`; JSON-able."""
    row: dict[str, Any] = {}
    for name, metric in metrics.items():
        row[name] = None if metric is None else metric.value
        row[f"{name}_ci"] = None if metric is None else list(metric.interval)
    return row


def find_thresholds(
    logits: np.ndarray, labels: np.ndarray, clear: np.ndarray, hidden: np.ndarray
) -> Thresholds:
    """Choose thresholds on validation patterns.

    Parameters
    ----------
    logits : (n,) float32
        Logit of being single.
    labels : (n,) int
        1 single, 0 not.
    clear : (n,) bool
        Clear multiples: the rates are theirs, or those of all that is not single where there are none. Of an
        unknown shape nothing tells a droplet from a sphere, or residue on a particle from a particle of
        another shape.
    hidden : (n,) bool
        Multiples that are not clear. They would set the model's own threshold at the price of every unseen
        shape; all others count there.
    """
    single, other = logits[labels == 1], logits[labels == 0]
    told, multiple = logits[(labels == 0) & ~hidden], np.sort(logits[(labels == 0) & clear])
    negatives = multiple if multiple.size else np.sort(other)
    return Thresholds(
        balanced=best_balanced(single, told if told.size else other),
        at_fpr={name: threshold_at(negatives, fpr) for name, fpr in WANTED_FPR.items()},
        negatives=negatives.astype(np.float32),
    )


def best_balanced(single: np.ndarray, other: np.ndarray) -> float:
    """Return the threshold with the best balanced accuracy, every logit blurred by a normal of width 1.

    The classes of the training shape stand far apart, and between them any threshold would do. Blurred,
    their tails pull the threshold to where either class could reach next.

    Examples
    --------
    >>> abs(best_balanced(np.array([1.0, 3.0]), np.array([-1.0, -3.0]))) < 0.1
    True
    """
    from scipy.special import ndtr

    logits = np.concatenate([single, other])
    logits = logits[np.isfinite(logits)]  # frames without a photon are left wherever the threshold is
    thresholds = np.arange(logits.min(), logits.max() + 0.05, 0.05)
    lost = np.array([ndtr(at - single).mean() for at in thresholds])
    kept = np.array([ndtr(other - at).mean() for at in thresholds])
    return float(thresholds[np.argmin(lost + kept)])


def roc_curve(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false-positive and true-positive rates over all thresholds, both rising from 0 to 1.

    Examples
    --------
    >>> false_positive, true_positive = roc_curve(np.array([2.0, 1.0, 0.0]), np.array([1, 0, 1]))
    >>> false_positive.tolist(), true_positive.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    known = labels >= 0
    logits, labels = logits[known], labels[known]
    order = np.argsort(-logits, kind="stable")
    falling = logits[order]
    steps = np.append(np.flatnonzero(falling[1:] != falling[:-1]), logits.size - 1)  # equal ones go together
    true_positive = np.cumsum(labels[order] == 1)[steps]
    false_positive = steps + 1 - true_positive
    rates = (np.concatenate([[0], counts]) / max(counts[-1], 1) for counts in (false_positive, true_positive))
    return next(rates), next(rates)


def evaluate(
    logits: np.ndarray, labels: np.ndarray, clear: np.ndarray | None, thresholds: Thresholds
) -> Scores:
    """Score the patterns of one file and shape.

    Parameters
    ----------
    logits : (n,) float32
        Logit of being single.
    labels : (n,) int
        1 single, 0 not; patterns with another label are left out.
    clear : (n,) bool or None
        Clear multiples; None where the truth is unknown.
    thresholds : Thresholds
        Of the model; they come from the training distribution and are applied unchanged.

    Returns
    -------
    scores : Scores
        `accuracy`, `balanced_accuracy`, `fnr` and `fpr` at the model's threshold; `auc`;
        `fnr_at_1pct_fpr` and `fnr_at_0p1pct_fpr` at the thresholds for these rates, and the rates that
        came out, `fpr_at_1pct_fpr` and so on; `..._roc`, the same read off the ROC of these very patterns
        (against clear multiples if known); `accuracy_clear`, `fpr_clear`, `auc_clear` over singles and
        clear multiples. Rates have Wilson's interval, areas a bootstrap over both classes, misses at a
        wanted rate one in which the threshold is redrawn too.
    """
    single, other = logits[labels == 1], logits[labels == 0]
    plain = None if clear is None else logits[(labels == 0) & clear]
    against = other if plain is None else plain
    threshold = thresholds.balanced
    metrics: dict[str, Metric | None] = {
        "accuracy": _accuracy(single, other, threshold),
        "balanced_accuracy": _balanced(single, other, threshold),
        "auc": _auc(single, other),
        "fnr": _missed(single, threshold),
        "fpr": _exceeding(other, threshold),
    }
    for name, wanted in WANTED_FPR.items():
        chosen = thresholds.at_fpr[name]
        metrics |= {
            f"fnr_at_{name}_fpr": _missed_at(single, thresholds.negatives, wanted, chosen),
            f"fpr_at_{name}_fpr": _exceeding(other, chosen),
            f"fpr_clear_at_{name}_fpr": _exceeding(plain, chosen),
            f"fnr_at_{name}_fpr_roc": _missed_at(single, against, wanted),
        }
    metrics |= {
        "accuracy_clear": None if plain is None else _accuracy(single, plain, threshold),
        "fpr_clear": _exceeding(plain, threshold),
        "auc_clear": _auc(single, plain),
    }
    return Scores(
        n_single=single.size,
        n_other=other.size,
        n_clear=None if plain is None else plain.size,
        metrics=metrics,
    )


def rate(k: int, n: int) -> Metric | None:
    """Return k of n with its interval; None where there is none to count."""
    return Metric(k / n, wilson(k, n)) if n else None


def share_of(chosen: np.ndarray, among: np.ndarray) -> Metric | None:
    """Return the share of those chosen among some; None where there are none."""
    return rate(int((chosen & among).sum()), int(among.sum()))


def _accuracy(single: np.ndarray, other: np.ndarray, threshold: float) -> Metric | None:
    right = np.count_nonzero(single > threshold) + np.count_nonzero(other <= threshold)
    return rate(int(right), single.size + other.size)


def _missed(single: np.ndarray, threshold: float) -> Metric | None:
    return rate(int(np.count_nonzero(single <= threshold)), single.size)


def _exceeding(other: np.ndarray | None, threshold: float) -> Metric | None:
    return None if other is None else rate(int(np.count_nonzero(other > threshold)), other.size)


def _balanced(single: np.ndarray, other: np.ndarray, threshold: float) -> Metric | None:
    missed, exceeding = _missed(single, threshold), _exceeding(other, threshold)
    if missed is None or exceeding is None:
        return None
    wrong = round(missed.value * single.size), round(exceeding.value * other.size)
    interval = balanced_interval(wrong, (single.size, other.size))
    return Metric(1 - (missed.value + exceeding.value) / 2, interval)


def _auc(single: np.ndarray, other: np.ndarray | None) -> Metric | None:
    if other is None or not (single.size and other.size):
        return None
    return Metric(auc(single, other), auc_interval(single, other))


def _missed_at(
    single: np.ndarray, negatives: np.ndarray, wanted: float, threshold: float | None = None
) -> Metric | None:
    """Misses at a threshold that `negatives` set; they set it anew where it is not given."""
    if not (single.size and negatives.size):
        return None
    chosen = threshold_at(np.sort(negatives), wanted) if threshold is None else threshold
    rate = float((single <= chosen).mean())
    low, high = miss_interval(single, negatives, wanted)
    return Metric(rate, (min(low, rate), max(high, rate)))
