"""Values with their intervals, as people read them."""

from __future__ import annotations

import math
from typing import Any

from .concordance import Share
from .matrix import Mean


def metric_share(metric: dict[str, Any] | None) -> Share | None:
    """Return value and interval of a metric; None where there is none, or it is not a number."""
    if metric is None or not all(math.isfinite(metric[name]) for name in Share._fields):
        return None
    return Share(*(metric[name] for name in Share._fields))


def in_brackets(share: Share) -> str:
    """Write a value and its interval for a sentence."""
    return f"{share.value:.2f} ({share.low:.2f} to {share.high:.2f})"


def cell(share: Share | None) -> str:
    """Write a value and, as small print, its interval for a table."""
    return "–" if share is None else f"{share.value:.3f}\n{share.low:.3f} to {share.high:.3f}"


def signed_cell(share: Share | None) -> str:
    """Write a difference likewise, always with its sign."""
    return "–" if share is None else f"{share.value:+.3f}\n{share.low:+.3f} to {share.high:+.3f}"


def metric_cell(share: Share | None) -> str:
    """Write a metric of any size, in few digits: there are many beside each other."""
    return "–" if share is None else f"{share.value:.3g}\n{share.low:.2g} to {share.high:.2g}"


def words(name: str) -> str:
    """Write the name of a score for people.

    Examples
    --------
    >>> words("fpr_clear_at_0p1pct_fpr"), words("fnr_at_1pct_fpr_roc"), words("auc")
    ('false positives, clear, at 0.1 %', 'false negatives, at 1 %, own ROC', 'AUC')
    """
    for short, long in (
        ("_at_0p1pct_fpr", ", at 0.1 %"),
        ("_at_1pct_fpr", ", at 1 %"),
        ("_roc", ", own ROC"),
        ("_clear", ", clear"),
        ("fnr", "false negatives"),
        ("fpr", "false positives"),
        ("auc", "AUC"),
        ("_", " "),
    ):
        name = name.replace(short, long)
    return name


def mean_cell(name: str, mean: Mean | None) -> str:
    """Write a score for a table: areas as numbers, everything else as a percentage."""
    if mean is None:
        return "–"
    if not name.startswith("auc"):
        return spread(*mean)
    return _with_small_print(mean, [f"{value:.4f}" for value in mean if value is not None])


def spread(
    value: float, least: float, most: float, low: float | None = None, high: float | None = None
) -> str:
    """Write a rate, and as small print its least and most of any seed and its interval, where known."""
    mean = Mean(value, least, most, low, high)
    return _with_small_print(mean, [percent(value) for value in mean if value is not None])


def _with_small_print(mean: Mean, texts: list[str]) -> str:
    """Join value, least and most of any seed, and interval, as far as they are known and differ."""
    small = [f"{texts[1]} – {texts[2]}"] if mean.least != mean.most else []
    if mean.low is not None:
        small.append(f"{texts[3]} to {texts[4]}")
    return texts[0] + ("\n" + "; ".join(small) if small else "")


def short_percent(rate: float) -> str:
    """Write a rate in two digits, for a cell of a picture."""
    hundredths = 100.0 * rate
    return f"{hundredths:.0f} %" if hundredths >= 9.95 else f"{hundredths:.2g} %"


def place(value: float) -> str:
    """Write a value of an axis: four digits, large ones whole.

    Examples
    --------
    >>> place(0.02), place(31.6228), place(31622.8)
    ('0.02', '31.62', '31,623')
    """
    return f"{value:,.0f}" if value >= 1e4 else f"{value:,.4g}"


def percent(rate: float) -> str:
    """Write a rate as a percentage.

    Examples
    --------
    >>> percent(0.0125), short_percent(0.0125), short_percent(1.0)
    ('1.25 %', '1.2 %', '100 %')
    """
    return f"{100 * rate:.2f} %"
