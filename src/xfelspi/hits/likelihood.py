"""How unlikely the light of a frame is if nothing was hit: a likelihood ratio, in standard deviations."""

from __future__ import annotations

from functools import cache

import numpy as np

_EXACT_UP_TO = 2_000.0  # photons in a ring; beyond, Poisson's distribution is taken as normal
_TABULATED = np.geomspace(1e-4, _EXACT_UP_TO, 600)
_FEWEST = 10  # photons in a frame: fewer say nothing of how they are distributed
_HALF_SQUARE = (0.5, 0.5, 1.0)  # mean, variance, third cumulant of z²/2, z standard normal


def hit_scores(photons: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Log-likelihood ratio of any distribution of the photons over rings against the background's.

    Of n_r photons in ring r and N in all, blanks of whatever brightness expect e_r = N b_r / Σ b. Twice Σ n_r
    ln(n_r / e_r) is the likelihood ratio (Wilks 1938, Ann. Math. Stat. 9, 60; Cash 1979, ApJ 228, 939). Where
    there is nothing but Poisson's noise, its mean, variance and skewness are known ring by ring, less one
    degree of freedom for the brightness; a gamma distribution of the same three makes a standard normal value
    of it (Wilson & Hilferty 1931, PNAS 17, 684). So a blank scores above 3 with a chance of 0.13 %. The
    brightness of pulse and background takes no part.

    Parameters
    ----------
    photons : (k, n) float
        Photons in n rings of k frames.
    background : (n,) float
        In proportion to those of blanks.

    Returns
    -------
    score : (k,) float64
        0 for frames of fewer than ten photons.

    Examples
    --------
    Twice the light in two rings of twenty:

    >>> frame = np.full((1, 20), 50.0)
    >>> frame[0, :2] = 100.0
    >>> hit_scores(frame, np.ones(20)).round(1).tolist()
    [5.0]
    """
    scores = np.zeros(len(photons))
    enough = photons.sum(axis=1) >= _FEWEST
    photons = photons[enough]
    expected = np.maximum(photons.sum(axis=1, keepdims=True) * (background / background.sum()), _TABULATED[0])
    statistic = _terms(photons, expected).sum(axis=1)
    mean, variance, third = (
        np.interp(expected, _TABULATED, cumulants, right=normal).sum(axis=1) - normal
        for cumulants, normal in zip(_cumulants(), _HALF_SQUARE, strict=True)
    )
    shape = 4.0 * variance**3 / third**2
    gamma = np.maximum(shape + (statistic - mean) * np.sqrt(shape / variance), 0.0)
    scores[enough] = 3.0 * np.sqrt(shape) * (np.cbrt(gamma / shape) - 1.0 + 1.0 / (9.0 * shape))
    return scores


def _terms(photons: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """N ln(n/e) - (n - e), each 0 or more."""
    return photons * np.log(np.maximum(photons, 1e-300) / expected) - photons + expected


@cache
def _cumulants() -> np.ndarray:
    """Mean, variance and third cumulant of the term of a ring, (3, n) over `_TABULATED` expected photons."""
    from scipy.stats import poisson

    rows = []
    for expected in _TABULATED:
        n = np.arange(int(expected + 12 * np.sqrt(expected) + 25), dtype=float)
        term, chance = _terms(n, expected), poisson.pmf(n, expected)
        mean = chance @ term
        rows.append([mean, chance @ (term - mean) ** 2, chance @ (term - mean) ** 3])
    return np.array(rows).T
