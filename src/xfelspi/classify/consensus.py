"""Several opinions about the same patterns, made one decision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xfelspi.errors import InputError

from .policy import Policy, Verdict, threshold_above, verdict_of

WAYS = ("all", "mean")


def agreed(verdicts: Sequence[Verdict], policy: Policy, way: str = "all") -> Verdict:
    """Combine the verdicts of several models.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of one model each, on the same patterns.
    policy : Policy
        What is wanted.
    way : {"all", "mean"}
        `all`: kept is what every model keeps, left what any leaves, and the rest is unsure; margins and
        probabilities are the lowest. So no more of the multiples are kept than the strictest model keeps.
        What several methods agreed on gave better reconstructions than what one of them chose (Shi et al.
        2019, IUCrJ 6, 331). `mean`: margins and probabilities are averaged, and decided by as those of one
        model, a number to keep among them; a rate of false positives is then no longer promised.

    Raises
    ------
    InputError
        If there is no such way.
    """
    require_way(way)
    if len(verdicts) == 1:
        return verdicts[0]
    probabilities = np.stack([verdict.probabilities for verdict in verdicts])
    margins = np.stack([verdict.margins for verdict in verdicts])
    if way == "mean":
        above = margins.mean(axis=0)
        if policy.top is not None:
            above = above - threshold_above(above, policy.top)
        return verdict_of(probabilities.mean(axis=0), above, policy)
    kept = np.all([verdict.kept for verdict in verdicts], axis=0)
    left = np.any([~verdict.kept & ~verdict.unsure for verdict in verdicts], axis=0)
    return Verdict(
        probabilities=probabilities.min(axis=0),
        margins=margins.min(axis=0),
        kept=kept,
        unsure=~kept & ~left,
    )


def require_way(way: str) -> None:
    """Refuse a way that there is not.

    Raises
    ------
    InputError
        If there is no such way.
    """
    if way not in WAYS:
        raise InputError(f"There is no consensus {way!r} of models; choose one of {', '.join(WAYS)}.")


def vetoed(verdict: Verdict, allowed: np.ndarray) -> Verdict:
    """Return the verdict with only what is also allowed, (n,) bool, kept or unsure."""
    return Verdict(
        probabilities=verdict.probabilities,
        margins=verdict.margins,
        kept=verdict.kept & allowed,
        unsure=verdict.unsure & allowed,
    )
