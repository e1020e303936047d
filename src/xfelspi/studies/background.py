"""How strong the background of measured frames is beside that of a recipe, told by their radial profile."""

from __future__ import annotations

import numpy as np

from xfelspi.errors import InputError
from xfelspi.fidelity import FrameSet, profile_curve
from xfelspi.simulate import Recipe

from .light import Light, bent
from .simulated import changed

FRACTIONS = tuple(f"{kind}_fraction" for kind in ("flat", "halo", "gas", "aperture", "incoherent"))
"""Settings of `background` that are learned together."""

LEVELS = (1.0, 0.5, 2.0, 0.25, 4.0, 0.0)
"""Of the recipe's background; each is tried, the sooner ones taken where several do."""

WORTH = 0.2
"""Of what `bent` returns: another level is taken where it is nearer by more."""


def learn_background(recipe: Recipe, frames: FrameSet) -> dict[str, float] | None:
    """Tell how strong the background is from how filled the minima are, and how light falls off at the rim.

    Light of the recipe's own shots is read out with its background at one level after another, and that
    whose radial profile is nearest to the measured one is taken.

    Parameters
    ----------
    recipe : Recipe
        On the frames' own pixels, with particles of the frames' size and counts of their conversion; its
        photons per frame are the counts that the frames have.
    frames : FrameSet
        As counted.

    Returns
    -------
    fractions : dict or None
        Each of `FRACTIONS`; None where the recipe has none, or its own are as near as any.
    """
    if frames.lit().n < 2 or not any(fractions(recipe).values()):
        return None
    measured = profile_curve(frames)
    gain, threshold = float(np.mean(recipe.readout.conversion_gain)), recipe.readout.threshold_photons
    nearest, apart = LEVELS[0], np.inf
    for level in LEVELS:
        try:
            there = at_level(recipe, level)
        except InputError:  # more than all light
            continue
        counted = Light(there).counted(gain, threshold)
        found = bent(counted, measured)
        if found < apart - WORTH:
            nearest, apart = level, found
    return None if nearest == LEVELS[0] else fractions(at_level(recipe, nearest))


def at_level(recipe: Recipe, level: float) -> Recipe:
    """Return the recipe with its background made so many times as strong."""
    return changed(recipe, {"background": {name: level * own for name, own in fractions(recipe).items()}})


def fractions(recipe: Recipe) -> dict[str, float]:
    """Return the settings of a recipe that go by `FRACTIONS`."""
    return {name: getattr(recipe.background, name) for name in FRACTIONS}
