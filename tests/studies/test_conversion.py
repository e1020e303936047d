"""How photons became counts is told by the noise of the counts alone."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from xfelspi.fidelity import FrameSet
from xfelspi.simulate import Experiment, load_recipe
from xfelspi.studies.conversion import learn_conversion

RECIPE = "lcls-amo"
SMALL = ["detector.rows=128", "detector.columns=128", "detector.pixel_size_m=600e-6"]


def recipe(*settings):
    return load_recipe(RECIPE, [*SMALL, "beam.photons_per_frame=[1e4, 8e4]", *settings])


def frames(of, n=40, seed=5):
    """Frames of a recipe."""
    experiment = Experiment(of, seed=seed)
    counts = np.stack([experiment.pattern(index)[0] for index in range(n)])
    return FrameSet(counts=counts, good=of.detector.mask == 0, centre_yx=of.detector.middle_yx)


@pytest.mark.parametrize(("gain", "threshold"), [(1.0, 0.7), (0.5, 0.5), (0.5, 0.7), (0.8, 0.5)])
def test_gain_and_threshold_are_found(gain, threshold):
    measured = frames(
        recipe(f"readout.conversion_gain=[{gain}, {gain}]", f"readout.threshold_photons={threshold}")
    )
    found = learn_conversion(recipe(), measured)
    assert found.gain == pytest.approx(gain, rel=0.08)
    if (gain, threshold) == (0.5, 0.5):  # others do not show: at 0.5, all above 0.5 take two photons for one
        assert found.threshold_photons == 0.5
    # Photons that give the counts which the recipe's range was taken from.
    again = recipe(
        f"readout.conversion_gain=[{found.gain}, {found.gain}]",
        f"readout.threshold_photons={found.threshold_photons}",
        f"beam.photons_per_frame=[{1e4 * found.photons_per_count}, {8e4 * found.photons_per_count}]",
    )
    plain = recipe("readout.conversion_gain=[1.0, 1.0]", "readout.threshold_photons=0.5")
    assert np.median(frames(again).totals) == pytest.approx(np.median(frames(plain).totals), rel=0.15)


def test_what_is_no_counting_is_left_as_it_is():
    bright = frames(recipe("readout.conversion_gain=[1.0, 1.0]"))
    smooth = uniform_filter(bright.counts.astype(np.float32), (0, 3, 3))
    assert (
        learn_conversion(recipe(), FrameSet(counts=smooth, good=bright.good, centre_yx=bright.centre_yx))
        is None
    )
    units = FrameSet(counts=30.0 * bright.counts, good=bright.good, centre_yx=bright.centre_yx)
    assert learn_conversion(recipe(), units) is None


def test_too_little_light_or_one_frame_tells_nothing():
    dim = frames(recipe("beam.photons_per_frame=[50, 100]"))
    assert learn_conversion(recipe(), dim) is None
    assert learn_conversion(recipe(), dim.chosen(np.array([0]))) is None
