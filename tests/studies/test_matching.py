"""A recipe takes its frames from measured shots, and nothing from their labels."""

import h5py
import numpy as np
import pytest

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.simulate import Experiment, load_recipe, simulate_to_file
from xfelspi.studies.matching import match
from xfelspi.studies.simulated import changed

ASKED = ["detector.rows=96", "detector.columns=96", "beam.photons_per_frame=[2e4, 2e4]"]


def foreign_file(path, settings, labels=None, recipe="benchmark", window=(), n=60):
    """Frames and a mask, without any geometry."""
    source = simulate_to_file(path.with_suffix(".source.h5"), load_recipe(recipe, settings), n, seed=9)
    with PatternSet.open(source) as patterns, h5py.File(path, "w") as file:
        file["patterns"] = patterns.frames(0, n).counts[:, *window]
        file["mask"] = patterns.mask[window]
        file["labels"] = patterns.labels if labels is None else labels
    return path


def matched(recipe, path, folder, **options):
    with PatternSet.open(path) as patterns:
        return match(recipe, patterns, folder / "mask", **options).settings


def totals(recipe, n=40):
    """Mean counts of frames of a recipe, each by another copy of the detector."""
    experiment, good = Experiment(recipe, seed=7), recipe.detector.mask == 0
    stride = max(1, recipe.readout.new_unit_every)
    shots = [experiment.pattern(index * stride) for index in range(n)]
    return np.mean([frame[good].sum() for frame, truth in shots if truth.label != "blank"])


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


def test_particles_make_up_for_what_is_no_whole_ratio(tmp_path):
    """Pixels twice as wide and particles of 74 nm for 69: together they look 2.14 times as large."""
    made = [*ASKED, "detector.pixel_size_m=600e-6", "sample.diameter_nm=74", "sample.diameter_spread=0.02"]
    path = foreign_file(tmp_path / "run.h5", made)
    settings = matched(load_recipe("benchmark"), path, tmp_path)
    assert settings["detector"]["pixel_size_m"] == pytest.approx(600e-6)
    assert settings["sample"]["diameter_nm"] == pytest.approx(74, rel=0.03)
    settings = matched(load_recipe("benchmark"), path, tmp_path, fixed={"sample.diameter_nm"})
    assert settings["detector"]["pixel_size_m"] == pytest.approx(600e-6 * 74 / 69, rel=0.03)
    assert "diameter_nm" not in settings["sample"]


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
    with pytest.raises(InputError, match=r"scale .* cannot be told"):
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


def test_a_centre_that_is_not_in_the_middle_is_found(tmp_path):
    """A frame cut off at one side: its middle is no centre, and rings about it tell another scale."""
    asked = [*ASKED, "detector.pixel_size_m=600e-6"]
    path = foreign_file(tmp_path / "run.h5", asked, window=(slice(0, 84), slice(16, None)))
    settings = matched(load_recipe("benchmark"), path, tmp_path)
    assert settings["detector"]["pixel_size_m"] == pytest.approx(600e-6)


def test_misses_of_a_run_take_no_part(tmp_path):
    """Nine in ten pulses hit nothing: scale and counts are those of the others."""
    asked = ["detector.rows=192", "detector.columns=192", 'sample.arrival="natural"']
    empty = foreign_file(tmp_path / "run.h5", [*asked, "sample.mean_particles=0.1"], recipe="lcls-amo", n=300)
    with PatternSet.open(empty) as patterns:
        assert np.mean(patterns.frames(0, 300).counts.sum(axis=(1, 2)) < 2000) > 0.5
    settings = matched(load_recipe("lcls-amo"), empty, tmp_path)
    assert settings["detector"]["pixel_size_m"] == pytest.approx(300e-6)
    assert settings["beam"]["photons_per_frame"][0] > 2000


def test_frames_of_no_particle_are_refused_in_their_own_words(tmp_path):
    path = tmp_path / "flat.h5"
    rng = np.random.default_rng(1)
    for counts, words in (
        (rng.poisson(1.0, (40, 128, 100)), "No particle|cannot be told"),
        (7, "cannot be told"),
    ):
        with h5py.File(path, "w") as file:
            file["patterns"] = np.full((40, 128, 100), counts, np.uint16)
        with pytest.raises(InputError, match=words):
            matched(load_recipe("lcls-amo"), path, tmp_path)
    assert not list(tmp_path.glob("mask*"))


@pytest.mark.parametrize("dim", [False, True])
def test_what_stays_fixed_is_counted_with(tmp_path, dim):
    """Measured counts come out again whatever the conversion: a given one, or one that is not told."""
    photons = "beam.photons_per_frame=[300, 300]" if dim else "beam.photons_per_frame=[3e4, 3e4]"
    half = ["readout.conversion_gain=[0.5, 0.5]", "readout.threshold_photons=0.5"]
    small = ["detector.rows=96", "detector.columns=96", "detector.pixel_size_m=600e-6"]
    path = foreign_file(tmp_path / "run.h5", [photons, *half, *small], recipe="lcls-amo")
    with PatternSet.open(path) as patterns:
        measured = np.mean(patterns.frames(0, 60).counts[:, ~patterns.mask].sum(axis=1))
    given = ["background.halo_decay_pixels=21.0"]
    if not dim:
        given += ["readout.conversion_gain=[1.0, 1.0]", "beam.centre_jitter_pixels=2.0"]
    recipe = load_recipe("lcls-amo", given)
    settings = matched(recipe, path, tmp_path, fixed={one.partition("=")[0] for one in given})
    assert "conversion_gain" not in settings["readout"]
    assert "wavefront_tilt_mrad" not in settings["beam"]
    assert "halo_decay_pixels" not in settings["background"]
    assert totals(changed(recipe, settings)) == pytest.approx(measured, rel=0.25)
    with pytest.raises(InputError, match=r"detector\.rows comes from the frames"):
        matched(recipe, path, tmp_path, fixed={"detector.rows"})


def test_a_geometry_is_taken_over_and_particles_are_as_large_as_it_takes(tmp_path):
    """Where q is known, the scale of the frames is: it is the particles that are of another size."""
    small = [
        "detector.rows=160",
        "detector.columns=160",
        "sample.diameter_nm=45",
        'sample.shape="icosahedron"',
    ]
    path = tmp_path / "run.h5"
    simulate_to_file(path, load_recipe("euxfel-spb", small), 60, seed=9)
    source, recipe = load_recipe("euxfel-spb", small), load_recipe("lcls-amo")
    settings = matched(recipe, path, tmp_path)
    for section, name in (
        ("beam", "photon_energy_ev"),
        ("detector", "distance_m"),
        ("detector", "pixel_size_m"),
    ):
        assert settings[section][name] == pytest.approx(getattr(getattr(source, section), name))
    assert settings["sample"]["diameter_nm"] == pytest.approx(45, rel=0.1)
    with pytest.raises(InputError, match=r"beam\.photon_energy_ev comes from the frames"):
        matched(recipe, path, tmp_path, fixed={"beam.photon_energy_ev"})
