"""A curve measured on a set of frames, how sure it is, and how far apart two of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

REPLICATES = 400


class Estimate(NamedTuple):
    """A value and its interval of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """What a plot needs, and what a distance needs.

    Attributes
    ----------
    x : (k,)
        Radius in pixels, order, or photons.
    value : (k,)
        Of the whole set.
    replicates : (`REPLICATES`, k)
        Of sets drawn anew from its frames.
    solid : (k,) bool
        Points with photons enough to be compared.
    """

    x: np.ndarray
    value: np.ndarray
    replicates: np.ndarray
    solid: np.ndarray

    @property
    def low(self) -> np.ndarray:
        """Lower end of the 95 % interval, point by point: (k,)."""
        return np.quantile(self.replicates, 0.025, axis=0)

    @property
    def high(self) -> np.ndarray:
        """Upper end: (k,)."""
        return np.quantile(self.replicates, 0.975, axis=0)


def frame_weights(rng: np.random.Generator, n: int) -> np.ndarray:
    """Weights of frames in sets drawn anew: (`REPLICATES`, n), each row summing to 1.

    n - 1 frames are drawn with replacement out of n, so that the variance of a mean over the replicates
    is the unbiased one (Rao & Wu 1988, J. Am. Stat. Assoc. 83, 231); with n drawn it is too small by
    1 - 1 / n, which counts for twenty frames.
    """
    return rng.multinomial(n - 1, np.full(n, 1 / n), size=REPLICATES) / (n - 1)


def debiased_rms(difference: np.ndarray, replicates: np.ndarray) -> Estimate:
    """Root mean square of a difference, freed of what sampling adds to it.

    With a difference d_k of variance v_k, the mean of d_k² exceeds its true value by the mean of v_k: two
    halves of one set would seem apart. So D² = mean(d_k² - v_k), with v_k from the replicates. A replicate
    carries the bias twice, once from the set and once from being drawn, and loses 2 v_k. D² below zero,
    which is less difference than chance gives on average, is returned as 0.

    Parameters
    ----------
    difference : (k,)
        Between two sets.
    replicates : (r, k)
        The same between sets drawn anew.
    """
    variance = replicates.var(axis=0)
    square = np.mean(difference**2 - variance)
    low, high = np.quantile(np.mean(replicates**2 - 2 * variance, axis=1), [0.025, 0.975])
    value, low, high = (float(np.sqrt(max(0.0, edge))) for edge in (square, low, high))
    return Estimate(value, min(low, value), max(high, value))


def curve_distance(first: Curve, second: Curve) -> Estimate:
    """Relative difference of two curves, root mean square over the points that are solid in both.

    At every point the difference a - b is divided by the mean of abs(a) and abs(b), so it is close to
    log(a / b) where they are near and 2 at most; where that mean is less than twice the error of the
    difference, by the latter, since a ratio of noise to noise says nothing. Sampling is taken off, see
    `debiased_rms`. Where no point is solid in both, nothing is known: 0, from 0 to 2.
    """
    solid = first.solid & second.solid
    if not solid.any():
        return Estimate(0.0, 0.0, 2.0)
    a, b = first.value[solid], second.value[solid]
    replicates = first.replicates[:, solid] - second.replicates[:, solid]
    scale = np.maximum((np.abs(a) + np.abs(b)) / 2, 2 * replicates.std(axis=0))
    scale[scale == 0] = np.inf
    return debiased_rms((a - b) / scale, replicates / scale)


def median_difference(rng: np.random.Generator, first: np.ndarray, second: np.ndarray) -> Estimate:
    """Median of the first minus median of the second, with a bootstrap interval over frames.

    Parameters
    ----------
    rng : Generator
        Draws the frames.
    first, second : (n,), (m,)
        A number for each frame.
    """
    medians = [
        np.median(values[rng.integers(values.size, size=(REPLICATES, values.size))], axis=1)
        for values in (first, second)
    ]
    low, high = np.quantile(medians[0] - medians[1], [0.025, 0.975])
    value = float(np.median(first) - np.median(second))
    return Estimate(value, min(float(low), value), max(float(high), value))
