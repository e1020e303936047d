"""A plan says what can be said by hand, and what a model says about shots of just this kind."""

import importlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from toy_shots import QUICK, write_simulated
from typer.testing import CliRunner

from xfelspi.classify import Predictor, load_model, train
from xfelspi.classify.intervals import wilson
from xfelspi.cli import app
from xfelspi.constants import ELECTRON_RADIUS_NM
from xfelspi.errors import InputError
from xfelspi.shapes import sphere
from xfelspi.simulate import (
    Beam,
    Detector,
    Experiment,
    Particle,
    Scene,
    form_factor,
    form_factor_of,
    load_recipe,
    scattered_light,
)
from xfelspi.simulate.qspace import momentum_transfer, wavenumber_per_nm
from xfelspi.studies.plan import NO_MODEL, plan
from xfelspi.studies.speckles import farthest_visible_nm, fringe_signal, speckles, visibility

FLUENCE_PER_UM2 = 1e11
EVEN = [
    'beam.profile="even"',
    "beam.n_modes=1e6",
    'sample.shape="sphere"',
    "sample.diameter_spread=0.0",
    "detector.hole_pixels=0",
    "detector.gap_rows=0",
]
"""Every hit alike, on a detector without a hole."""
SMALL = ["detector.rows=64", "detector.columns=64"]


def even(*more):
    """A recipe in which every sphere of 70 nm gets 1e11 photons per um²."""
    recipe = load_recipe("ideal", [*EVEN, "sample.diameter_nm=70", *more])
    energy_mj = recipe.beam.pulse_energy_mj * FLUENCE_PER_UM2 / recipe.beam.mean_peak_fluence_per_um2
    return replace(recipe, beam=replace(recipe.beam, pulse_energy_mj=energy_mj))


def xfel(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def toy_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return train([write_simulated(folder / "toy.h5", 120)], QUICK, out=folder, name="toy")


def test_a_sphere_of_70_nm_sends_what_is_calculated_by_hand():
    """8.5e5 photons: docs/physics.md."""
    found = plan(even(), n=20)
    assert found.photons.mean == pytest.approx(8.5e5, rel=0.02)
    assert found.photons.high / found.photons.low < 1.01
    assert found.background.mean == 0.0
    assert found.counts.mean == pytest.approx(found.photons.mean, rel=0.005)  # Poisson alone
    for cause in found.causes.values():
        assert cause.mean == pytest.approx(1.0)
        assert cause.high / cause.low < 1.01


def test_photons_follow_pulse_energy_and_the_fourth_power_of_the_diameter():
    base = even()
    brighter = replace(base, beam=replace(base.beam, pulse_energy_mj=3.0 * base.beam.pulse_energy_mj))
    larger = replace(base, sample=replace(base.sample, diameter_nm=100.0))
    one, three, large = (plan(recipe, n=20).photons.mean for recipe in (base, brighter, larger))
    assert three / one == pytest.approx(3.0, rel=1e-3)
    assert large / one == pytest.approx((100.0 / 70.0) ** 4, rel=0.02)


def test_causes_of_the_spread_are_told_apart():
    recipe = load_recipe(
        "ideal", [*EVEN, 'beam.profile="gaussian"', "beam.n_modes=4", "sample.diameter_spread=0.1"]
    )
    causes = plan(recipe, n=400).causes
    energy, place, body = (
        causes[name] for name in ("pulse energy", "place in the focus", "orientation, size and body")
    )
    assert energy.low == pytest.approx(0.34, abs=0.08)  # 5 % of a gamma distribution of 4 modes
    # Hits spread evenly over the disc of a Gaussian: log-uniform from 0.05 to 1, with a mean of 0.95 / ln 20.
    assert place.median == pytest.approx(math.sqrt(0.05) / (0.95 / math.log(20.0)), rel=0.2)
    assert body.high / body.low == pytest.approx((1.1645 / 0.8355) ** 4, rel=0.3)


def test_photons_in_a_shannon_pixel_are_those_of_the_closed_form():
    """fluence (r_e ρ F(q) π/(D k))², polarization aside, for a sphere."""
    recipe = even()
    found = speckles(Experiment(recipe, 0), 3)
    ball, k = sphere(70.0), wavenumber_per_nm(1600.0)
    per_shannon = (math.pi / 70.0 / k) ** 2
    for index in (0, 2, 4):
        fine = np.linspace(0.5, -0.5, 41) * (found.q_per_nm[1] - found.q_per_nm[0]) + found.q_per_nm[index]
        q = np.stack([fine, 0 * fine, 0 * fine], axis=-1)
        weight = fine  # a ring's area grows with its radius
        squared = np.average(np.abs(form_factor(ball, q)) ** 2, weights=weight)
        expected = (
            FLUENCE_PER_UM2 * 1e-6 * (ELECTRON_RADIUS_NM * recipe.sample.density) ** 2 * squared * per_shannon
        )
        assert found.mean[index] == pytest.approx(expected, rel=0.05)
    np.testing.assert_allclose(found.low, found.high, rtol=0.02)


def test_resolution_grows_with_the_light():
    reaches = []
    for energy_mj in (1e-4, 1e-2, 1.0):
        base = even()
        recipe = replace(base, beam=replace(base.beam, pulse_energy_mj=energy_mj))
        reaches.append(speckles(Experiment(recipe, 0), 2).reach_per_nm)
    assert reaches[0] < reaches[1] <= reaches[2]
    dark = replace(even(), beam=replace(even().beam, pulse_energy_mj=1e-6, transmission=1e-6))
    assert speckles(Experiment(dark, 0), 2).reach_per_nm is None


@pytest.fixture(scope="module")
def pairs():
    """Two equal spheres side by side at several distances: their light, and that of each alone."""
    detector = Detector(hole_pixels=0, gap_rows=0)
    beam = Beam(profile="even", centre_jitter_pixels=0.0)
    pulse = beam.draw(np.random.default_rng(0))
    pulse = replace(pulse, centre_offset_pixels=(0.0, 0.0))
    form = form_factor_of(sphere(70.0), 0.0)
    found = {}
    for apart_nm in (200.0, 600.0, 900.0, 1200.0):
        bodies = [Particle(form, 70.0, 436.0, (sign * apart_nm / 2, 0.0, 0.0)) for sign in (-1, 1)]
        alone = [scattered_light(Scene((body,)), pulse, detector).photons.astype(float) for body in bodies]
        both = scattered_light(Scene(tuple(bodies)), pulse, detector).photons.astype(float)
        found[apart_nm] = both, *alone
    return detector, found


def test_visibility_is_that_of_the_simulated_fringes(pairs):
    detector, found = pairs
    y, x = detector.positions_m(np.arange(256)[:, None], np.arange(256)[None, :])
    x, y = np.broadcast_arrays(x, y)
    q = momentum_transfer(x, y, detector.distance_m, wavenumber_per_nm(1600.0))
    for apart_nm, (both, one, other) in found.items():
        wave = 2.0 * np.sqrt(one * other) * np.cos(q[..., 0] * apart_nm)
        seen = ((both - one - other) * wave).sum() / (wave * wave).sum()
        assert seen == pytest.approx(visibility(np.array(apart_nm), 1600.0, detector, math.inf), abs=0.02)


def test_the_signal_of_fringes_is_that_of_a_filter_that_knows_them(pairs):
    detector, found = pairs
    for apart_nm, (both, one, other) in found.items():
        flat = one + other
        known = math.sqrt(((both - flat) ** 2 / np.maximum(flat, 1e-12)).sum())
        told = fringe_signal(one.sum(), other.sum(), 0.0, visibility(apart_nm, 1600.0, detector, math.inf))
        assert told == pytest.approx(known, rel=0.1)


def test_short_coherence_brings_pairs_nearer():
    detector = Detector()
    whole = farthest_visible_nm(1600.0, detector, math.inf)
    assert whole == pytest.approx(905.0, abs=2.0)
    assert farthest_visible_nm(1600.0, detector, 0.2) == pytest.approx(
        200.0 * math.sqrt(2 * math.log(2)), rel=0.05
    )


def test_fringes_drown_in_background():
    clean = plan(load_recipe("ideal", SMALL), n=100).pairs
    drowned = plan(load_recipe("ideal", [*SMALL, "background.flat_photons_per_pixel=1e4"]), n=100).pairs
    assert clean["n"] == drowned["n"] == 50
    assert clean["median"] > 20.0 > drowned["median"]
    assert clean["seen"] > drowned["seen"]
    assert clean["seen_ci"] == list(wilson(round(50 * clean["seen"]), 50))


def test_what_is_infinite_is_null_in_json():
    found = plan(load_recipe("ideal"), n=20).as_dict()
    assert found["recipe"]["beam"]["coherence_length_um"] is None
    json.dumps(found, allow_nan=False)


def test_the_model_sorts_shots_of_just_this_kind(toy_model):
    model = load_model(toy_model)
    kept = {}

    def show(_plan, patterns):
        kept["logits"], kept["labels"] = Predictor(model)(patterns).logits, patterns.labels

    row = plan(load_recipe("ideal"), model, n=80, seed=4, show=show).recognition
    singles = kept["logits"][kept["labels"] == 1]
    lost = int((singles <= model.thresholds.balanced).sum())
    assert (row["n_single"], row["n_other"], singles.size) == (40, 40, 40)
    assert row["fnr"] == pytest.approx(lost / 40)
    assert row["fnr_ci"] == pytest.approx(list(wilson(lost, 40)))
    always = replace(model, thresholds=replace(model.thresholds, balanced=-1e9))
    never = replace(model, thresholds=replace(model.thresholds, balanced=1e9))
    for judge, fnr, fpr in ((always, 0.0, 1.0), (never, 1.0, 0.0)):
        row = plan(load_recipe("ideal"), judge, n=40).recognition
        assert (row["fnr"], row["fnr_dim"], row["fpr"]) == (fnr, fnr, fpr)


def test_more_shots_narrow_the_interval(toy_model):
    model = load_model(toy_model)
    few, many = (plan(load_recipe("ideal"), model, n=n).recognition["fpr_ci"] for n in (40, 200))
    assert many[1] - many[0] < few[1] - few[0]


@pytest.fixture
def no_model(monkeypatch):
    command = importlib.import_module("xfelspi.cli.plan")
    load = command._model
    monkeypatch.setattr(command, "_model", lambda path: None if path is None else load(path))


@pytest.mark.usefixtures("no_model")
def test_without_a_model_the_command_says_so_and_tells_the_rest():
    result = xfel("plan", "--diameter", 30, "--pulse-energy-mj", 1, "-n", 40)
    assert result.exit_code == 0
    assert NO_MODEL in result.output
    assert "Photons of one particle" in result.output
    assert "Recognition" not in result.output


def test_every_option_reaches_the_recipe(toy_model, tmp_path):
    page = tmp_path / "plan.html"
    given = {
        "--diameter": (40, "sample", "diameter_nm", 40.0),
        "--photon-energy": (2000, "beam", "photon_energy_ev", 2000.0),
        "--pulse-energy-mj": (3, "beam", "pulse_energy_mj", 3.0),
        "--focus": (1.5, "beam", "focus_fwhm_um", 1.5),
        "--transmission": (0.4, "beam", "transmission", 0.4),
        "--shape": ("sphere", "sample", "shape", "sphere"),
        "--material": ("water", "sample", "material", "water"),
        "--set": ("detector.distance_m=0.3", "detector", "distance_m", 0.3),
    }
    options = [word for option, (value, *_) in given.items() for word in (option, value)]
    result = xfel(
        "plan", *options, "--recipe", "ideal", "-n", 40, "--model", toy_model, "--json", "--out", page
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    for _, section, name, value in given.values():
        assert told["recipe"][section][name] == value
    assert told["recognition"]["n_single"] == 20
    assert told["photons_per_shannon_pixel"]["mean"][0] > 0.0
    text = page.read_text("utf-8")
    assert text.count("<img") == 2
    assert "false negatives" in text


def test_a_picture_alone(tmp_path):
    picture = tmp_path / "shots.png"
    result = xfel("plan", "--recipe", "ideal", "-n", 20, "--out", picture)
    assert result.exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--recipe", "benchmark"), "beam.photons_per_frame"),
        (("-n", "3"), "20 or more with -n"),
        (("--diameter", "900"), "Shrink it below"),
        (("--shape", "cone-of-light"), "no shape called"),
        (("--material", "cheese"), "no material called"),
        (("--out", "plan.docx"), ".html nor .png"),
        (("--model", "nowhere.safetensors"), "nowhere.safetensors"),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(options, words):
    result = xfel("plan", *options)
    assert result.exit_code == 2
    assert words in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("name", ["mine.html", "mine.png"])
def test_a_page_of_somebody_else_is_refused_before_the_work(tmp_path, name, monkeypatch):
    monkeypatch.setattr("xfelspi.studies.plan.simulate_to_file", None)  # would fail if it were called
    (tmp_path / name).write_text("mine")
    result = xfel("plan", "-n", 20, "--out", tmp_path / name)
    assert result.exit_code == 2
    assert "mine" in result.output
    assert (tmp_path / name).read_text() == "mine"


def test_a_plan_leaves_no_shots_behind(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan(load_recipe("ideal"), n=20)
    assert list(tmp_path.iterdir()) == []


def test_the_fixed_photons_of_a_recipe_are_refused():
    with pytest.raises(InputError, match="lcls-amo"):
        plan(load_recipe("benchmark"))
