"""How far the beam wanders is told by the symmetry of the frames."""

import numpy as np
import pytest

from xfelspi.fidelity import FrameSet
from xfelspi.simulate import Experiment, load_recipe
from xfelspi.studies.wander import learn_wander

SMALL = ["detector.rows=128", "detector.columns=128", "detector.pixel_size_m=600e-6"]


def recipe(*settings):
    bright = "beam.photons_per_frame=[2e4, 8e4]"
    return load_recipe("lcls-amo", [*SMALL, bright, "beam.wavefront_tilt_mrad=[0.0, 0.0]", *settings])


def frames(of, n=60, seed=5, moved=0.0):
    experiment = Experiment(of, seed=seed)
    counts = np.stack([experiment.pattern(index)[0] for index in range(n)])
    y, x = of.detector.middle_yx
    return FrameSet(counts=counts, good=of.detector.mask == 0, centre_yx=(y + moved, x))


@pytest.mark.parametrize("wander", [0.0, 0.4, 1.0, 2.5])
def test_a_known_wander_is_found(wander):
    found = learn_wander(recipe(), frames(recipe(f"beam.centre_jitter_pixels={wander}")))
    assert found == pytest.approx(wander, rel=0.25, abs=0.15)


def test_an_axis_that_is_not_seen_is_not_counted(tmp_path):
    """Two rows are left above the beam: along y nothing tells the centre, along x the other half does."""
    np.save(tmp_path / "half.npy", (np.arange(128) < 62)[:, None] * np.ones((1, 128), np.uint8))
    half = f"detector.mask_file={str(tmp_path / 'half.npy')!r}"
    found = learn_wander(recipe(half), frames(recipe(half, "beam.centre_jitter_pixels=1.0")))
    assert found == pytest.approx(1.0, rel=0.3)


def test_dim_frames_and_a_centre_said_wrongly_tell_nothing():
    assert learn_wander(recipe(), frames(recipe("beam.photons_per_frame=[500, 2000]"))) is None
    assert learn_wander(recipe(), frames(recipe(), moved=7.8)) is None
    assert learn_wander(recipe(), frames(recipe(), n=5)) is None
