"""How photons became counts is told by the noise of the counts, and by how they fall off."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from xfelspi.fidelity import FrameSet
from xfelspi.simulate import Experiment, load_recipe
from xfelspi.studies.conversion import learn_conversion
from xfelspi.studies.matching import photons_that_give

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
    assert found.gain[0] <= gain <= found.gain[1]
    assert np.mean(found.gain) == pytest.approx(gain, rel=0.08)
    if (gain, threshold) == (0.5, 0.5):  # others do not show: at 0.5, all above 0.5 take two photons for one
        assert found.threshold_photons == 0.5


LESS_BACKGROUND = [
    f"background.{name}_fraction=0" for name in ("flat", "halo", "gas", "aperture", "incoherent")
]


@pytest.mark.slow
@pytest.mark.parametrize(("gain", "threshold"), [(0.5, 0.5), (0.42, 0.8)])
@pytest.mark.parametrize("other", [['sample.shape="torus"'], LESS_BACKGROUND])
def test_whether_a_photon_alone_is_a_count_is_told_where_noise_does_not(gain, threshold, other):
    """The two have one noise curve, to what 40 frames tell; other particles and other background, too."""
    of_set = [f"readout.conversion_gain=[{gain}, {gain}]", f"readout.threshold_photons={threshold}", *other]
    found = learn_conversion(recipe(), frames(recipe(*of_set)))
    lacks = found.threshold_photons - np.mean(found.gain)  # what a photon alone, of `gain` counts, lacks
    assert lacks == pytest.approx(threshold - gain, abs=0.15)


def test_photons_that_give_counts_are_found():
    """Half of them counted: some 2 photons for a count, more where the threshold costs dim frames more."""
    half = recipe("readout.conversion_gain=[0.5, 0.5]", "company.blank=0")
    for counts in (2e2, 2e4):
        photons = photons_that_give(counts, half)
        again = replace(half, beam=replace(half.beam, photons_per_frame=(photons, photons)))
        assert frames(again, 60).totals.mean() == pytest.approx(counts, rel=0.1)


def test_what_is_no_counting_is_left_as_it_is():
    bright = frames(recipe("readout.conversion_gain=[1.0, 1.0]"))
    smooth = uniform_filter(bright.counts.astype(np.float32), (0, 3, 3))
    assert (
        learn_conversion(recipe(), FrameSet(counts=smooth, good=bright.good, centre_yx=bright.centre_yx))
        is None
    )
    units = FrameSet(counts=30.0 * bright.counts, good=bright.good, centre_yx=bright.centre_yx)
    assert learn_conversion(recipe(), units) is None


def test_too_little_light_or_few_frames_tell_nothing():
    dim = frames(recipe("beam.photons_per_frame=[50, 100]"))
    assert learn_conversion(recipe(), dim) is None
    bright = frames(recipe(), n=9)
    assert learn_conversion(recipe(), bright) is None
