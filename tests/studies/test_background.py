"""How strong the background is, told by how light falls off."""

import numpy as np
import pytest

from xfelspi.fidelity import FrameSet
from xfelspi.simulate import Experiment, load_recipe
from xfelspi.studies.background import FRACTIONS, learn_background
from xfelspi.studies.simulated import changed

SMALL = [
    "detector.rows=128",
    "detector.columns=128",
    "detector.pixel_size_m=600e-6",
    "beam.photons_per_frame=[1e4, 8e4]",
    "readout.conversion_gain=[1.0, 1.0]",
]


def recipe(level=1.0, name="lcls-amo", *settings):
    whole = load_recipe(name, [*SMALL, *settings])
    return changed(whole, {"background": {f: level * getattr(whole.background, f) for f in FRACTIONS}})


def frames(of, n=40):
    experiment = Experiment(of, seed=5)
    counts = np.stack([experiment.pattern(index)[0] for index in range(n)])
    return FrameSet(counts=counts, good=of.detector.mask == 0, centre_yx=of.detector.middle_yx)


@pytest.mark.parametrize("shape", ["icosahedron", "torus"])
@pytest.mark.parametrize("level", [0.0, 0.25, 1.0, 4.0])
def test_its_level_is_found_to_a_factor_of_two(level, shape):
    """Tori fall off slower than the recipe's icosahedra, and pass a faint background off as the recipe's."""
    found = learn_background(recipe(), frames(recipe(level, "lcls-amo", f'sample.shape="{shape}"')))
    times = 1.0 if found is None else found["halo_fraction"] / recipe().background.halo_fraction
    assert level / 2 <= times <= max(2 * level, 1.0)
    if found is not None:
        assert list(found) == list(FRACTIONS)


def test_where_there_is_none_there_is_none_to_scale():
    assert learn_background(recipe(name="ideal"), frames(recipe())) is None


def test_levels_of_more_than_all_light_are_passed_over():
    strong = recipe(1.0, "lcls-amo", "background.halo_fraction=0.3")
    assert learn_background(strong, frames(strong, 12)) is None
