"""How measured counts came of photons: counts per photon and threshold, told by their noise alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from xfelspi.fidelity import Curve, FrameSet, noise_curve
from xfelspi.simulate import Experiment, Recipe, read_out, unit_of

GAINS = np.geomspace(0.4, 1.25, 13)
"""Counts per photon that are tried first, and then between them."""

THRESHOLDS = (0.5, 0.7, 0.9)
"""Thresholds that are tried first, and then between them."""

FEWEST_LEVELS = 3
"""Of brightness, whose noise is known to `KNOWN`, one of them of a count or more: fewer tell no gain."""

KNOWN = 0.03
"""Standard deviation of variance over mean, over the choice of frames."""

FARTHEST = 9.0
"""Mean square between noise curves, over that of their errors: beyond it none of those tried is the one."""

EVEN, BENT = 0.01, 0.003
"""Errors of the simulated curve: everywhere, and for each count, of light that bends otherwise."""

LIT_PIXELS = 24 * 128**2
"""Of the recipe's shots whose light is read out in every way; never fewer than two shots."""

MOST_PIXELS = 2**22
"""Of measured frames, from which on noise is known well enough; never fewer than ten frames."""

_OWN = 2.0  # what a threshold costs that is 1 away from the recipe's, where noise does not tell them apart


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """From photons to counts.

    Attributes
    ----------
    gain, threshold_photons : float
        As in `ReadOut`.
    photons_per_count : float
        Of a whole frame; thresholds cost photons as well.
    """

    gain: float
    threshold_photons: float
    photons_per_count: float


def learn_conversion(recipe: Recipe, frames: FrameSet) -> Conversion | None:
    """Tell how photons became counts from how much neighbouring pixels differ.

    Light of the recipe's own shots is read out with one gain and threshold after another, and that whose
    curve of variance over mean against brightness is nearest to the measured one is taken. Counts that
    each stand for two photons, say, have half of Poisson's variance where they are many.

    Parameters
    ----------
    recipe : Recipe
        On the frames' own pixels; its photons per frame are the counts that the frames have.
    frames : FrameSet
        As counted.

    Returns
    -------
    conversion : Conversion or None
        None if there is one frame alone, too few pixels are bright enough, or none of those tried is near:
        counts in other units, or frames that were smoothed.
    """
    if frames.n < 2:
        return None
    measured = noise_curve(frames.chosen(np.arange(frames.n)[: max(10, MOST_PIXELS // frames.good.size)]))
    known = measured.solid & (measured.replicates.std(axis=0) <= KNOWN)
    if np.count_nonzero(known) < FEWEST_LEVELS or measured.x[known].max() < 1.0:
        return None
    light = _Light(recipe)

    def apart(gain: float, threshold: float) -> float:
        return _apart(noise_curve(light.counted(gain, threshold)), measured, known)

    def nearest(gains: Iterable[float], thresholds: Iterable[float]) -> tuple[float, float]:
        own = recipe.readout.threshold_photons
        candidates = itertools.product(gains, thresholds)
        return min(candidates, key=lambda one: apart(*one) + _OWN * abs(one[1] - own))

    gain, threshold = nearest(GAINS.tolist(), THRESHOLDS)
    step = float(GAINS[1] / GAINS[0]) ** 0.5
    between = [one for one in (threshold - 0.1, threshold, threshold + 0.1) if one >= THRESHOLDS[0]]
    gain, threshold = nearest((gain / step, gain, gain * step), between)
    if apart(gain, threshold) > FARTHEST:
        return None
    counts = float(light.counted(gain, threshold).totals.sum())
    return Conversion(
        gain=gain, threshold_photons=round(threshold, 3), photons_per_count=light.photons(gain) / counts
    )


class _Light:
    """What falls on the detector in some shots of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        experiment = Experiment(recipe, seed=0)
        n = max(2, LIT_PIXELS // recipe.detector.mask.size)
        self._recipe = recipe
        self._expected = [experiment.expect(experiment.draw(index)).photons for index in range(n)]
        self._good = recipe.detector.mask == 0

    def photons(self, gain: float) -> float:
        """Mean photons of all shots that give the recipe's counts at this gain."""
        return float(sum(light[self._good].sum(dtype=float) for light in self._expected)) / gain

    def counted(self, gain: float, threshold: float) -> FrameSet:
        """Return the frames that they give."""
        readout = replace(self._recipe.readout, conversion_gain=(gain, gain), threshold_photons=threshold)
        unit = unit_of(self._recipe.detector, readout)
        frames = [read_out(light / np.float32(gain), unit, key) for key, light in enumerate(self._expected)]
        return FrameSet(counts=np.stack(frames), good=self._good, centre_yx=self._recipe.detector.middle_yx)


def _apart(tried: Curve, measured: Curve, known: np.ndarray) -> float:
    """Mean square over that of the errors, at the levels known of both; infinite where those are few."""
    both = tried.solid & known
    if np.count_nonzero(both) < FEWEST_LEVELS:
        return float("inf")
    square = EVEN**2 + measured.replicates.var(axis=0) + (BENT * measured.x) ** 2
    return float(np.mean((tried.value - measured.value)[both] ** 2 / square[both]))
