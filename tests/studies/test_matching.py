"""A recipe takes its frames from measured shots, and nothing from their labels."""

import h5py
import numpy as np
import pytest

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file
from xfelspi.studies.matching import match
from xfelspi.studies.simulated import changed

ASKED = ["detector.rows=96", "detector.columns=96", "beam.photons_per_frame=[2e4, 2e4]"]


def foreign_file(path, settings, labels=None):
    """Frames and a mask, without any geometry."""
    source = simulate_to_file(path.with_suffix(".source.h5"), load_recipe("benchmark", settings), 60, seed=9)
    with PatternSet.open(source) as patterns, h5py.File(path, "w") as file:
        file["patterns"] = patterns.frames(0, 60).counts
        file["mask"] = patterns.mask
        file["labels"] = patterns.labels if labels is None else labels
    return path


def matched(recipe, path, folder):
    with PatternSet.open(path) as patterns:
        return match(recipe, patterns, folder / "mask")


def test_scale_frame_mask_and_counts_are_those_of_the_shots(tmp_path):
    """Pixels of 600 um under a recipe of 300 um: twice as wide, told by the particles alone."""
    path = foreign_file(tmp_path / "run.h5", [*ASKED, "detector.pixel_size_m=600e-6"])
    recipe = load_recipe("benchmark")
    settings = matched(recipe, path, tmp_path)
    assert settings["detector"]["pixel_size_m"] == pytest.approx(600e-6)
    assert settings["detector"]["rows"] == settings["detector"]["columns"] == 96
    low, high = settings["beam"]["photons_per_frame"]
    assert 1.5e4 < low < high < 2.5e4
    # What is given in pixels spans the same angle as before.
    assert settings["background"]["halo_decay_pixels"] == pytest.approx(15.0)
    assert settings["fluctuation"]["correlation_pixels"] == pytest.approx(32.0)
    with PatternSet.open(path) as patterns:
        whole = changed(recipe, settings)
        np.testing.assert_array_equal(whole.detector.mask != 0, patterns.mask)


def test_finer_pixels_are_simulated_as_far_as_a_model_sees(tmp_path):
    """Particles of 35 nm look half as wide as the recipe's: two pixels make one of the model's."""
    small = ["detector.rows=400", "detector.columns=400", "sample.diameter_nm=35"]
    path = foreign_file(tmp_path / "run.h5", [*small, "beam.photons_per_frame=[5e4, 5e4]"])
    detector = matched(load_recipe("benchmark"), path, tmp_path)["detector"]
    assert detector["pixel_size_m"] == pytest.approx(150e-6, rel=0.15)
    assert 280 <= detector["rows"] == detector["columns"] <= 360
    assert np.load(detector["mask_file"]).shape == (detector["rows"], detector["columns"])


def test_labels_are_not_looked_at(tmp_path):
    one = foreign_file(tmp_path / "one.h5", ASKED)
    other = foreign_file(tmp_path / "other.h5", ASKED, labels=np.zeros(60, np.int8))
    recipe = load_recipe("benchmark")
    assert matched(recipe, one, tmp_path) == matched(recipe, other, tmp_path)


def test_frames_without_light_have_no_scale(tmp_path):
    path = tmp_path / "dark.h5"
    with h5py.File(path, "w") as file:
        file["patterns"] = np.zeros((20, 64, 64), np.uint16)
    with pytest.raises(InputError, match="no photons away from the beam"):
        matched(load_recipe("benchmark"), path, tmp_path)


def test_no_other_mask_is_replaced_and_another_mask_is_another_recipe(tmp_path):
    path = foreign_file(tmp_path / "run.h5", ASKED)
    own = tmp_path / "mask.npy"
    own.write_bytes(b"made by hand")
    first = matched(load_recipe("benchmark"), path, tmp_path)["detector"]["mask_file"]
    assert matched(load_recipe("benchmark"), path, tmp_path)["detector"]["mask_file"] == first
    with h5py.File(path, "r+") as file:
        file["mask"][3, 3] = 1 - file["mask"][3, 3]
    assert matched(load_recipe("benchmark"), path, tmp_path)["detector"]["mask_file"] != first
    assert own.read_bytes() == b"made by hand"
