"""From logits to decisions: keep, leave, or say that it is not sure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from xfelspi.errors import InputError

from .intervals import kept_intervals, threshold_at
from .model import Model
from .scores import Metric, Thresholds, rate

NEGATIVES_PER_EVENT = 3
"""A rate of false positives is supported by negatives among which it would be seen three times.

If n patterns show no event, its rate is below 3/n (95 %), so fewer could not tell it from twice or from none.
"""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What whoever keeps the patterns wants of them.

    Attributes
    ----------
    max_fpr : float or None
        Share of clear multiples that may be kept; None takes the model's own threshold.
    prior : float or None
        Share of single hits among all shots. It moves the probabilities, and with them who is unsure; it does
        not move the threshold. None is one half.
    abstain : float or None
        A decision that is wrong with more than this chance is not taken.
    top : int or None
        Keep no more than so many, the likeliest, whatever the model's thresholds say; `settled` tells above
        which logit that is for a file.
    threshold : float or None
        Logit above which patterns are kept, in place of any of the model's.

    Raises
    ------
    InputError
        If a value is out of bounds, or both a rate and a number are given.
    """

    max_fpr: float | None = None
    prior: float | None = None
    abstain: float | None = None
    top: int | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        for name, value, most in (
            ("rate of false positives", self.max_fpr, 1.0),
            ("share of single hits", self.prior, 1.0),
            ("chance of being wrong", self.abstain, 0.5),
        ):
            if value is not None and not 0 < value < most:
                raise InputError(f"The {name} is {value}; it must lie between 0 and {most:g}.")
        if self.top is not None and self.top < 1:
            raise InputError(f"The likeliest {self.top} are to be kept; ask for 1 or more.")
        if self.top is not None and self.max_fpr is not None:
            raise InputError("A rate of false positives and a number to keep exclude each other; give one.")

    @property
    def assumed_prior(self) -> float:
        """Share of single hits that probabilities speak of."""
        return 0.5 if self.prior is None else self.prior


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """What becomes of patterns, and why.

    Attributes
    ----------
    probabilities : (n,) float64
        Of being single, at the prior.
    margins : (n,) float64
        -inf for patterns that were not asked about, else logit over that above which patterns are kept.
    kept, unsure : (n,) bool
        Never both.
    """

    probabilities: np.ndarray
    margins: np.ndarray
    kept: np.ndarray
    unsure: np.ndarray


def decide(model: Model, logits: np.ndarray, policy: Policy) -> Verdict:
    """Keep what is above the threshold, but neither keep nor leave where that is too likely to be wrong.

    Raises
    ------
    InputError
        If the model's held-out patterns do not support the rate of false positives.
    """
    probabilities = model.calibration.probabilities(logits, policy.assumed_prior)
    margins = np.asarray(logits, float) - threshold_of(model.thresholds, policy)
    return verdict_of(probabilities, margins, policy)


def verdict_of(probabilities: np.ndarray, margins: np.ndarray, policy: Policy) -> Verdict:
    """Decide by margins, and abstain by probabilities where the policy does."""
    above = margins > 0
    wrong = np.where(above, 1 - probabilities, probabilities)
    unsure = np.zeros(above.shape, bool)
    if policy.abstain is not None:
        unsure = (wrong > policy.abstain) & np.isfinite(margins)
    return Verdict(probabilities=probabilities, margins=margins, kept=above & ~unsure, unsure=unsure)


def settled(policy: Policy, logits: np.ndarray) -> Policy:
    """Return the policy with the number to keep made a threshold for these logits; others as they are.

    No more than `top` logits exceed it: of equal ones at the edge, none does.

    Examples
    --------
    >>> settled(Policy(top=2), np.array([3.0, 1.0, 2.0, 0.0])).threshold
    1.0
    """
    if policy.top is None:
        return policy
    return replace(policy, top=None, threshold=threshold_above(logits, policy.top))


def threshold_above(logits: np.ndarray, top: int) -> float:
    """Return what no more than `top` of the logits exceed, and as many where none are equal.

    It is finite: below any pattern that was asked about, since with -inf every margin would be infinite.
    """
    lowest = float(np.finfo(np.float32).min)
    return lowest if top >= logits.size else max(float(np.sort(logits)[-top - 1]), lowest)


def threshold_of(thresholds: Thresholds, policy: Policy) -> float:
    """Return the logit above which patterns are kept.

    Raises
    ------
    InputError
        If the held-out negatives are too few for the rate of false positives.
    """
    if policy.threshold is not None:
        return policy.threshold
    if policy.max_fpr is None:
        return thresholds.balanced
    there, needed = thresholds.negatives.size, math.ceil(NEGATIVES_PER_EVENT / policy.max_fpr - 1e-9)
    if there < needed:
        least = math.ceil(1e5 * NEGATIVES_PER_EVENT / there) / 1e5 if there else 1.0
        instead = f"ask for {least:g} or more, or " if least < 1 else ""
        raise InputError(
            f"A rate of false positives of {policy.max_fpr:g} needs {needed} clear multiples held out from "
            f"the training, and this model has {there}; {instead}train with more of them in --calibrate."
        )
    return threshold_at(thresholds.negatives, policy.max_fpr)


def held_out_fpr(thresholds: Thresholds, policy: Policy) -> Metric | None:
    """Return the share of held-out clear multiples that are above the threshold: how well it is known.

    None if there are none.
    """
    threshold = threshold_of(thresholds, policy)
    return rate(int((thresholds.negatives > threshold).sum()), thresholds.negatives.size)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a decision gives where singles have a certain share of all shots.

    Attributes
    ----------
    kept : Metric
        Share of all shots that is kept.
    precision : Metric or None
        Share of singles among those; None where nothing is kept.
    """

    kept: Metric
    precision: Metric | None


def expect(kept_singles: np.ndarray, kept_others: np.ndarray, prior: float) -> Expectation | None:
    """Return what to expect from decisions on patterns of either class; None if a class has none.

    Parameters
    ----------
    kept_singles, kept_others : (n,), (k,) bool
        Which of the singles and which of the others are kept.
    prior : float
        Share of single hits among all shots to come; the others are taken to be as these.
    """
    if not (kept_singles.size and kept_others.size):
        return None
    single, other = prior * float(kept_singles.mean()), (1 - prior) * float(kept_others.mean())
    of_share, of_precision = kept_intervals(
        (int(kept_singles.sum()), kept_singles.size), (int(kept_others.sum()), kept_others.size), prior
    )
    share = single + other
    return Expectation(
        kept=Metric(share, of_share),
        precision=Metric(single / share, of_precision) if share else None,
    )


def expected_of(model: Model, policy: Policy) -> Expectation | None:
    """Return what the patterns held out from the training let expect; None without a prior."""
    if policy.prior is None:
        return None
    singles, others = (
        decide(model, logits, policy).kept for logits in (model.held.singles, model.held.others)
    )
    return expect(singles, others, policy.prior)
