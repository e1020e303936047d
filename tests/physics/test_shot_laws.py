"""Laws of one shot: what light, particles and pixels do, on every shape."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from judge import amplitudes, photons, pixel_average
from xfelspi.simulate import (
    Beam,
    Detector,
    FormFactor,
    Particle,
    Pulse,
    Scene,
    form_factor_of,
    scattered_light,
)
from xfelspi.simulate.diffract import largest_q_per_nm
from xfelspi.simulate.qspace import momentum_transfer

DETECTOR = Detector(rows=128, columns=128)
PULSE = Pulse(1600.0, 1e11, math.inf)
TURN = (0.6, 0.5, -0.3, math.sqrt(1 - 0.36 - 0.25 - 0.09))


def form_for(solid, diameter_nm=69.0, detector=DETECTOR):
    return form_factor_of(solid, largest_q_per_nm(1600.0, detector) * diameter_nm / 2.0)


def one(solid, diameter_nm=69.0, detector=DETECTOR, **settings):
    return Particle(form_for(solid, diameter_nm, detector), diameter_nm, 436.0, orientation=TURN, **settings)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize(
    "diameter_nm",
    [40.0, 69.0, pytest.param(150.0, marks=pytest.mark.slow), pytest.param(300.0, marks=pytest.mark.slow)],
)
def test_fast_route_equals_exact(solid, diameter_nm):
    """Amplitudes of the fast route within 1e-3 rms of the exact ones, relative to their rms.

    Up to 69 nm the pixel centre stands for the pixel; larger particles are compared with its average.
    """
    detector = Detector()
    scene = Scene((one(solid, diameter_nm, detector),))
    exact = photons(scene, PULSE, detector, points=1 if diameter_nm < 100.0 else 2)
    light = scattered_light(scene, PULSE, detector)
    assert rms(np.sqrt(light.photons) - np.sqrt(exact)) < 5e-4 * rms(np.sqrt(exact))


def test_off_the_table_the_exact_formula_takes_over(solid):
    """Beyond the table's extent nothing is clamped: with and without a table the light is the same."""
    with_table = one(solid)
    without = Particle(
        FormFactor(with_table.form.solid, with_table.form.coefficients[:, :0, :0, :0], 0.0),
        69.0,
        436.0,
        orientation=TURN,
        position_nm=(300.0, -200.0, 500.0),
    )
    other = Particle(with_table.form, 60.0, 436.0, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
    fast = Particle(with_table.form, 69.0, 436.0, without.position_nm, TURN)
    a = scattered_light(Scene((other, fast)), PULSE, DETECTOR).photons
    b = scattered_light(Scene((other, without)), PULSE, DETECTOR).photons
    assert rms(a - b) < 5e-4 * rms(b)


def test_two_particles_fringe_like_youngs_slits(solid):
    """I_pair = 4 I_single cos²(q . d / 2), averaged over the pixel: the law behind every multiple hit."""
    gap_nm = np.array([90.0, 40.0, 25.0])
    single = one(solid)
    pair = Scene(tuple(one(solid, position_nm=tuple(side * gap_nm / 2)) for side in (-1, 1)))
    points = 3
    (wave,) = amplitudes(Scene((single,)), PULSE, DETECTOR, points)
    nodes = np.polynomial.legendre.leggauss(points)[0] / 2.0
    pixel = (np.arange(128)[:, None] + nodes).ravel()
    y, x = DETECTOR.positions_m(pixel[:, None], pixel[None, :])
    q = momentum_transfer(*np.broadcast_arrays(x, y), DETECTOR.distance_m, PULSE.wavenumber_per_nm)
    young = 4.0 * np.abs(wave) ** 2 * np.cos(q @ gap_nm / 2.0) ** 2
    got = scattered_light(pair, PULSE, DETECTOR).photons
    young = pixel_average(young, DETECTOR, points)
    assert rms(got - young) < 2e-3 * rms(young)


@pytest.mark.parametrize("gap_nm", [(1000.0, 0.0, 0.0), (300.0, -1100.0, 400.0), (0.0, 80.0, 2500.0)])
def test_pixels_integrate_their_fringes(crooked, gap_nm):
    """Fringes as narrow as a pixel fade as brute-force integration says, the curved ones too.

    What is left is the change of the particles' own waves across a pixel, which the average of the fringes
    leaves out: 1 % of the light at 1 µm, where the fringes have lost half their height.
    """
    detector = Detector(rows=128, columns=128)
    half = np.array(gap_nm) / 2
    scene = Scene(tuple(one(crooked, 69.0, detector, position_nm=tuple(side * half)) for side in (-1, 1)))
    brute = photons(scene, PULSE, detector, points=5)
    got = scattered_light(scene, PULSE, detector).photons
    assert rms(got - brute) < 6e-3 * rms(brute)
    if math.hypot(*gap_nm[:2]) > 500.0:  # where sampling the pixel's middle is far off
        at_centres = photons(scene, PULSE, detector)
        assert rms(got - brute) < 0.03 * rms(at_centres - brute)


def test_four_particles_of_unlike_size_and_light(crooked):
    detector = Detector()
    rng = np.random.default_rng(3)
    turns = rng.normal(size=(4, 4))
    form = form_for(crooked, 90.0, detector)
    scene = Scene(
        tuple(
            Particle(
                form,
                diameter,
                436.0,
                tuple(rng.uniform(-400, 400, 3)),
                tuple(turn / np.linalg.norm(turn)),
                fluence,
            )
            for diameter, turn, fluence in zip((60, 69, 75, 80), turns, (1.0, 0.2, 0.5, 0.8), strict=True)
        )
    )
    pulse = Pulse(1600.0, 1e10, 1.5, centre_offset_pixels=(1.3, -2.1))
    brute = photons(scene, pulse, detector, points=3)
    light = scattered_light(scene, pulse, detector)
    assert rms(light.photons - brute) < 3e-3 * rms(brute)
    alone = [(np.abs(wave) ** 2 * detector.good).sum() for wave in amplitudes(scene, pulse, detector)]
    assert_allclose(light.own, alone, rtol=2e-3)


def test_every_particle_has_the_fluence_of_its_own_place(solid):
    """At half the focus width off the middle a particle gets half the light; fluence enters linearly."""
    pulse = Pulse(1600.0, 1e11, 2.0)
    middle = one(solid)
    edge = one(solid, position_nm=(1000.0, 0.0, 0.0))
    light = scattered_light(Scene((middle, edge)), pulse, DETECTOR)
    assert_allclose(light.own[1] / light.own[0], 0.5, rtol=1e-4)
    downstream = one(solid, position_nm=(0.0, 0.0, 1000.0))  # along the beam the light does not change
    light = scattered_light(Scene((middle, downstream)), pulse, DETECTOR)
    assert_allclose(light.own[1] / light.own[0], 1.0, rtol=1e-4)


def test_moving_a_lone_particle_changes_nothing(solid):
    here = scattered_light(Scene((one(solid),)), PULSE, DETECTOR).photons
    there = scattered_light(Scene((one(solid, position_nm=(500.0, -800.0, 900.0)),)), PULSE, DETECTOR).photons
    assert_allclose(there, here, rtol=1e-6)


def test_turning_the_particle_turns_the_pattern(solid):
    """A quarter turn about the beam, x to y, moves what was at +x to +y."""
    detector = Detector(rows=128, columns=128, horizontal_polarization=0.5)
    half = math.sqrt(0.5)
    w, x, y, z = TURN
    turned = (half * w - half * z, half * x - half * y, half * x + half * y, half * w + half * z)
    before = scattered_light(Scene((one(solid),)), PULSE, detector).photons
    particle = Particle(form_for(solid), 69.0, 436.0, orientation=turned)
    after = scattered_light(Scene((particle,)), PULSE, detector).photons
    # after(x' = -y, y' = x) = before(x, y); rows are y, columns x, the beam in the middle.
    assert rms(after - before[::-1].T) < 1e-3 * rms(before)


def test_handedness(crooked):
    """The witness is not its own mirror image: the wrong sense of rotation would show."""
    detector = Detector(rows=128, columns=128, horizontal_polarization=0.5)
    before = scattered_light(Scene((one(crooked),)), PULSE, detector).photons
    assert rms(before[::-1].T - before[:, ::-1].T) > 0.01 * rms(before)


def test_friedel_breaks_only_by_the_ewald_curvature(solid):
    """Opposite pixels agree where the sphere is flat, and differ outside for a body without a centre."""
    light = scattered_light(Scene((one(solid),)), PULSE, DETECTOR).photons
    middle = slice(56, 72)
    inner = light[middle, middle]
    assert rms(inner - inner[::-1, ::-1]) < 2e-2 * rms(inner)


def test_photons_of_a_sphere_by_hand():
    """Total = fluence · (r_e ρ λ)² · 2π R⁴, the thickness squared (docs/physics.md): 8.5e5 photons."""
    from xfelspi.shapes import sphere

    wide = Detector(rows=512, columns=512, hole_pixels=0, gap_rows=0)
    particle = Particle(form_for(sphere(70.0), 70.0, wide), 70.0, 436.0)
    total = scattered_light(Scene((particle,)), PULSE, wide).own[0]
    by_hand = 1e11 * 1e-6 * (2.818e-6 * 436.0 * 0.7749) ** 2 * 2 * math.pi * 35.0**4
    assert_allclose(by_hand, 8.55e5, rtol=2e-3)
    assert_allclose(total, by_hand, rtol=0.01)


def test_more_energy_more_photons():
    """1 mJ at 1.6 keV are 3.9e12 photons; in a focus of 1 µm they make 4 ln2 / π times that per µm²."""
    beam = Beam(pulse_energy_mj=1.0, transmission=1.0, focus_fwhm_um=1.0)
    assert_allclose(beam.mean_peak_fluence_per_um2, 3.901e12 * 4 * math.log(2) / math.pi, rtol=1e-3)


def test_a_blank_is_dark():
    light = scattered_light(Scene(), PULSE, DETECTOR)
    assert not light.photons.any()
    assert light.own.shape == (0,)
