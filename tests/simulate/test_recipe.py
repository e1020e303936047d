"""The recipe's door: what goes in comes out, and what does not fit is said."""

import dataclasses
import itertools
import json
import math
import tomllib
from importlib import resources

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from xfelspi.errors import InputError
from xfelspi.simulate import TERMS, Experiment, Recipe, load_recipe, recipe_from_dict, recipe_names, without


@pytest.mark.parametrize("name", ["benchmark", "ideal", "lcls-amo"])
def test_shipped_recipes_load_and_survive_a_round_trip(name):
    recipe = load_recipe(name)
    assert name in recipe_names()
    assert recipe_from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


FROZEN = {
    "beam": {
        "photon_energy_ev": 1600.0,
        "pulse_energy_mj": 1.0,
        "transmission": 0.05,
        "profile": "even",
        "focus_fwhm_um": 3.0,
        "smallest_fluence_ratio": 0.05,
        "n_modes": 50.0,
        "energy_drift": 0.0,
        "energy_drift_shots": 2000.0,
        "pointing_jitter_um": 0.0,
        "wing_fraction": 0.0,
        "wing_reach_fwhm": 10.0,
        "wavefront_tilt_mrad": (0.0, 0.0),
        "coherence_length_um": math.inf,
        "centre_jitter_pixels": 1.0,
        "photons_per_frame": (5e3, 1e5),
    },
    "sample": {
        "shape": "icosahedron",
        "proportions": {},
        "diameter_nm": 69.0,
        "diameter_spread": 0.05,
        "material": "protein",
        "electrons_per_nm3": None,
        "arrival": "pairs",
        "mean_particles": 1.0,
        "multiplicity": (0.6, 0.3, 0.1),
        "farthest_step": 8.0,
        "relative_fluence": (0.2, 1.0),
    },
    "body": {
        "family": ("cube", "octahedron", "tetrahedron", "star", "blob"),
        "family_blobs": 3,
        "family_stretch": 0.3,
        "family_core_probability": 0.7,
        "stretch": 0.0,
        "core_probability": 0.0,
        "core_size": (0.5, 0.95),
        "core_density": (0.0, 0.5),
        "hydration_nm": 0.0,
        "hydration_electrons_per_nm3": 367.0,
        "ripple": 0.0,
        "ripple_probability": 1.0,
        "ripple_length": (0.5, 2.0),
    },
    "company": {
        "contaminated": 0.0,
        "droplet": 0.0,
        "blank": 0.0,
        "foreign_fraction": (0.06, 1.0),
        "trace_probability": 0.0,
        "foreign_material": "sucrose",
        "satellite_share": 0.3,
        "satellite_reach": 2.0,
        "rod_share": 0.15,
        "rod_aspect": (2.0, 4.0),
        "droplet_nm": (35.0, 150.0),
        "droplet_material": "water",
        "contact_probability": 0.0,
        "size_ratio": (1.0, 1.0),
    },
    "background": {
        "flat_fraction": 0.02,
        "halo_fraction": 0.05,
        "flat_photons_per_pixel": 0.0,
        "halo_photons": 0.0,
        "halo_decay_pixels": 30.0,
        "gas": "N2",
        "gas_fraction": 0.0,
        "gas_mbar_cm": 0.0,
        "aperture_fraction": 0.0,
        "aperture_photons": 0.0,
        "aperture_power": 3.0,
        "aperture_arms": 4,
        "aperture_arm_share": 0.5,
        "aperture_arm_spread": 0.5,
        "incoherent_fraction": 0.0,
        "streak_probability": 0.0,
        "streak_fraction": 0.0,
        "streak_photons": 0.0,
        "streak_width_pixels": 2.0,
        "streak_length_pixels": 30.0,
        "streak_angle_deg": 0.0,
        "streak_angle_spread_deg": 90.0,
        "amplitude_spread": 0.0,
        "centre_spread_pixels": 0.0,
        "file": "",
        "file_fraction": 0.0,
        "file_scale": 1.0,
        "file_smoothing_pixels": 3.0,
    },
    "fluctuation": {
        "rms": 0.15,
        "correlation_pixels": 64.0,
        "additive_fraction": 0.0,
        "additive_rms": 1.0,
        "additive_correlation_pixels": 48.0,
    },
    "detector": {
        "rows": 256,
        "columns": 256,
        "pixel_size_m": 300e-6,
        "distance_m": 0.581,
        "hole_pixels": 8,
        "gap_rows": 2,
        "horizontal_polarization": 1.0,
        "read_noise_photons": 0.0,
        "saturation_photons": 65535,
        "mask_file": "",
    },
    "readout": {
        "unit": 0,
        "new_unit_every": 0,
        "panel_rows": 2,
        "panel_columns": 1,
        "panel_gain_rms": 0.0,
        "panel_offset_photons": 0.0,
        "panel_offset_jitter_photons": 0.0,
        "panel_shift_pixels": 0.0,
        "common_mode_photons": 0.0,
        "charge_cloud_pixels": 0.0,
        "threshold_photons": 0.5,
        "conversion_gain": (1.0, 1.0),
        "blooming": 0.0,
        "hot_fraction": 0.0,
        "hot_photons": 5.0,
        "dead_fraction": 0.0,
        "known_fraction": 0.0,
        "shadow_width_pixels": 0.0,
        "shadow_tip_pixels": 60.0,
        "shadow_edge_pixels": 4.0,
        "shadow_transmission": 0.0,
        "shadow_known": False,
    },
}


def test_the_benchmark_is_frozen():
    """Every accuracy figure stands on it: a new setting must be given the value that changes nothing."""
    recipe = load_recipe("benchmark")
    assert recipe.as_dict() == FROZEN
    assert recipe.sample.density == pytest.approx(436.00469, rel=1e-7)


def test_the_benchmark_does_not_lean_on_defaults():
    text = (resources.files("xfelspi.simulate") / "recipes" / "benchmark.toml").read_text()
    written = tomllib.loads(text)
    written["sample"]["electrons_per_nm3"] = None  # TOML has no word for it
    for section, names in dataclasses.asdict(Recipe()).items():
        assert set(written[section]) == set(names)


def test_a_file_is_a_recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text("[sample]\ndiameter_nm = 40\n[beam]\nphotons_per_frame = [1e3, 2e3]\n")
    recipe = load_recipe(str(path), ["sample.shape=torus", "sample.proportions.tube_to_mean=0.3"])
    assert recipe.sample.diameter_nm == 40.0
    assert recipe.sample.shape == "torus"
    assert recipe.sample.proportions == {"tube_to_mean": 0.3}
    assert recipe.beam.photons_per_frame == (1e3, 2e3)
    assert recipe.detector == Recipe().detector


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["sample.diameter_nm=-3"], "sample.diameter_nm is -3"),
        (["sample.diameter_nm=nan"], "sample.diameter_nm is nan"),
        (["sample.diameter_spread=0.9"], "between 0 and 0.2"),
        (["sample.size=3"], "no setting sample.size; there are shape"),
        (["smaple.size=3"], "no setting smaple; there are beam"),
        (["sample.diameter_nm=big"], "sample.diameter_nm is 'big'"),
        (["sample.arrival=never"], "sample.arrival is 'never'"),
        (["detector.rows=3.5"], "detector.rows is 3.5"),
        (["detector.rows=4"], "between 16 and 8192"),
        (["beam.photons_per_frame=[5, 1]"], "low end first"),
        (["beam.transmission=1.5"], "beam.transmission is 1.5; it must lie between 1e-09 and 1"),
        (["background.flat_fraction=0.7", "background.halo_fraction=0.7"], "add up to 1"),
        (["fluctuation.rms=2"], "between 0 and 1"),
        (["sample.multiplicity=[]"], "up to 15 weights"),
        (["sample.material=cheese"], "no material called 'cheese'"),
        (["diameter_nm=3"], "section.name=value"),
        (["sample.diameter_nm"], "section.name=value"),
        (["sample.shape.kind=3"], "single value"),
        (["beam.n_modes=0.01"], "beam.n_modes is 0.01; it must lie between 1 and"),
        (["beam.focus_fwhm_um=1e-200"], "beam.focus_fwhm_um is 1e-200; it must lie between 0.01"),
        (["beam.pulse_energy_mj=1e38"], "beam.pulse_energy_mj is 1e[+]38; it must lie between 1e-06"),
        (["beam.pulse_energy_mj=1e-45"], "beam.pulse_energy_mj is"),
        (["beam.transmission=1e-300"], "beam.transmission is 1e-300"),
        (["beam.photons_per_frame=[1e-300, 1e3]"], "beam.photons_per_frame .* between 0.001 and 1e12"),
        (["sample.relative_fluence=[1e-300, 1e300]"], "sample.relative_fluence .* between 1e-6 and 1000"),
        (["sample.electrons_per_nm3=1e-300"], "sample.electrons_per_nm3 is 1e-300; it must lie between"),
        (["sample.multiplicity=[nan]"], "sample.multiplicity"),
        (["sample.multiplicity=[1e-320]"], "sample.multiplicity"),
        (["detector.pixel_size_m=1e-30"], "detector.pixel_size_m is 1e-30; it must lie between 1e-07"),
        (["detector.distance_m=1e-9"], "detector.distance_m is 1e-09; it must lie between"),
        (["readout.blooming=1.5"], "readout.blooming is 1.5; it must lie between 0 and 1"),
        (["readout.panel_gain_rms=nan"], "readout.panel_gain_rms is nan"),
        (["readout.threshold_photons=0"], "readout.threshold_photons is 0; it must lie between 0.01 and 1"),
        (["readout.panel_rows=0"], "readout.panel_rows is 0; it must lie between 1 and 16"),
        (["background.halo_decay_pixels=0.001"], "between 1 and 1e5"),
        (["beam.energy_drift=-0.1"], "beam.energy_drift is -0.1; it must lie between 0 and 1"),
        (["beam.energy_drift_shots=0"], "beam.energy_drift_shots is 0; it must lie between 1"),
        (["beam.pointing_jitter_um=nan"], "beam.pointing_jitter_um is nan"),
        (["beam.wing_fraction=1.1"], "beam.wing_fraction is 1.1; it must lie between 0 and 1"),
        (
            ["beam.wing_fraction=0", "beam.pointing_jitter_um=3"],
            r"happen 20.5 µm .* ends at 15 µm; give it wings",
        ),
        (["beam.smallest_fluence_ratio=1e-4"], r"happen 33 µm .* ends at 30 µm; raise beam.wing_reach_fwhm"),
        (["beam.wing_reach_fwhm=1"], "beam.wing_reach_fwhm is 1; it must lie between 3"),
        (["beam.wavefront_tilt_mrad=[1, -1]"], "beam.wavefront_tilt_mrad .* between 0 and 10"),
        (["beam.wavefront_tilt_mrad=[nan, 0]"], "beam.wavefront_tilt_mrad .* between 0 and 10"),
        (["beam.coherence_length_um=0"], "beam.coherence_length_um is 0; it must lie between 0.001 and inf"),
        (["background.gas='Xe'"], "background.gas is 'Xe'"),
        (["background.gas_mbar_cm=-1"], "background.gas_mbar_cm is -1; it must lie between 0"),
        (["background.gas_fraction=0.5", "background.aperture_fraction=0.5"], "add up to 1"),
        (["background.aperture_arms=9"], "background.aperture_arms is 9; it must lie between 0 and 8"),
        (["background.aperture_arm_share=2"], "background.aperture_arm_share is 2"),
        (["background.incoherent_fraction=-1"], "background.incoherent_fraction is -1"),
        (["background.streak_probability=1.5"], "background.streak_probability is 1.5"),
        (["background.streak_width_pixels=0"], "background.streak_width_pixels is 0"),
        (["background.streak_length_pixels=nan"], "background.streak_length_pixels is nan"),
        (["background.amplitude_spread=-0.5"], "background.amplitude_spread is -0.5"),
        (["background.centre_spread_pixels=11"], "background.centre_spread_pixels is 11"),
        (["background.file_scale=nan"], "background.file_scale is nan"),
        (["background.file_smoothing_pixels=-1"], "background.file_smoothing_pixels is -1"),
        (["fluctuation.additive_fraction=1"], "additive_fraction is 1; it must lie between 0 and 0.9"),
        (["fluctuation.additive_rms=nan"], "fluctuation.additive_rms is nan"),
        (["background.halo_photons=1e30"], "background.halo_photons is 1e[+]30; it must lie between"),
    ],
)
def test_what_does_not_fit_is_said_with_its_key(settings, words):
    with pytest.raises(InputError, match=words):
        load_recipe("lcls-amo", ["sample.shape=torus", *settings])


def test_unknown_recipes_and_broken_toml(tmp_path):
    with pytest.raises(InputError, match="no recipe 'lcls'; choose one of benchmark"):
        load_recipe("lcls")
    path = tmp_path / "broken.toml"
    path.write_text("[sample\n")
    with pytest.raises(InputError, match="not valid TOML"):
        load_recipe(str(path))


@pytest.mark.parametrize("name", ["with\0nul", "long" * 2000, "."])
def test_a_name_that_no_file_can_have_is_no_recipe(name):
    with pytest.raises(InputError, match="There is no recipe"):
        load_recipe(name)


@pytest.mark.parametrize(("asked_nm", "spread"), [(4000.0, 0.05), (6000.0, 0.0), (1200.0, 0.2)])
def test_the_diameter_that_is_said_to_fit_does(asked_nm, spread):
    settings = [
        f"sample.diameter_spread={spread}",
        "sample.shape=sphere",
        "sample.electrons_per_nm3=10",  # few enough that light is scattered once
        "detector.rows=16",
        "detector.columns=16",
    ]
    with pytest.raises(InputError, match="Shrink it below") as error:
        Experiment(load_recipe("benchmark", [*settings, f"sample.diameter_nm={asked_nm}"]), 0)
    words = str(error.value).split()
    fits, beyond = (words[words.index(word) + 1] for word in ("below", "beyond"))
    Experiment(load_recipe("benchmark", [*settings, f"sample.diameter_nm={fits}"]), 0)
    further = [f"sample.diameter_nm={asked_nm}", f"detector.distance_m={beyond}"]
    Experiment(load_recipe("benchmark", [*settings, *further]), 0)
    with pytest.raises(InputError):
        Experiment(load_recipe("benchmark", [*settings, f"sample.diameter_nm={1.02 * float(fits)}"]), 0)


def test_what_hardly_fits_anything_is_not_below_zero():
    with pytest.raises(InputError, match=r"Shrink it below 0\.\d*[1-9]"):
        Experiment(load_recipe("benchmark", ["beam.photon_energy_ev=1e6", "detector.pixel_size_m=1.0"]), 0)


def logarithmic(low, high):
    """Anywhere between two positive numbers, each power of ten as likely; both ends too."""
    return st.sampled_from([low, high]) | st.floats(np.log10(low), np.log10(high)).map(lambda x: float(10**x))


def ordered(low, high):
    return st.tuples(logarithmic(low, high), logarithmic(low, high)).map(sorted)


any_recipe = st.fixed_dictionaries(
    {
        "beam": st.fixed_dictionaries(
            {},
            optional={
                "photon_energy_ev": logarithmic(10.0, 1e6),
                "pulse_energy_mj": logarithmic(1e-6, 1e3),
                "transmission": logarithmic(1e-9, 1.0),
                "profile": st.sampled_from(["gaussian", "even"]),
                "focus_fwhm_um": logarithmic(1e-2, 1e4),
                "smallest_fluence_ratio": logarithmic(1e-6, 1.0),
                "n_modes": logarithmic(1.0, 1e6),
                "centre_jitter_pixels": st.floats(0.0, 10.0),
                "energy_drift": st.floats(0.0, 1.0),
                "energy_drift_shots": logarithmic(1.0, 1e9),
                "pointing_jitter_um": st.sampled_from([0.0, 1e4]) | st.floats(0.0, 10.0),
                "wing_fraction": st.floats(0.0, 1.0),
                "wing_reach_fwhm": logarithmic(3.0, 1e3),
                "wavefront_tilt_mrad": st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 10.0)),
                "coherence_length_um": st.just(math.inf) | logarithmic(1e-3, 1e3),
                "photons_per_frame": st.none() | ordered(1e-3, 1e12),
            },
        ),
        "sample": st.fixed_dictionaries(
            {},
            optional={
                "shape": st.sampled_from(["icosahedron", "torus", "sphere"]),
                "diameter_nm": logarithmic(0.1, 1e6) | st.floats(20.0, 200.0),
                "diameter_spread": st.floats(0.0, 0.2),
                "electrons_per_nm3": st.none() | logarithmic(1e-3, 1e4),
                "arrival": st.sampled_from(["pairs", "natural"]),
                "mean_particles": st.floats(0.0, 3.0),
                "multiplicity": st.lists(st.floats(0.0, 1e4), min_size=1, max_size=3),
                "farthest_step": st.sampled_from([1.0 + 2**-52, 1e3]) | st.floats(1.01, 1e3),
                "relative_fluence": ordered(1e-6, 1e3),
            },
        ),
        "body": st.fixed_dictionaries(
            {},
            optional={
                "family": st.lists(
                    st.sampled_from(["sphere", "icosahedron", "torus"]), min_size=1, max_size=2
                ),
                "family_blobs": st.integers(1, 16),
                "family_stretch": st.floats(0.0, 0.5),
                "family_core_probability": st.floats(0.0, 1.0),
                "stretch": st.floats(0.0, 0.5),
                "core_probability": st.floats(0.0, 1.0),
                "core_size": ordered(0.1, 0.99),
                "core_density": st.tuples(st.floats(0.0, 1.0), st.floats(1.0, 5.0)),
                "hydration_nm": st.floats(0.0, 100.0),
                "hydration_electrons_per_nm3": st.floats(0.0, 1e4),
                "ripple": st.floats(0.0, 0.7),
                "ripple_probability": st.floats(0.0, 1.0),
                "ripple_length": ordered(0.2, 10.0),
            },
        ),
        "company": st.fixed_dictionaries(
            {},
            optional={
                "contaminated": st.floats(0.0, 0.33),
                "droplet": st.floats(0.0, 0.33),
                "blank": st.floats(0.0, 0.33),
                "foreign_fraction": ordered(0.051, 10.0),
                "trace_probability": st.floats(0.0, 1.0),
                "satellite_share": st.floats(0.0, 1.0),
                "satellite_reach": st.floats(0.0, 20.0),
                "rod_share": st.floats(0.0, 1.0),
                "rod_aspect": ordered(1.0, 10.0),
                "droplet_nm": ordered(0.1, 1e6) | ordered(20.0, 200.0),
                "contact_probability": st.floats(0.0, 1.0),
                "size_ratio": ordered(0.1, 10.0),
            },
        ),
        "background": st.fixed_dictionaries(
            {},
            optional={
                "flat_fraction": st.floats(0.0, 0.49),
                "halo_fraction": st.floats(0.0, 0.5),
                "flat_photons_per_pixel": st.floats(0.0, 1e9),
                "halo_photons": st.floats(0.0, 1e9),
                "halo_decay_pixels": logarithmic(1.0, 1e5),
                "gas": st.sampled_from(["N2", "He"]),
                "gas_fraction": st.floats(0.0, 0.2),
                "gas_mbar_cm": st.just(0.0) | logarithmic(1e-6, 1e3),
                "aperture_fraction": st.floats(0.0, 0.2),
                "aperture_photons": st.floats(0.0, 1e9),
                "aperture_power": st.floats(0.0, 10.0),
                "aperture_arms": st.integers(0, 8),
                "aperture_arm_share": st.floats(0.0, 1.0),
                "aperture_arm_spread": st.floats(0.0, 3.0),
                "incoherent_fraction": st.just(0.0) | logarithmic(1e-9, 1e3),
                "streak_probability": st.floats(0.0, 1.0),
                "streak_fraction": st.floats(0.0, 0.2),
                "streak_photons": st.floats(0.0, 1e9),
                "streak_width_pixels": logarithmic(0.5, 100.0),
                "streak_length_pixels": logarithmic(1.0, 1e5),
                "streak_angle_deg": st.floats(-180.0, 180.0),
                "streak_angle_spread_deg": st.floats(0.0, 90.0),
                "amplitude_spread": st.floats(0.0, 3.0),
                "centre_spread_pixels": st.floats(0.0, 10.0),
            },
        ),
        "fluctuation": st.fixed_dictionaries(
            {},
            optional={
                "rms": st.floats(0.0, 1.0),
                "correlation_pixels": logarithmic(4.0, 1e4),
                "additive_fraction": st.floats(0.0, 0.9),
                "additive_rms": st.floats(0.0, 2.0),
                "additive_correlation_pixels": logarithmic(4.0, 1e4),
            },
        ),
        "detector": st.fixed_dictionaries(
            {"rows": st.integers(16, 24), "columns": st.integers(16, 24)},
            optional={
                "pixel_size_m": logarithmic(1e-7, 1.0),
                "distance_m": logarithmic(1e-4, 1e3),
                "hole_pixels": st.integers(0, 15),
                "gap_rows": st.integers(0, 15),
                "horizontal_polarization": st.floats(0.0, 1.0),
                "read_noise_photons": st.floats(0.0, 1e4),
                "saturation_photons": st.integers(1, 65_535),
            },
        ),
        "readout": st.fixed_dictionaries(
            {},
            optional={
                "unit": st.integers(0, 2**31 - 1),
                "new_unit_every": st.integers(0, 3),
                "panel_rows": st.integers(1, 16),
                "panel_columns": st.integers(1, 16),
                "panel_gain_rms": st.floats(0.0, 0.3),
                "panel_offset_photons": st.floats(0.0, 1e4),
                "panel_offset_jitter_photons": st.floats(0.0, 1e4),
                "panel_shift_pixels": st.floats(0.0, 10.0),
                "common_mode_photons": st.floats(0.0, 1e4),
                "charge_cloud_pixels": st.floats(0.0, 1.0),
                "threshold_photons": st.floats(0.01, 1.0),
                "blooming": st.floats(0.0, 1.0),
                "hot_fraction": st.floats(0.0, 0.5),
                "hot_photons": st.floats(0.0, 65_535.0),
                "dead_fraction": st.floats(0.0, 0.5),
                "known_fraction": st.floats(0.0, 1.0),
                "shadow_width_pixels": st.floats(0.0, 8192.0),
                "shadow_tip_pixels": st.floats(0.0, 8192.0),
                "shadow_edge_pixels": logarithmic(0.01, 8192.0),
                "shadow_transmission": st.floats(0.0, 1.0),
                "shadow_known": st.booleans(),
            },
        ),
    }
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(any_recipe, st.integers(0, 3))
def test_any_recipe_that_is_accepted_makes_a_frame(tree, index):
    """From one end of every range to the other: finite, not negative, or one sentence that says why not."""
    try:
        experiment = Experiment(recipe_from_dict(tree), seed=0)
    except InputError:
        assume(False)
    shot = experiment.draw(index)
    try:
        expectation = experiment.expect(shot)
    except InputError as error:
        assert "photons" in str(error)  # noqa: PT017
        return
    assert np.isfinite(expectation.photons).all()
    assert expectation.photons.min() >= -1e-5 * expectation.photons.max()
    assert np.isfinite([expectation.total, expectation.background, expectation.gain, *expectation.own]).all()
    frame, truth = experiment.pattern(index)
    assert frame.shape == experiment.recipe.detector.shape
    assert 0.0 <= truth.runner_up_fraction <= 0.5


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3)
)
SECTIONS = [section.name for section in dataclasses.fields(Recipe)]
keys = st.sampled_from(
    [*SECTIONS, "rows", "diameter_nm", "multiplicity", "rms", "core_size", "droplet", "conversion_gain"]
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.dictionaries(keys, st.dictionaries(keys, values, max_size=3) | values, max_size=4))
def test_any_dictionary_is_a_recipe_or_one_sentence(tree):
    sentence = ""
    try:
        recipe_from_dict(tree)
    except InputError as error:
        sentence = str(error)
    assert "\n" not in sentence


def test_every_term_switches_back_to_ideal():
    full, ideal = load_recipe("lcls-amo"), load_recipe("ideal")
    bare = without(full, TERMS)
    for setting in itertools.chain(*TERMS.values()):
        section, name = setting.split(".")
        assert getattr(getattr(bare, section), name) == getattr(getattr(ideal, section), name)
    assert bare.sample.diameter_nm == full.sample.diameter_nm
    with pytest.raises(InputError, match="no term 'cheese'; the terms are"):
        without(full, ["cheese"])


def test_a_recipe_without_its_terms_makes_the_frames_of_ideal():
    """Term off = the exact `ideal` result; the settings that are no term made equal first."""
    ideal = load_recipe("ideal", ["detector.rows=64", "detector.columns=64"])
    same = ["beam.pulse_energy_mj=1.0", "beam.smallest_fluence_ratio=0.05"]
    full = load_recipe("lcls-amo", ["detector.rows=64", "detector.columns=64", *same])
    bare = without(full, TERMS)
    bare = dataclasses.replace(bare, sample=ideal.sample)
    a, b = Experiment(bare, 5), Experiment(ideal, 5)
    for i in range(12):
        frame, truth = a.pattern(i)
        other, other_truth = b.pattern(i)
        assert (frame == other).all()
        assert truth.label == other_truth.label
