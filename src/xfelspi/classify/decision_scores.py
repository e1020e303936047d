"""How decisions do on labelled patterns: probabilities, thresholds asked for, abstention, strange frames."""

from __future__ import annotations

import numpy as np

from .model import Model
from .policy import Policy, decide, expect, threshold_of
from .reliability import Reliability, expected_calibration_error, reliability
from .scores import Metric, share_of


def decision_metrics(
    model: Model,
    logits: np.ndarray,
    ood: np.ndarray,
    labels: np.ndarray,
    clear: np.ndarray | None,
    policy: Policy,
) -> dict[str, Metric | None]:
    """Score the decisions on the patterns of one file and shape.

    Parameters
    ----------
    model : Model
        For its threshold and probabilities.
    logits, ood : (n,) float32
        What it says about the patterns.
    labels : (n,) int
        1 single, 0 not.
    clear : (n,) bool or None
        Clear multiples; None where the truth is unknown.
    policy : Policy
        What is wanted.

    Returns
    -------
    metrics : dict of str to Metric or None
        `ece`, see `expected_calibration_error`, at the prior. `strange`: share of frames out of
        distribution. Where the policy gives a rate, `fnr_at_max_fpr`, `fpr_at_max_fpr` and
        `fpr_clear_at_max_fpr`: the rates that came out. Where it abstains, `unsure`: share of patterns not
        decided, and `wrong_decided`: share of the others decided wrongly. Where it gives a prior,
        `kept_share` of shots and their `precision`, with the rates of these patterns. None is what the
        patterns cannot give.
    """
    verdict = decide(model, logits, policy)
    single, other = labels == 1, labels == 0
    reliable = reliability_of(verdict.probabilities, labels, policy)
    metrics: dict[str, Metric | None] = {
        "ece": None if reliable is None else expected_calibration_error(reliable),
        "strange": share_of(ood > 1, single | other),
    }
    if policy.max_fpr is not None:
        above = logits > threshold_of(model.thresholds, policy)
        metrics |= {
            "fnr_at_max_fpr": share_of(~above, single),
            "fpr_at_max_fpr": share_of(above, other),
            "fpr_clear_at_max_fpr": None if clear is None else share_of(above, other & clear),
        }
    if policy.abstain is not None:
        decided = ~verdict.unsure
        metrics |= {
            "unsure": share_of(verdict.unsure, single | other),
            "wrong_decided": share_of(verdict.kept != single, decided & (single | other)),
        }
    if policy.prior is not None:
        expected = expect(verdict.kept[single], verdict.kept[other], policy.prior)
        metrics |= {
            "kept_share": None if expected is None else expected.kept,
            "precision": None if expected is None else expected.precision,
        }
    return metrics


def reliability_of(probabilities: np.ndarray, labels: np.ndarray, policy: Policy) -> Reliability | None:
    """Return how reliable probabilities at a policy's prior are; None where a class is missing."""
    known = labels >= 0
    if np.unique(labels[known]).size < 2:
        return None
    return reliability(probabilities[known], labels[known], policy.assumed_prior)
