"""The physical limit: what the likelihood ratio of two known scenes can do, and the rule 2 εN for it."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import ndtri

from xfelspi.errors import InputError
from xfelspi.shapes import icosahedron, torus
from xfelspi.simulate import (
    Background,
    Detector,
    Experiment,
    Particle,
    Pulse,
    Scene,
    Shot,
    expected_photons,
    form_factor_of,
    load_recipe,
)
from xfelspi.simulate.diffract import largest_q_per_nm
from xfelspi.studies.oracle import contests, counting, evidence, log_likelihood_ratio, rule

DETECTOR = Detector(rows=128, columns=128)
SETTINGS = ["detector.rows=64", "detector.columns=64"]
PHOTONS = 2e4
TURNED = (0.6, 0.5, -0.3, math.sqrt(1 - 0.36 - 0.25 - 0.09))


def scenes(solid, fraction, turn=(1.0, 0.0, 0.0, 0.0)):
    """Expected photons of a pair on good pixels and of its brighter particle alone; εN of the fainter."""
    form = form_factor_of(solid, largest_q_per_nm(1600.0, DETECTOR, 10.0) * 34.5)
    bright = Particle(form, 69.0, 436.0, orientation=TURNED)
    faint = Particle(form, 69.0, 436.0, (140.0, 90.0, 30.0), turn, relative_fluence=fraction)
    pulse = Pulse(1600.0, 1e11, math.inf)
    good = DETECTOR.mask == 0
    expected = [
        expected_photons(Shot(Scene(bodies), pulse, PHOTONS, None, 1), DETECTOR, Background())
        for bodies in ((bright, faint), (bright,))
    ]
    return *(np.maximum(one.photons[good].astype(float), 1e-9) for one in expected), expected[0].own[1]


@pytest.mark.parametrize("turn", [TURNED, (1.0, 0.0, 0.0, 0.0)], ids=["alike", "turned"])
def test_the_signal_of_a_faint_second_particle_is_twice_its_photons(turn):
    """Squared signal-to-noise 2 εN: twice the mean evidence, and the variance of it, under either scene."""
    pair, alone, second_photons = scenes(icosahedron(69.0), 1e-3, turn)
    found = evidence(pair, alone)
    wanted = 2.0 * second_photons
    assert 10.0 < wanted < 60.0
    for signal in (2 * found.multiple, -2 * found.single, found.multiple_sd**2, found.single_sd**2):
        assert signal == pytest.approx(wanted, rel=0.12)


@pytest.mark.parametrize("solid", [icosahedron(69.0), torus(69.0)], ids=["icosahedron", "torus"])
def test_counted_frames_err_as_the_rule_says(solid):
    """Poisson frames of either scene: at 10 % singles lost, the multiples kept, and the mean evidence."""
    rng = np.random.default_rng(3)
    pair, alone, second_photons = scenes(solid, 2.5e-4, TURNED)
    of_pair, of_alone = (
        np.array([log_likelihood_ratio(rng.poisson(scene), pair, alone) for _ in range(600)])
        for scene in (pair, alone)
    )
    kept = float(np.mean(of_pair <= np.quantile(of_alone, 0.9)))
    assert 0.02 < kept < 0.5
    assert kept == pytest.approx(float(rule(np.array([second_photons]), 0.1)[0]), abs=0.07)
    # In units of the noise: the distance of the two kinds of frames is √(2 εN).
    distance = (of_pair.mean() - of_alone.mean()) / of_alone.std()
    assert distance == pytest.approx(math.sqrt(2.0 * second_photons), rel=0.12)


def test_the_moments_are_those_of_counted_frames():
    rng = np.random.default_rng(4)
    pair, alone, _ = scenes(icosahedron(69.0), 0.02)
    found = evidence(pair, alone)
    counted = np.array([log_likelihood_ratio(rng.poisson(pair), pair, alone) for _ in range(400)])
    assert counted.mean() == pytest.approx(found.multiple, abs=5 * found.multiple_sd / 20)
    assert counted.std() == pytest.approx(found.multiple_sd, rel=0.12)


def test_contests_are_of_the_very_frames_of_the_run():
    """A run's own counts, and their scene's evidence; the singles' lies on the other side."""
    recipe = load_recipe("benchmark", [*SETTINGS, "sample.shape='sphere'"])
    experiment = Experiment(recipe, 5)
    pairs = [i for i in range(16) if len(experiment.draw(i).scene.particles) > 1]
    found = contests(recipe, 5, pairs)
    plain = Experiment(counting(recipe), 5)
    for index in pairs:
        assert_array_equal(plain.pattern(index)[0], experiment.pattern(index)[0])
    assert all(contest.of_multiple > 0.0 > contest.of_single for contest in found)
    assert all(contest.kept(0.01) < 1e-6 for contest in found)


def test_an_oracle_that_may_lose_every_single_keeps_nothing():
    pair, alone, _ = scenes(icosahedron(69.0), 1e-4)
    (contest,) = contests(load_recipe("benchmark", [*SETTINGS, "sample.shape='sphere'"]), 5, [_first_pair()])
    weak = type(contest)(evidence=evidence(pair, alone), of_multiple=0.0, of_single=0.0)
    kept = [weak.kept(fnr) for fnr in (0.001, 0.01, 0.1, 0.5, 0.999)]
    assert kept == sorted(kept, reverse=True)
    nothing = type(contest)(evidence=evidence(alone, alone), of_multiple=0.0, of_single=0.0)
    assert nothing.kept(0.05) == pytest.approx(0.95)


def test_the_rule_without_a_second_particle_is_chance():
    assert rule(np.zeros(1), 0.2)[0] == pytest.approx(0.8)
    assert rule(np.array([ndtri(0.8) ** 2 / 2]), 0.2)[0] == pytest.approx(0.5)


def test_a_realistic_detector_is_reduced_to_counting():
    recipe = load_recipe("lcls-amo")
    plain = counting(recipe)
    assert plain.detector.read_noise_photons == 0.0
    assert plain.readout.panel_gain_rms == plain.readout.hot_fraction == 0.0
    assert (plain.beam, plain.sample, plain.background) == (recipe.beam, recipe.sample, recipe.background)


def test_a_single_hit_is_no_contest():
    recipe = load_recipe("benchmark", [*SETTINGS, "sample.shape='sphere'"])
    with pytest.raises(InputError, match="no multiple hit"):
        contests(recipe, 5, [1 - _first_pair()])


def _first_pair():
    """Which of the first two shots, of which one is single, is not."""
    experiment = Experiment(load_recipe("benchmark", [*SETTINGS, "sample.shape='sphere'"]), 5)
    return next(i for i in (0, 1) if len(experiment.draw(i).scene.particles) > 1)
