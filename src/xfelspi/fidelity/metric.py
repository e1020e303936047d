"""One number of the comparison, how sure it is, and what it means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .curve import Estimate


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A value, its interval of 95 %, and what it would be if simulated frames were measured ones.

    Attributes
    ----------
    value, low, high : float
        Estimate and interval.
    ideal : float
        For two sets of one kind.
    better : str
        "lower" for a distance; "nearer" to `ideal` where values may lie on both sides.
    meaning : str
        One sentence.
    """

    value: float
    low: float
    high: float
    ideal: float
    better: Literal["lower", "nearer"]
    meaning: str

    @classmethod
    def distance(cls, estimate: Estimate, meaning: str) -> Metric:
        """Make one of a distance: 0 is ideal, lower is better."""
        return cls(**estimate._asdict(), ideal=0.0, better="lower", meaning=meaning)

    @classmethod
    def around(cls, estimate: Estimate, ideal: float, meaning: str) -> Metric:
        """Make one of a value that may lie on both sides of its ideal."""
        return cls(**estimate._asdict(), ideal=ideal, better="nearer", meaning=meaning)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)
