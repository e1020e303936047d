"""Light beside the particles: each component against its law, and all of them against the truth."""

import dataclasses
import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.ndimage import map_coordinates

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.simulate import (
    Background,
    Beam,
    Detector,
    Experiment,
    Fluctuation,
    Pulse,
    Scene,
    Shot,
    Surround,
    _light,
    _widen,
    expected_photons,
    load_recipe,
    read_blanks,
    simulate_to_file,
)
from xfelspi.simulate._widen import BEFORE
from xfelspi.simulate.apertures import MOST_ARMS, aperture_templates, draw_arms
from xfelspi.simulate.gas import atomic_form_factor, gas_photons
from xfelspi.simulate.halo import halo_template
from xfelspi.simulate.surround import draw_surround

PLAIN_AMO = str(Path(__file__).with_name("plain-amo.toml"))

DETECTOR = Detector(rows=128, columns=96)
GOOD = DETECTOR.mask == 0
PULSE = Pulse(1600.0, 1.0, 1.0, photons=1e12)
SMALL = ["detector.rows=64", "detector.columns=64", "detector.pixel_size_m=1.2e-3"]
BLANK = ["sample.arrival='natural'", "sample.mean_particles=0"]
DARK = ["background.flat_photons_per_pixel=0", "background.halo_photons=0", "fluctuation.rms=0"]

ON = {
    "gas": ["background.gas_mbar_cm=0.3"],
    "apertures": ["background.aperture_photons=900"],
    "incoherent": ["background.incoherent_fraction=0.1"],
    "streak": ["background.streak_probability=0.7", "background.streak_photons=700"],
    "background-amplitude": ["background.amplitude_spread=0.4"],
    "background-centre": ["background.centre_spread_pixels=1.5"],
    "blobs": ["fluctuation.additive_fraction=0.1"],
    "energy-drift": ["beam.energy_drift=0.1"],
    "pointing-jitter": ["beam.pointing_jitter_um=0.5"],
    "focus-wings": ["beam.wing_fraction=0.3"],
    "wavefront-tilt": ["beam.wavefront_tilt_mrad=[1.3, 1.7]"],
    "coherence": ["beam.coherence_length_um=0.4"],
}


def experiment(*settings, name=PLAIN_AMO, seed=3):
    return Experiment(load_recipe(name, [*SMALL, *settings]), seed)


def blank_light(background, surround=None, pulse=PULSE, detector=DETECTOR):
    shot = Shot(Scene(), pulse, None, None, 1, surround or Surround())
    return expected_photons(shot, detector, background)


# Terms as such


@pytest.mark.parametrize("term", ON)
def test_a_term_changes_what_it_is_and_no_other_draw(term):
    """The scene (but for places in another focus), the field and the fixed photons stay."""
    plain = experiment(name=PLAIN_AMO)
    changed = experiment(*ON[term])
    differs = False
    for index in range(6):
        without, with_term = plain.draw(index), changed.draw(index)
        particles = list(zip(without.scene.particles, with_term.scene.particles, strict=True))
        assert all(a.orientation == b.orientation and a.diameter_nm == b.diameter_nm for a, b in particles)
        if term != "focus-wings":
            assert all(a.position_nm == b.position_nm for a, b in particles)
        assert_array_equal(with_term.field, without.field)
        differs |= bool((changed.expect(with_term).photons != plain.expect(without).photons).any())
    assert differs


def test_terms_of_the_surround_do_not_move_each_other():
    """One switched off, the others draw what they drew with it."""
    background = Background(
        aperture_photons=900.0, streak_probability=0.7, amplitude_spread=0.4, centre_spread_pixels=1.5
    )
    fluctuation = Fluctuation(additive_fraction=0.1)
    for index in range(20):
        full = draw_surround(background, fluctuation, DETECTOR, None, 1, index)
        for off, kept in (
            ({"aperture_photons": 0.0}, "streak_angle"),
            ({"streak_probability": 0.0}, "arms"),
            ({"amplitude_spread": 0.0}, "centre_shift_pixels"),
            ({"aperture_arms": 2}, "amplitude"),
        ):
            less = draw_surround(
                dataclasses.replace(background, **off), fluctuation, DETECTOR, None, 1, index
            )
            assert getattr(less, kept) == getattr(full, kept)
            assert_array_equal(less.blobs, full.blobs)


def test_shapes_of_what_is_off_do_not_matter():
    """Settings that only shape a component leave every count as it was."""
    shaped = experiment(
        "background.gas='He'",
        "background.aperture_power=1",
        "background.aperture_arms=8",
        "background.streak_width_pixels=9",
        "background.file_smoothing_pixels=1",
        "fluctuation.additive_rms=0.2",
        "beam.wing_reach_fwhm=4",
        "beam.energy_drift_shots=3",
        name="benchmark",
    )
    plain = experiment(name="benchmark")
    for index in range(4):
        assert_array_equal(shaped.pattern(index)[0], plain.pattern(index)[0])


@pytest.mark.parametrize("fixed", [False, True])
def test_with_all_terms_on_the_truth_knows_the_background(fixed):
    """What is not scattered by particles, summed before the field, is what the truth says."""
    settings = [s for term in ON.values() for s in term] + ["fluctuation.rms=0"]
    if fixed:
        settings += ["beam.photons_per_frame=[1e4, 2e4]", "background.gas_fraction=0.1"]
        settings += ["background.aperture_fraction=0.1", "background.streak_fraction=0.05"]
        settings += ["background.halo_fraction=0.05", "background.flat_fraction=0.02"]
    lit = experiment(*settings)
    for index in range(6):
        shot = lit.draw(index)
        still = dataclasses.replace(
            shot, surround=dataclasses.replace(shot.surround, blobs=None, blobs_fraction=0.0)
        )
        expectation = lit.expect(still)
        assert_allclose(expectation.photons.sum(dtype=float), expectation.total, rtol=1e-5)
        alone = lit.expect(dataclasses.replace(still, photons=None))
        dark = dataclasses.replace(still, photons=None, surround=Surround())
        scattered = expected_photons(dark, lit.recipe.detector, Background()).total
        gain = expectation.gain if fixed else 1.0
        # Halo light is counted with the beam in the middle: it jitters by a pixel or two.
        assert_allclose(expectation.total - expectation.background, gain * scattered, rtol=3e-3)
        assert expectation.background > 0.02 * expectation.total or not fixed
        assert alone.gain == 1.0
        if fixed:
            assert_allclose(expectation.total, shot.photons, rtol=1e-5)
            assert_allclose(lit.expect(shot).total, shot.photons, rtol=1e-5)


# Gas


def test_gas_by_hand():
    """0.1 mbar·cm of N2 are 2.47e19 molecules/m², each of 14² electrons; 1e12 photons, 300 µm at 0.581 m."""
    detector = Detector(rows=65, columns=65, hole_pixels=0, gap_rows=0)
    ahead = 1e12 * 0.1 * gas_photons("N2", 1600.0, detector)[32, 32]
    molecules_per_m2 = 10.0 * 0.01 / (1.380649e-23 * 293.15)
    by_hand = 1e12 * molecules_per_m2 * (2.8179403e-15 * 14.0) ** 2 * (300e-6 / 0.581) ** 2
    assert_allclose(ahead, by_hand, rtol=2e-3)
    assert_allclose(ahead, 0.01, rtol=0.05)
    helium = 1e12 * 0.1 * gas_photons("He", 1600.0, detector)[32, 32]
    assert_allclose(ahead / helium, 49.0, rtol=3e-3)


@pytest.mark.parametrize("gas", ["N2", "He"])
@pytest.mark.parametrize(("energy_ev", "distance_m"), [(1600.0, 0.581), (9000.0, 0.05)])
def test_gas_written_out(gas, energy_ev, distance_m):
    detector = Detector(rows=80, columns=64, distance_m=distance_m, horizontal_polarization=0.7)
    y = (np.arange(80)[:, None] - 39.5) * 300e-6
    x = (np.arange(64)[None, :] - 31.5) * 300e-6
    r = np.sqrt(x**2 + y**2 + distance_m**2)
    s_per_angstrom = np.sin(np.arctan2(np.hypot(x, y), distance_m) / 2.0) * energy_ev / 12398.42
    if gas == "N2":  # International Tables C, 6.1.1.4, once more
        a, b, c = (12.2126, 3.1322, 2.0125, 1.1663), (0.0057, 9.8933, 28.9975, 0.5826), -11.529
    else:
        a, b, c = (0.8734, 0.6309, 0.3112, 0.1780), (9.1037, 3.3568, 22.9276, 0.9821), 0.0064
    f = c + sum(m * np.exp(-n * s_per_angstrom**2) for m, n in zip(a, b, strict=True))
    qd = 4.0 * np.pi * s_per_angstrom * 1.0977
    squared = 2.0 * f**2 * (1.0 + np.sin(qd) / qd) if gas == "N2" else f**2
    polarization = 0.7 * (1.0 - (x / r) ** 2) + 0.3 * (1.0 - (y / r) ** 2)
    solid_angle = 300e-6**2 * distance_m / r**3
    by_hand = 2.4707e20 * 7.94079e-30 * polarization * solid_angle * squared
    assert_allclose(gas_photons(gas, energy_ev, detector), by_hand, rtol=1e-4)
    assert f.min() / f.max() < (0.95 if distance_m < 0.1 else 1.0)


def test_gas_in_a_shot_follows_the_photons_and_the_pressure():
    background = Background(gas_mbar_cm=0.4)
    for photons in (1e12, 3e12):
        got = blank_light(background, pulse=dataclasses.replace(PULSE, photons=photons))
        by_hand = 0.4 * photons * gas_photons("N2", 1600.0, DETECTOR) * GOOD
        assert_allclose(got.photons, by_hand, rtol=1e-4)
        assert_allclose(got.background, by_hand.sum(), rtol=1e-4)
    assert_allclose(atomic_form_factor("He", np.array(0.0)), 2.0, atol=1e-3)


# Apertures


def test_recipes_in_turn_do_not_make_their_templates_anew():
    """A mixture goes from detector to detector, shot by shot."""
    detectors = [Detector(rows=64, columns=64, distance_m=0.5 + 0.01 * i) for i in range(8)]
    background = Background(aperture_photons=1e3, halo_photons=1e3)
    for _ in range(2):
        misses = aperture_templates.cache_info().misses, halo_template.cache_info().misses
        for detector in detectors:
            blank_light(background, detector=detector)
    assert (aperture_templates.cache_info().misses, halo_template.cache_info().misses) == misses


@pytest.mark.parametrize("rows", [64, 65])
def test_apertures_light_the_pixel_that_the_beam_meets(rows):
    """Without hole and gap, a detector of odd size has a pixel at the beam itself."""
    detector = Detector(rows=rows, columns=rows, hole_pixels=0, gap_rows=0)
    lit = blank_light(Background(aperture_photons=1e3), detector=detector)
    assert np.isfinite(lit.photons).all()
    assert_allclose(lit.photons.sum(), lit.total, rtol=1e-4)
    assert lit.total > 500.0
    assert lit.background == pytest.approx(lit.total, rel=1e-4)


def test_apertures_fall_as_a_power_from_where_the_beam_is():
    background = Background(aperture_photons=1e5, aperture_power=2.5, aperture_arms=0)
    surround = Surround(centre_shift_pixels=(2.25, -3.5))
    pulse = dataclasses.replace(PULSE, centre_offset_pixels=(1.0, 2.0))
    got = blank_light(background, surround, pulse)
    y, x = np.arange(128)[:, None] - 63.5, np.arange(96)[None, :] - 47.5
    strength = 1e5 / (np.hypot(y, x)[GOOD] ** -2.5).sum()
    r = np.hypot(y - 3.25, x + 1.5)
    there = GOOD & (r > 12.0)  # nearer, reading between the template's pixels shows
    assert_allclose(got.photons[there], (strength * r**-2.5)[there], rtol=6e-3)
    assert_allclose(got.background, got.photons.sum(), rtol=1e-5)


def test_arms_stay_for_a_run_and_vary_from_shot_to_shot():
    background = Background(aperture_photons=1e4, aperture_arm_spread=0.6)
    shots = [draw_surround(background, Fluctuation(), DETECTOR, None, 4, i) for i in range(1500)]
    assert len({tuple(arm[:2] for arm in shot.arms) for shot in shots}) == 1
    assert draw_arms(4) != draw_arms(5)
    assert len(draw_arms(4)) == MOST_ARMS
    strengths = np.array([[part for *_, part in shot.arms] for shot in shots])
    assert_allclose(strengths.mean(axis=0).sum(), 1.0, atol=0.04)
    assert_allclose(strengths.std(axis=0) / strengths.mean(axis=0), 0.6, rtol=0.15)
    independent = np.corrcoef(strengths.T) - np.eye(4)
    assert np.abs(independent).max() < 4.5 / math.sqrt(1500)


def test_an_arm_points_where_it_is_said_to():
    """From +x towards +y, as wide as it is said, with the part of the light that the arms have."""
    direction, width = 2.2, 0.08
    detector = Detector(hole_pixels=16, gap_rows=0)
    surround = Surround(arms=((direction, width, 1.0),))
    background = Background(aperture_photons=1e6, aperture_arm_share=1.0)
    light = blank_light(background, surround, detector=detector).photons.astype(float)
    y, x = np.arange(256)[:, None] - 127.5, np.arange(256)[None, :] - 127.5
    off = np.angle(np.exp(1j * (np.arctan2(y, x) - direction)))
    ring = (np.hypot(y, x) > 40.0) & (np.hypot(y, x) < 100.0)
    mean = (off * light)[ring].sum() / light[ring].sum()
    assert_allclose(mean, 0.0, atol=0.01)
    assert_allclose(math.sqrt((off**2 * light)[ring].sum() / light[ring].sum()), width, rtol=0.03)
    shared = dataclasses.replace(background, aperture_arm_share=0.3)
    even = blank_light(dataclasses.replace(background, aperture_arms=0), detector=detector).photons
    both = blank_light(shared, surround, detector=detector).photons
    assert_allclose(both, 0.3 * light + 0.7 * even, rtol=1e-4, atol=1e-6 * light.max())


# Incoherent light, streaks, amplitude, centre


def test_incoherent_light_is_a_part_of_what_particles_send():
    lit, dark = experiment(*DARK, "background.incoherent_fraction=0.2"), experiment(*DARK)
    shot = next(s for s in (dark.draw(i) for i in range(2)) if len(s.scene.particles) == 1)
    got, without = lit.expect(shot), dark.expect(shot)
    assert_allclose(got.background, 0.2 * without.total, rtol=1e-5)
    detector = dark.recipe.detector
    y, x = detector.positions_m(np.arange(64)[:, None], np.arange(64)[None, :])
    even = (x**2 + y**2 + 0.581**2) ** -1.5 * detector.good
    added = 0.2 * without.total * even / even.sum()
    assert_allclose(got.photons - without.photons, added, atol=2e-6 * without.photons.max())
    assert lit.expect(dataclasses.replace(shot, scene=Scene())).total == 0.0


def test_streaks_come_as_often_and_point_where_they_are_asked_to():
    background = Background(
        streak_probability=0.3, streak_photons=1.0, streak_angle_deg=20.0, streak_angle_spread_deg=5.0
    )
    shots = [draw_surround(background, Fluctuation(), DETECTOR, None, 2, i) for i in range(3000)]
    angles = np.degrees([s.streak_angle for s in shots if s.streak_angle is not None])
    assert abs(len(angles) / 3000 - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 3000)
    assert stats.kstest((angles - 15.0) / 10.0, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("angle_deg", [0.0, 27.0, 90.0, -60.0])
def test_a_streak_lies_through_the_beam(angle_deg):
    background = Background(streak_photons=5e4, streak_width_pixels=3.0, streak_length_pixels=25.0)
    surround = Surround(streak_angle=math.radians(angle_deg))
    pulse = dataclasses.replace(PULSE, energy_ratio=0.5, centre_offset_pixels=(4.0, -6.5))
    detector = Detector(rows=200, columns=220, hole_pixels=0, gap_rows=0)
    got = blank_light(background, surround, pulse, detector)
    assert_allclose(got.background, 2.5e4, rtol=1e-6)
    assert_allclose(got.photons.sum(dtype=float), 2.5e4, rtol=1e-4)
    v, u = np.arange(200)[:, None] - 103.5, np.arange(220)[None, :] - 103.0
    angle = math.radians(angle_deg)
    along, across = (
        u * math.cos(angle) + v * math.sin(angle),
        v * math.cos(angle) - u * math.sin(angle),
    )
    weight = got.photons / got.photons.sum(dtype=float)
    assert_allclose((weight * across).sum(), 0.0, atol=1e-3)
    assert_allclose(math.sqrt((weight * across**2).sum()), 3.0, rtol=0.01)
    near, far = np.abs(along) < 3.0, np.abs(np.abs(along) - 75.0) < 3.0
    assert_allclose(weight[near].sum() / weight[far].sum() * 2.0, 10.0**1.5, rtol=0.06)


def test_the_amplitude_spread_has_mean_one_and_leaves_the_particles():
    background = Background(flat_photons_per_pixel=1.0, amplitude_spread=0.4)
    drawn = np.array(
        [draw_surround(background, Fluctuation(), DETECTOR, None, 0, i).amplitude for i in range(4000)]
    )
    assert_allclose(drawn.mean(), 1.0, atol=4 * 0.4 / math.sqrt(4000))
    assert_allclose(drawn.std(), 0.4, rtol=0.08)
    spread, steady = experiment("background.amplitude_spread=0.8"), experiment()
    shot = spread.draw(1)
    assert_allclose(
        spread.expect(shot).background, shot.surround.amplitude * steady.expect(steady.draw(1)).background
    )
    assert_array_equal(spread.expect(shot).own, steady.expect(steady.draw(1)).own)


def test_a_spread_of_fractions_never_takes_the_whole_frame():
    settings = ["background.amplitude_spread=2", "background.flat_fraction=0.2"]
    wild = experiment(*settings, name="benchmark")
    shares = []
    for index in range(60):
        shot = dataclasses.replace(wild.draw(index), field=None)
        expectation = wild.expect(shot)
        shares.append(expectation.background / expectation.total)
        assert_allclose(shares[-1], min(0.9, 0.25 * shot.surround.amplitude), rtol=1e-3)
        assert_allclose(expectation.total, shot.photons, rtol=1e-5)
    assert max(shares) > 0.89


def test_the_halo_moves_without_the_pattern():
    moving = experiment("background.centre_spread_pixels=2")
    shifts = np.array([moving.draw(i).surround.centre_shift_pixels for i in range(1000)])
    assert_allclose(shifts.std(axis=0), 2.0, rtol=0.1)
    background = Background(halo_photons=1e5, halo_decay_pixels=20.0)
    moved = blank_light(background, Surround(centre_shift_pixels=(3.0, -5.0))).photons
    pulse = dataclasses.replace(PULSE, centre_offset_pixels=(3.0, -5.0))
    assert_array_equal(moved, blank_light(background, pulse=pulse).photons)


# Blobs


def test_blobs_have_the_mean_and_spread_they_are_asked_for():
    """On even light of 10 photons, a = 0.3 and σ = 0.8: mean 10, standard deviation 2.4, never below 7."""
    background = Background(flat_photons_per_pixel=10.0)
    fluctuation = Fluctuation(additive_fraction=0.3, additive_rms=0.8, additive_correlation_pixels=24.0)
    frames = []
    for index in range(400):
        surround = draw_surround(background, fluctuation, DETECTOR, None, 0, index)
        expectation = blank_light(background, surround)
        assert_allclose(expectation.background, 10.0 * DETECTOR.n_good, rtol=1e-5)
        assert_allclose(expectation.photons.sum(dtype=float), expectation.total, rtol=1e-5)
        frames.append(expectation.photons[::12, ::12])
    frames = np.array(frames, dtype=float)[:, GOOD[::12, ::12]]
    assert frames.min() >= 7.0 * (1 - 1e-6)
    assert_allclose(frames.mean(), 10.0, atol=0.08)
    assert_allclose(frames.std(axis=0).mean(), 2.4, rtol=0.06)


def test_blobs_are_as_wide_as_they_are_asked_to_be():
    fluctuation = Fluctuation(additive_fraction=0.3, additive_rms=0.5, additive_correlation_pixels=24.0)
    background = Background()
    drawn = [draw_surround(background, fluctuation, DETECTOR, None, 0, i).blobs for i in range(500)]
    logs = np.log(drawn)
    logs -= logs.mean()
    lag = 24 // fluctuation.additive_step
    correlation = (logs[:, :, lag:] * logs[:, :, :-lag]).mean() / (logs**2).mean()
    assert_allclose(correlation, math.exp(-0.5), atol=0.05)
    surround = Surround(blobs=drawn[0], blobs_fraction=0.5, blobs_step=fluctuation.additive_step)
    light = blank_light(Background(flat_photons_per_pixel=2.0), surround).photons
    step = fluctuation.additive_step
    nodes = (light[::step, ::step] - 1.0)[GOOD[::step, ::step]]
    shape = light[::step, ::step].shape
    there = drawn[0][BEFORE : BEFORE + shape[0], BEFORE : BEFORE + shape[1]][GOOD[::step, ::step]]
    assert_allclose(nodes, there, atol=0.01)


# Measured blanks


@pytest.fixture(scope="module")
def blanks_file(tmp_path_factory):
    """Forty blanks of a run with flat light and a halo, whose amplitude varies, and a few hits."""
    path = tmp_path_factory.mktemp("blanks") / "run.h5"
    settings = [*SMALL, "sample.arrival='natural'", "sample.mean_particles=0.3", "fluctuation.rms=0"]
    settings += ["background.flat_photons_per_pixel=0.4", "background.halo_photons=1500"]
    recipe = load_recipe(PLAIN_AMO, [*settings, "background.amplitude_spread=0.3"])
    return simulate_to_file(path, recipe, 60, 9, workers=1)


def test_blanks_appear_with_their_mean_and_only_they(blanks_file):
    """Frames with a particle in them are left out; light of half the counts has half their mean."""
    with PatternSet.open(blanks_file) as patterns:
        blank = patterns.truth["n_particles"] == 0
        counts = patterns.frames(0, 60).counts[blank].astype(float)
    assert 20 < len(counts) < 60
    measured = experiment(
        *BLANK, *DARK, f"background.file='{blanks_file}'", "background.file_scale=0.5", seed=1
    )
    shots = [measured.draw(i) for i in range(400)]
    assert len({shot.surround.blank_photons for shot in shots}) == len(counts)
    frames = np.array([measured.expect(shot).photons for shot in shots], dtype=float)
    good = measured.recipe.detector.mask == 0
    totals = frames.sum(axis=(1, 2))
    expected = 0.5 * counts[:, good].sum(axis=1)
    assert_allclose(totals.mean(), expected.mean(), rtol=4 * 0.3 / math.sqrt(400) + 0.02)
    assert_allclose(totals.std(), expected.std(), rtol=0.2)
    far = good.copy()
    far[20:44, 20:44] = False  # the halo's cusp is blunted
    assert_allclose(frames.mean(axis=0)[far].mean(), 0.5 * counts.mean(axis=0)[far].mean(), rtol=0.05)
    assert_allclose([measured.expect(s).background for s in shots[:5]], totals[:5], rtol=1e-5)


def test_blanks_do_not_bring_their_photon_noise_twice(tmp_path):
    """Counts drawn from smoothed blanks of an even 0.4 photons have the variance 0.4, not 0.8."""
    path = tmp_path / "even.h5"
    counts = np.random.default_rng(0).poisson(0.4, (60, 64, 64)).astype(np.uint16)
    with h5py.File(path, "w") as file:
        file["patterns"] = counts
    measured = experiment(*BLANK, *DARK, f"background.file='{path}'")
    detector = measured.recipe.detector
    frames = np.array([measured.pattern(i)[0] for i in range(100)])[:, detector.mask == 0].astype(float)
    assert_allclose(frames.mean(), 0.4, rtol=0.02)
    assert_allclose(frames.var() / frames.mean(), 1.0, atol=0.03)
    sharp = experiment(*BLANK, *DARK, f"background.file='{path}'", "background.file_smoothing_pixels=0")
    twice = np.array([sharp.pattern(i)[0] for i in range(100)])[:, detector.mask == 0].astype(float)
    assert_allclose(twice.var() / twice.mean(), 2.0, atol=0.1)


def test_blanks_lie_by_the_centre_that_their_file_says(tmp_path):
    """Though it says no more of its geometry."""
    counts = np.zeros((3, 64, 64), np.uint16)
    counts[:, 20, 40] = 900
    path = tmp_path / "off.cxi"
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["data"] = counts
        for axis, place in (("x", 40.5), ("y", 20.5)):  # from the edge of the first pixel
            detector[f"beam_center_{axis}"] = place
            detector[f"beam_center_{axis}"].attrs["units"] = "pixels"
        file["cxi_version"] = 160
    with PatternSet.open(path) as patterns:
        assert (patterns.geometry, patterns.beam_yx) == (None, (20.0, 40.0))
    detector = Detector(rows=65, columns=65, hole_pixels=0, gap_rows=0)
    blanks = read_blanks(Background(file=str(path), file_smoothing_pixels=1.0), Beam(), detector)
    assert np.unravel_index(blanks.frames[0].argmax(), (65, 65)) == (32, 32)


def test_blanks_of_another_size_are_laid_centre_on_centre(tmp_path):
    """A measured mask is filled from around it; a smaller frame leaves the rim dark."""
    rows, columns = 41, 90  # fewer rows than the detector, more columns
    counts = np.full((3, rows, columns), 5, np.uint16)
    mask = np.zeros((rows, columns), np.uint8)
    mask[18:23, 43:47] = 1
    counts[:, mask != 0] = 999
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["patterns"], file["mask"] = counts, mask
    detector = Detector(rows=65, columns=64, hole_pixels=0, gap_rows=0)
    blanks = read_blanks(Background(file=str(path), file_smoothing_pixels=1.0), Beam(), detector)
    assert blanks.frames.shape == (3, 65, 64)
    assert_allclose(blanks.frames[:, 12:53], 5.0, rtol=1e-5)
    assert not blanks.frames[:, :8].any()
    assert not blanks.frames[:, 57:].any()


def test_a_changed_file_of_blanks_is_another_run(tmp_path):
    path, out = tmp_path / "blanks.h5", tmp_path / "out.h5"
    recipe = load_recipe(PLAIN_AMO, [*SMALL, f"background.file='{path}'"])
    for fill in (1, 2):
        with h5py.File(path, "w") as file:
            file["patterns"] = np.full((4, 64, 64), fill, np.uint16)
        if fill == 1:
            simulate_to_file(out, recipe, 2, 0, workers=1)
            with PatternSet.open(out) as patterns:
                assert len(patterns.run["blanks_sha256"]) == 64
        else:
            with pytest.raises(InputError):
                simulate_to_file(out, recipe, 2, 0, workers=1)


def test_blanks_that_do_not_fit_are_said(blanks_file, tmp_path):
    def refused(words, *settings, name=PLAIN_AMO, file=blanks_file):
        with pytest.raises(InputError, match=words) as error:
            Experiment(load_recipe(name, [*SMALL, f"background.file='{file}'", *settings]), 0)
        assert "\n" not in str(error.value)

    refused(r"1600 eV with pixels of 2065 µrad, the recipe has 1600 eV and 1033", "detector.distance_m=1.162")
    refused("the recipe has 2000 eV", "beam.photon_energy_ev=2000", "sample.diameter_nm=40")
    refused("file_fraction is 0", name="benchmark")
    refused("no-such", file=tmp_path / "no-such.h5")
    hits = simulate_to_file(tmp_path / "hits.h5", load_recipe("ideal", SMALL), 4, 0, workers=1)
    refused("None of the 4 patterns .* labelled blank", file=hits)
    with h5py.File(tmp_path / "dark.h5", "w") as file:
        file["patterns"] = np.zeros((4, 64, 64), np.uint16)
    refused("hold no photons", file=tmp_path / "dark.h5")


def test_blanks_as_a_fraction_of_fixed_photons(blanks_file):
    measured = experiment(
        f"background.file='{blanks_file}'",
        "background.file_fraction=0.2",
        "fluctuation.rms=0",
        name="benchmark",
    )
    shares = []
    for index in range(50):
        shot = measured.draw(index)
        expectation = measured.expect(shot)
        share = expectation.background / expectation.total
        assert_allclose(share, min(0.9, 0.07 + 0.2 * shot.surround.blank_ratio), rtol=1e-3)
        shares.append(share)
    assert_allclose(np.mean(shares), 0.27, rtol=0.15)


# Kernels


@pytest.mark.kernel
@pytest.mark.parametrize("empty", [False, True])
def test_light_beside_written_out(empty):
    rng = np.random.default_rng(2)
    ny, nx, rim, step = 15, 24, 3, 4
    photons, gas, even, blank, good = rng.random((5, ny, nx)).astype(np.float32)
    apertures = rng.random((3, ny + 2 * rim, nx + 2 * rim)).astype(np.float32)
    spans = np.zeros((3, ny + 2 * rim, 2), dtype=np.int64)
    for n in (1, 2):
        for y in range(ny + 2 * rim):
            spans[n, y] = np.sort(rng.integers(0, nx + 2 * rim + 1, 2))
            apertures[n, y, : spans[n, y, 0]] = 0.0
            apertures[n, y, spans[n, y, 1] :] = 0.0
    strengths = rng.random(3).astype(np.float32)
    blobs = rng.normal(0.5, 1.0, (1, _widen.coarse_count(ny, step), nx)).astype(np.float32)
    weights = _widen.widening_weights(step)
    corner = np.array([rim - 1.25, rim + 0.5])
    y, x = np.mgrid[:ny, :nx]
    mixed = np.tensordot(strengths, apertures.astype(float), 1)
    glow = map_coordinates(mixed, [y + corner[0], x + corner[1]], order=1)
    added = 0.3 * gas + 0.2 * even + 0.7 * blank + glow
    field = np.array([weights[i % step] @ blobs[0, i // step : i // step + 6] for i in range(ny)])
    if empty:
        gas = even = blank = np.empty((0, 0), dtype=np.float32)
        apertures, spans = apertures[:0], spans[:0]
        blobs, added, field = blobs[:, :0], np.zeros((ny, nx)), np.zeros((ny, nx))
    expected = 0.6 * (2.0 * photons + added) + 0.1 * np.maximum(field, 0.0)
    gains = [np.float32(gain) for gain in (0.3, 0.2, 0.7, 0.1)]
    total = _light.add_beside(
        photons, np.float32(2.0), np.float32(0.6), gas, gains[0], even, gains[1], blank, gains[2],
        apertures, spans, strengths[: len(apertures)], corner, blobs, gains[3], weights, good,
    )  # fmt: skip
    assert_allclose(photons, expected, rtol=1e-4, atol=1e-5)
    assert_allclose(total, (good * added).sum(), rtol=1e-4)


@pytest.mark.kernel
@pytest.mark.parametrize("angle", [0.0, 1.1, math.pi / 2, -2.8])
def test_streak_written_out(angle):
    photons, good = np.random.default_rng(0).random((2, 20, 28)).astype(np.float32)
    middle = np.array([8.3, 15.1])
    v, u = np.arange(20)[:, None] - middle[0], np.arange(28)[None, :] - middle[1]
    across, along = v * np.cos(angle) - u * np.sin(angle), u * np.cos(angle) + v * np.sin(angle)
    light = np.clip(1.0 - across**2 / (9.0 * 1.5**2), 0.0, None) ** 3 / (1.0 + along**2 / 36.0) ** 1.5
    expected = photons + 40.0 * light / (light * good).sum()
    assert _light.add_streak(photons, middle, angle, 1.5, 6.0, 40.0, good) == 40.0
    assert_allclose(photons, expected, rtol=1e-4, atol=1e-5)
    assert _light.add_streak(photons, np.array([900.0, 0.0]), 0.0, 1.5, 6.0, 40.0, good) == 0.0
    assert_allclose(photons, expected, rtol=1e-4, atol=1e-5)
