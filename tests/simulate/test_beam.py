"""Laws of the beam: where its photons are, how it wanders, and what it does to a pattern."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from xfelspi.shapes import sphere
from xfelspi.simulate import (
    Beam,
    Detector,
    Experiment,
    Particle,
    Pulse,
    Scene,
    draw_shot,
    form_factor_of,
    load_recipe,
    scattered_light,
)
from xfelspi.simulate.beam import drift

PLAIN_AMO = str(Path(__file__).with_name("plain-amo.toml"))

SMALL = [
    "detector.rows=64",
    "detector.columns=64",
    "detector.pixel_size_m=1.2e-3",
    "fluctuation.rms=0",
]


def places(shot):
    return [(p.position_nm, p.diameter_nm, p.orientation) for p in shot.scene.particles]


def experiment(*settings, name=PLAIN_AMO, seed=3):
    return Experiment(load_recipe(name, [*SMALL, *settings]), seed)


@pytest.mark.parametrize("wings", [0.0, 0.2, 1.0])
def test_a_focus_holds_the_photons_of_its_pulse(wings):
    """The fluence, integrated over the plane out to the reach of the wings, is the pulse energy."""
    beam = Beam(wing_fraction=wings, focus_fwhm_um=1.7, wing_reach_fwhm=8.0)
    pulse = beam.draw(np.random.default_rng(0))
    edges = np.linspace(0.0, 8.0 * 1.7, 8001)
    r = (edges[1:] + edges[:-1]) / 2.0
    fluence = [pulse.fluence_per_um2((1e3 * x * 0.6, -1e3 * x * 0.8, 55.0)) for x in r.tolist()]
    assert_allclose((2.0 * math.pi * r * fluence).sum() * edges[1], pulse.photons, rtol=1e-5)
    assert_allclose(pulse.photons, pulse.energy_ratio * 1e-3 * 0.05 / (1600.0 * 1.602176634e-19), rtol=1e-9)


@pytest.mark.parametrize("wings", [0.0, 0.3, 1.0])
def test_wings_keep_the_width_and_end_where_they_are_said_to(wings):
    pulse = Beam(wing_fraction=wings, focus_fwhm_um=2.0).draw(np.random.default_rng(0))
    assert_allclose(pulse.fluence_per_um2((1e3, 0.0, 0.0)) / pulse.peak_fluence_per_um2, 0.5)
    four_widths = pulse.fluence_per_um2((0.0, 8e3, 0.0)) / pulse.peak_fluence_per_um2
    assert_allclose(four_widths, wings / 65.0, atol=1e-12)
    before_the_end = pulse.fluence_per_um2((0.0, 19.99e3, 0.0)) / pulse.peak_fluence_per_um2
    assert_allclose(before_the_end, wings / (1.0 + 19.99**2), atol=1e-99)
    assert pulse.fluence_per_um2((0.0, 20.1e3, 0.0)) < 1e-100


def test_hits_in_lorentzian_wings_have_p_one_over_fluence_squared():
    """Places even over the plane and fluence 1 / (1 + r²): the area within r² = 1/I - 1 is even in 1/I."""
    beam = Beam(wing_fraction=1.0, smallest_fluence_ratio=0.02)
    rng = np.random.default_rng(1)
    pulse = beam.draw(rng)
    ratios = [pulse.fluence_per_um2(beam.draw_place(rng)) / pulse.peak_fluence_per_um2 for _ in range(3000)]
    assert min(ratios) >= 0.02 * (1 - 1e-9)
    assert stats.kstest((1.0 / np.array(ratios) - 1.0) / 49.0, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("wings", "smallest"), [(0.1, 0.05), (0.4, 0.003), (0.02, 1e-6)])
def test_hits_in_a_winged_focus_have_the_fluence_of_even_places(wings, smallest):
    """KS against the profile written out: even in r² up to the edge, beyond which no hit is found."""
    beam = Beam(wing_fraction=wings, smallest_fluence_ratio=smallest, focus_fwhm_um=2.0)
    x = np.linspace(0.0, beam.wing_reach_fwhm * 2.0, 200_001)  # in half widths
    profile = (1.0 - wings) * 2.0 ** -(x**2) + wings / (1.0 + x**2)
    edge = x[profile >= smallest].max()
    assert_allclose(beam.hit_radius_um, edge, rtol=1e-3)
    rng = np.random.default_rng(2)
    pulse = beam.draw(rng)
    ratios = [pulse.fluence_per_um2(beam.draw_place(rng)) / pulse.peak_fluence_per_um2 for _ in range(2000)]
    area = (np.interp(ratios, profile[::-1], x[::-1]) / edge) ** 2
    assert stats.kstest(area, "uniform").pvalue > 1e-3


def test_the_drift_has_the_mean_spread_and_correlation_it_is_asked_for():
    lags = (0, 50, 200, 1000)
    values = np.array([[drift(seed, 137 + lag, 0.3, 100.0) for lag in lags] for seed in range(3000)])
    assert_allclose(values.mean(axis=0), 1.0, atol=4.0 * 0.3 / math.sqrt(3000))
    assert_allclose(values.std(axis=0), 0.3, rtol=0.08)
    logs = np.log(values) - np.log(values).mean(axis=0)
    correlation = (logs * logs[:, :1]).mean(axis=0) / (logs**2).mean()
    assert_allclose(correlation, np.exp(-((np.array(lags) / 100.0) ** 2) / 2.0), atol=0.06)


def test_the_drift_is_slow_and_depends_on_seed_and_shot_alone():
    there = [drift(5, i, 0.2, 50.0) for i in range(300)]
    assert np.abs(np.diff(np.log(there))).max() < 5.0 * 0.2 / 50.0
    assert [drift(5, i, 0.2, 50.0) for i in (250, 3, 77)] == [there[250], there[3], there[77]]
    assert drift(6, 3, 0.2, 50.0) != there[3]


def test_a_drifting_pulse_drifts_in_all_it_brings():
    steady = experiment().draw(8)
    drifting = experiment("beam.energy_drift=0.3", "beam.energy_drift_shots=20").draw(8)
    factor = drift(3, 8, 0.3, 20.0)
    assert abs(factor - 1.0) > 1e-3
    for name in ("energy_ratio", "peak_fluence_per_um2", "photons"):
        assert_allclose(getattr(drifting.pulse, name), factor * getattr(steady.pulse, name))
    assert places(drifting) == places(steady)


def test_the_focus_jitters_against_the_jet():
    """Particles stay where they are, and meet the fluence of their distance from where the focus went."""
    jittery = experiment("beam.pointing_jitter_um=0.8")
    shots = [jittery.draw(i) for i in range(1500)]
    offsets = np.array([shot.pulse.focus_offset_um for shot in shots])
    assert_allclose(offsets.std(axis=0), 0.8, rtol=0.08)
    assert_allclose(offsets.mean(axis=0), 0.0, atol=4 * 0.8 / math.sqrt(1500))
    steady = experiment().draw(11)
    assert places(shots[11]) == places(steady)
    x, y, _ = steady.scene.particles[0].position_nm
    dx, dy = 1e3 * offsets[11]
    assert_allclose(
        shots[11].pulse.fluence_per_um2((x, y, 0.0)),
        steady.pulse.fluence_per_um2((x - dx, y - dy, 0.0)),
    )
    ratio = experiment("beam.pointing_jitter_um=0.8").pattern(11)[1].fluence_per_um2[0]
    assert_allclose(ratio, shots[11].pulse.fluence_per_um2((x, y, 0.0)))


def middle_of(light):
    """Where a parabola through the logarithm of the central speckle has its top."""
    peak = np.unravel_index(light.argmax(), light.shape)
    rows, columns = np.mgrid[tuple(slice(p - 4, p + 5) for p in peak)]
    y, x, z = rows.ravel(), columns.ravel(), np.log(light[rows, columns].ravel())
    _, a, b, c, d, e = np.linalg.lstsq(
        np.stack([y * 0 + 1, y, x, y * y, y * x, x * x], axis=1).astype(float), z, rcond=None
    )[0]
    return np.linalg.solve([[2 * c, d], [d, 2 * e]], [-a, -b])


def test_a_tilt_of_half_a_milliradian_is_a_pixel():
    """0.5 mrad over 0.581 m are 0.97 pixels of 300 µm: seen where the pattern's middle is."""
    whole = ["detector.hole_pixels=0", "detector.gap_rows=0", "detector.rows=64", "detector.columns=64"]
    settings = [*whole, "sample.shape=sphere", "beam.centre_jitter_pixels=1"]
    tilting = Experiment(load_recipe("ideal", [*settings, "beam.wavefront_tilt_mrad=[1.3, 1.7]"]), 0)
    straight = load_recipe("ideal", settings)
    edge_nm = 1e3 * straight.beam.hit_radius_um
    farthest = 0.0
    for index in range(8):
        shots = draw_shot(straight, tilting.forms, 0, index), tilting.draw(index)
        if len(shots[0].scene.particles) > 1:
            continue
        x_nm, y_nm, _ = shots[0].scene.particles[0].position_nm
        tilt_mrad = np.array([1.7 / 2.0 * y_nm / edge_nm, 1.3 / 2.0 * x_nm / edge_nm])
        middles = [middle_of(tilting.expect(shot).photons.astype(float)) for shot in shots]
        assert_allclose(middles[1] - middles[0], tilt_mrad / 0.5 * 0.968, atol=0.03)
        farthest = max(farthest, np.abs(tilt_mrad / 0.5).max())
    assert farthest > 0.7


def test_tilts_fill_the_map_and_leave_the_halo_where_it_is():
    blanks = ["sample.arrival='natural'", "sample.mean_particles=0"]
    for profile in ("even", "gaussian"):
        settings = [*blanks, f"beam.profile={profile}"]
        straight = experiment(*settings)
        tilting = experiment(*settings, "beam.wavefront_tilt_mrad=[1.3, 1.7]")
        pairs = [(straight.draw(i), tilting.draw(i)) for i in range(800)]
        moved = np.array(
            [np.subtract(b.pulse.centre_offset_pixels, a.pulse.centre_offset_pixels) for a, b in pairs]
        )
        relative = moved / (1e-3 * 0.581 / 1.2e-3 * np.array([1.7, 1.3]) / 2.0)
        assert stats.kstest((relative**2).sum(axis=1), "uniform").pvalue > 1e-3  # even over the disc
        assert_allclose(tilting.expect(pairs[0][1]).photons, straight.expect(pairs[0][0]).photons, rtol=1e-5)


DETECTOR = Detector(rows=96, columns=96, hole_pixels=0, gap_rows=0)


@pytest.mark.parametrize("diameter_nm", [40.0, 150.0])  # the larger is integrated over each pixel
@pytest.mark.parametrize("coherence_um", [0.15, 0.4, math.inf])
def test_fringes_fade_with_the_distance_across_the_beam(diameter_nm, coherence_um):
    """I = I_incoherent + exp(-d²/2ξ²) (I_coherent - I_incoherent): Young's slits in partly coherent light."""
    form = form_factor_of(sphere(20.0), 25.0)
    places = ((0.0, 0.0, 0.0), (180.0, -120.0, 900.0))
    particles = tuple(Particle(form, diameter_nm, 436.0, place) for place in places)
    coherent = Pulse(1600.0, 1e11, math.inf)
    partly = dataclasses.replace(coherent, coherence_length_um=coherence_um)
    alone = sum(scattered_light(Scene((p,)), coherent, DETECTOR).photons.astype(float) for p in particles)
    together = scattered_light(Scene(particles), coherent, DETECTOR).photons.astype(float)
    got = scattered_light(Scene(particles), partly, DETECTOR)
    d_um = math.hypot(0.18, 0.12)  # z does not count
    visibility = math.exp(-(d_um**2) / (2.0 * coherence_um**2))
    expected = alone + visibility * (together - alone)
    assert_allclose(got.photons, expected, atol=2e-3 * alone.max() * 0.1, rtol=2e-3)
    assert_allclose(got.own, scattered_light(Scene(particles), coherent, DETECTOR).own)
    fringes = (together - alone).std()
    assert_allclose(((got.photons - alone) * (together - alone)).mean() / fringes**2, visibility, atol=0.01)
