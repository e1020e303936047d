"""A threshold that follows what recent shots without a hit look like."""

from __future__ import annotations

import numpy as np

ONE_BELOW = 0.158655
"""Share of a normal distribution that lies more than one standard deviation below its middle."""


def threshold_of(scores: np.ndarray, snr: float, least_deviation: float = 0.0) -> float:
    """Return μ + snr · σ of scores most of which are of misses.

    μ is their median, and σ the distance from there down to where a normal distribution has its first
    standard deviation: hits lie above, and do not move what is below. Where photons are few, scores take few
    values, and σ is taken to be `least_deviation` or more.

    Examples
    --------
    One in ten a hit, and the threshold of 0 + 3 · 1 hardly moves:

    >>> scores = np.random.default_rng(0).normal(size=10_000)
    >>> scores[::10] = 50.0
    >>> round(threshold_of(scores, 3.0), 1)
    3.3
    """
    middle, below = np.quantile(scores, [0.5, ONE_BELOW])
    return float(middle + snr * max(middle - below, least_deviation))


class Recent:
    """The last so many rows of what comes in.

    Parameters
    ----------
    n : int
        How many are kept.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self.rows = np.empty(0)

    def add(self, rows: np.ndarray) -> None:
        """Add rows, (k,) or (k, m), and forget as many of the oldest as are too many."""
        self.rows = rows[-self._n :] if not self.rows.size else np.concatenate([self.rows, rows])[-self._n :]
