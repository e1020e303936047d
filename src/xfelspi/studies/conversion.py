"""How measured counts came of photons: counts per photon and threshold, told by noise and fall-off."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from xfelspi.fidelity import Curve, FrameSet, noise_curve, profile_curve
from xfelspi.simulate import Recipe

from .background import at_level
from .light import Light, bent

GAINS = np.geomspace(0.4, 1.25, 13)
"""Counts per photon that are tried first, and then between them."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Thresholds that are tried."""

FEWEST_LEVELS = 3
"""Of brightness, whose noise is known to `KNOWN`, one of them of a count or more: fewer tell no gain."""

KNOWN = 0.03
"""Standard deviation of variance over mean, over the choice of frames."""

FARTHEST = 9.0
"""Mean square between noise curves, over that of their errors: beyond it none of those tried is the one."""

EVEN, BENT = 0.01, 0.003
"""Errors of the simulated curve: everywhere, and for each count, of light that bends otherwise."""

MOST_PIXELS = 2**22
"""Of measured frames, from which on noise is known well enough; never fewer than ten frames."""

FEWEST = 10
"""Measured frames: with fewer the errors of their noise are not known."""

SURE = 0.1
"""Gains are never known nearer than this, relatively; those that the noise does not tell apart are added."""

_OWN = 2.0  # what a threshold costs that is 1 away from the recipe's, where noise does not tell them apart
_REFINED = 3  # thresholds, the best ones, for which gains between those tried first are tried
_ALIKE = 1.0  # in units of `_apart`: what is as much farther than the nearest fits as well


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """From photons to counts, as in `ReadOut`.

    Attributes
    ----------
    gain : (float, float)
        Range of counts per photon that the frames leave.
    threshold_photons : float
        The likeliest.
    """

    gain: tuple[float, float]
    threshold_photons: float


def learn_conversion(recipe: Recipe, frames: FrameSet) -> Conversion | None:
    """Tell how photons became counts from how much neighbouring pixels differ, and how the counts fall off.

    Light of the recipe's own shots is read out with one gain and threshold after another, and that whose
    curve of variance over mean against brightness is nearest to the measured one is taken. Counts that
    each stand for two photons, say, have half of Poisson's variance where they are many. Where photons are
    few, two ways of counting can have one noise: whether a photon alone is a count or none does not show.
    There the radial profile decides, which the two bend by factors of two either way: that of the recipe with
    its background or without, whichever is nearer.

    Parameters
    ----------
    recipe : Recipe
        On the frames' own pixels; its photons per frame are the counts that the frames have.
    frames : FrameSet
        As counted.

    Returns
    -------
    conversion : Conversion or None
        None if there are few frames, too few pixels are bright enough, or none of those tried is near:
        counts in other units, or frames that were smoothed.
    """
    if frames.lit().n < FEWEST:
        return None
    some = frames.chosen(np.arange(frames.n)[: max(FEWEST, MOST_PIXELS // frames.good.size)])
    measured, profile = noise_curve(some), profile_curve(some)
    known = measured.solid & (measured.replicates.std(axis=0) <= KNOWN)
    if np.count_nonzero(known) < FEWEST_LEVELS or measured.x[known].max() < 1.0:
        return None
    light, bare = Light(recipe), Light(at_level(recipe, 0.0))
    noise: dict[tuple[float, float], float] = {}
    tried: dict[tuple[float, float], float] = {}

    def apart(gain: float, threshold: float) -> None:
        counted = light.counted(gain, threshold)
        noise[gain, threshold] = _apart(noise_curve(counted), measured, known)
        lights = [counted]
        if noise[gain, threshold] <= FARTHEST:  # else it is not the one, whatever the background
            lights.append(bare.counted(gain, threshold))
        tried[gain, threshold] = noise[gain, threshold] + min(bent(one, profile) for one in lights)

    def nearest() -> list[tuple[float, float]]:
        """Return what was tried, the best first."""
        own = recipe.readout.threshold_photons
        return sorted(tried, key=lambda one: tried[one] + _OWN * abs(one[1] - own))

    for gain, threshold in itertools.product(GAINS.tolist(), THRESHOLDS):
        apart(gain, threshold)
    for threshold in list(dict.fromkeys(at for _, at in nearest()))[:_REFINED]:
        for step in (2.0, 4.0, 8.0, 16.0):  # halved each time: the gains that fit lie within a few per cent
            middle = next(gain for gain, at in nearest() if at == threshold)
            for by in (-1.0, 1.0):
                apart(middle * float(GAINS[1] / GAINS[0]) ** (by / step), threshold)
    gain, threshold = nearest()[0]
    if noise[gain, threshold] > FARTHEST:
        return None
    at_most = tried[gain, threshold] + _ALIKE
    alike = [one[0] for one, found in tried.items() if one[1] == threshold and found <= at_most]
    return Conversion(
        gain=(min(*alike, gain * (1.0 - SURE)), max(*alike, gain * (1.0 + SURE))), threshold_photons=threshold
    )


def _apart(tried: Curve, measured: Curve, known: np.ndarray) -> float:
    """Mean square over that of the errors, at the levels known of both; infinite where those are few."""
    both = tried.solid & known
    if np.count_nonzero(both) < FEWEST_LEVELS:
        return float("inf")
    square = EVEN**2 + measured.replicates.var(axis=0) + (BENT * measured.x) ** 2
    return float(np.mean((tried.value - measured.value)[both] ** 2 / square[both]))
