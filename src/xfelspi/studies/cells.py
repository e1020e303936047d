"""Values with their intervals, as people read them."""

from __future__ import annotations

import math
from typing import Any

from .concordance import Share


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
