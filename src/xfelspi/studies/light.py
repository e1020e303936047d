"""Light of some shots of a recipe, read out in one way or another, and how unlike a set's its fall-off is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xfelspi.fidelity import Curve, FrameSet, profile_curve
from xfelspi.simulate import Experiment, Recipe, read_out, unit_of

LIT_PIXELS = 24 * 128**2
"""Of the shots of a recipe; never fewer than `FEWEST` shots."""

FEWEST = 4

ERROR = 0.3
"""Of the radial profile of a recipe, relatively: its particles are not those of the set."""


class Light:
    """What falls on the detector in some shots of a recipe, each taken by another copy of it.

    Parameters
    ----------
    recipe : Recipe
        Its photons per frame are the counts that frames shall have.
    """

    def __init__(self, recipe: Recipe) -> None:
        experiment = Experiment(recipe, seed=0)
        n = max(FEWEST, LIT_PIXELS // recipe.detector.mask.size)
        self._recipe = recipe
        self._expected = [experiment.expect(experiment.draw(index)).photons for index in range(n)]
        self._good = recipe.detector.mask == 0

    def counted(self, gain: float, threshold: float) -> FrameSet:
        """Return the frames that they give, with so many counts per photon above a threshold."""
        detector = self._recipe.detector
        readout = replace(self._recipe.readout, conversion_gain=(gain, gain), threshold_photons=threshold)
        stride = max(1, readout.new_unit_every)
        frames = [
            read_out(light / np.float32(gain), unit_of(detector, readout, 0, key * stride), key)
            for key, light in enumerate(self._expected)
        ]
        return FrameSet(counts=np.stack(frames), good=self._good, centre_yx=detector.middle_yx)


def bent(tried: FrameSet, measured: Curve) -> float:
    """Mean square of the logarithm of two radial profiles' ratio, over that of `ERROR`.

    0 where there is nothing to compare: no ring has light in both, or fewer than two frames have any.
    """
    if tried.lit().n < 2:
        return 0.0
    profile = profile_curve(tried)
    both = profile.solid & measured.solid
    ratio = np.log(profile.value[both] / measured.value[both])
    return float(np.mean(ratio**2)) / ERROR**2 if both.any() else 0.0
