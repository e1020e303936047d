"""A whole frame: background, field, mask and truth, each against what it says of itself."""

import dataclasses
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from judge import amplitudes, photons
from xfelspi.errors import InputError
from xfelspi.simulate import (
    TERMS,
    Background,
    Detector,
    Experiment,
    Fluctuation,
    Pulse,
    Scene,
    Shot,
    expected_photons,
    load_recipe,
    without,
)
from xfelspi.simulate._widen import BEFORE
from xfelspi.simulate.shot import runner_up

DETECTOR = Detector(rows=128, columns=96)
SMALL = ["detector.rows=64", "detector.columns=64", "detector.pixel_size_m=1.2e-3"]


def blank(pulse, field=None, step=1):
    return Shot(Scene(), pulse, None, field, step)


def test_the_halo_decays_from_where_the_beam_is():
    offset = (9.25, -6.75)
    background = Background(halo_photons=1e5, halo_decay_pixels=20.0)
    got = expected_photons(blank(Pulse(1600.0, 1.0, 1.0, 1.0, offset)), DETECTOR, background).photons
    y = np.arange(128)[:, None] - 63.5
    x = np.arange(96)[None, :] - 47.5
    good = DETECTOR.mask == 0
    strength = 1e5 / np.exp(-np.hypot(y, x) / 20.0)[good].sum()
    r = np.hypot(y - offset[0], x - offset[1])
    expected = strength * np.exp(-r / 20.0)
    good &= r > 8.0  # nearer, the template's bilinear reading blunts the cusp
    assert_allclose(got[good], expected[good], rtol=3e-3)


def test_background_follows_the_pulse_energy():
    background = Background(flat_photons_per_pixel=0.3, halo_photons=500.0)
    by_hand = 0.3 * DETECTOR.good.sum() + 500.0
    for ratio in (1.0, 2.5):
        expectation = expected_photons(blank(Pulse(1600.0, 1.0, 1.0, ratio)), DETECTOR, background)
        assert_allclose(expectation.total, ratio * by_hand, rtol=1e-5)
        assert_allclose(expectation.background, ratio * by_hand, rtol=1e-5)


def test_the_field_multiplies_every_pixel():
    fluctuation = Fluctuation(rms=0.3, correlation_pixels=32.0)
    field = fluctuation.draw(np.random.default_rng(0), DETECTOR)
    pulse = Pulse(1600.0, 1.0, 1.0)
    background = Background(flat_photons_per_pixel=2.0)
    got = expected_photons(blank(pulse, field, fluctuation.step), DETECTOR, background)
    nodes = got.photons[:: fluctuation.step, :: fluctuation.step] / 2.0
    drawn = field[BEFORE : BEFORE + nodes.shape[0], BEFORE : BEFORE + nodes.shape[1]]
    there = DETECTOR.good[:: fluctuation.step, :: fluctuation.step] > 0
    assert_allclose(nodes[there], drawn[there], rtol=2e-3)
    assert_allclose(got.total, got.photons.sum(), rtol=1e-5)


def test_the_field_of_a_drawn_shot_reaches_its_frame():
    experiment = Experiment(load_recipe("benchmark", SMALL), seed=3)
    shot = experiment.draw(0)
    uneven = experiment.expect(shot).photons
    even = experiment.expect(dataclasses.replace(shot, field=None)).photons
    ratio = uneven[even > 0] / even[even > 0]
    assert 0.03 < ratio.std() / ratio.mean() < 0.5
    assert_allclose(uneven.sum(), even.sum(), rtol=1e-5)  # the recipe fixes the total


@pytest.mark.parametrize("name", ["benchmark", "lcls-amo"])
def test_the_truth_lets_a_shot_be_computed_anew(name):
    """Fluence, places, sizes and turns as recorded give the photons as recorded, from the judge."""
    recipe = load_recipe(name, SMALL)
    if name == "lcls-amo":  # the truth names no layers and no foreign bodies; terms have laws of their own
        recipe = without(recipe, set(TERMS) - {"background", "centre-jitter", "field"})
    experiment = Experiment(recipe, seed=5)
    detector = experiment.recipe.detector
    for index in range(4):
        shot = experiment.draw(index)
        _, truth = experiment.pattern(index)
        scene = Scene(
            tuple(
                dataclasses.replace(
                    particle,
                    diameter_nm=truth.diameter_nm[j],
                    position_nm=tuple(truth.position_nm[j]),
                    orientation=tuple(truth.orientation[j]),
                    relative_fluence=truth.fluence_per_um2[j],
                )
                for j, particle in enumerate(shot.scene.particles)
            )
        )
        pulse = Pulse(1600.0, 1.0, math.inf, 1.0, tuple(truth.centre_offset_pixels))
        alone = [(np.abs(wave) ** 2 * detector.good).sum() for wave in amplitudes(scene, pulse, detector, 1)]
        assert_allclose(truth.photons, alone, rtol=0.02)  # here a pixel is 0.6 radians wide and blurs
        expectation = experiment.expect(dataclasses.replace(shot, field=None))
        light = (photons(scene, pulse, detector, 3) * detector.good).sum()
        if name == "lcls-amo":
            assert_allclose(expectation.total - expectation.background, light, rtol=5e-3)


def test_too_dark_a_particle_is_not_made_a_frame_of_background():
    dark = ["beam.pulse_energy_mj=1e-6", "beam.transmission=1e-9", "sample.electrons_per_nm3=1e-3"]
    far = ["detector.distance_m=1000", "detector.pixel_size_m=1e-7", "sample.diameter_nm=1"]
    experiment = Experiment(load_recipe("benchmark", [*dark, *far]), seed=0)
    with pytest.raises(InputError, match=r"photons_per_frame asks for .* send none"):
        experiment.pattern(0)


def test_too_bright_a_frame_is_said():
    pulse = Pulse(1600.0, 1.0, 1.0, 1e31)
    with pytest.raises(InputError, match="beyond what can be counted"):
        expected_photons(blank(pulse), DETECTOR, Background(flat_photons_per_pixel=1.0))


def test_the_runner_up_of_dark_particles_has_no_share():
    experiment = Experiment(load_recipe("benchmark", SMALL), seed=0)
    scene = next(s for s in (experiment.draw(i).scene for i in range(2)) if len(s.particles) > 1)
    fraction, separation = runner_up(scene, np.zeros(len(scene.particles)))
    assert fraction == 0.0
    assert separation > 0.0


@pytest.mark.parametrize(("rows", "columns"), [(256, 256), (255, 64), (64, 255)])
@pytest.mark.parametrize("width", [0, 1, 2, 7, 8])
def test_hole_and_gap_are_as_wide_as_asked(rows, columns, width):
    hole = Detector(rows=rows, columns=columns, hole_pixels=width, gap_rows=0).mask != 0
    assert hole.sum() == width**2
    assert hole.any(axis=0).sum() == hole.any(axis=1).sum() == width
    gap = Detector(rows=rows, columns=columns, hole_pixels=0, gap_rows=width).mask != 0
    assert gap.all(axis=1).sum() == width
    assert gap.sum() == width * columns
    for dark, n in ((hole.any(axis=1), rows), (hole.any(axis=0), columns), (gap.any(axis=1), rows)):
        if width:
            assert abs(np.flatnonzero(dark).mean() - (n - 1) / 2) <= 0.5


def test_a_narrow_halo_around_a_wide_hole_is_still_a_halo():
    detector = Detector(hole_pixels=240)
    background = Background(halo_photons=1e4, halo_decay_pixels=1.0)
    expectation = expected_photons(blank(Pulse(1600.0, 1.0, 1.0)), detector, background)
    assert_allclose(expectation.photons.sum(), 1e4, rtol=1e-4)
