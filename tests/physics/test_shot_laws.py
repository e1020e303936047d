"""Laws of one shot: what light, particles and pixels do, on every shape."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from judge import amplitudes, momentum_transfer, photons, pixel_average
from xfelspi.shapes import Polyhedron, icosahedron, sphere
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
from xfelspi.simulate._waves import node_ramp
from xfelspi.simulate._widen import BEFORE, coarse_count
from xfelspi.simulate.diffract import _components, _on_table, _reach, largest_q_per_nm, pixel_nodes
from xfelspi.simulate.table import STEP

DETECTOR = Detector(rows=128, columns=128)
PULSE = Pulse(1600.0, 1e11, math.inf)
TURN = (0.6, 0.5, -0.3, math.sqrt(1 - 0.36 - 0.25 - 0.09))


def form_for(solid, diameter_nm=69.0, detector=DETECTOR, jitter_pixels=10.0):
    return form_factor_of(solid, largest_q_per_nm(1600.0, detector, jitter_pixels) * diameter_nm / 2.0)


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
    u = (pixel - 63.5) * DETECTOR.pixel_size_m
    q = momentum_transfer(*np.meshgrid(u, u), DETECTOR.distance_m, PULSE.photon_energy_ev)
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
    """A mirrored body makes the mirrored pattern, and the witness is not its own mirror image.

    Turning it the wrong way round would turn its mirror image's pattern, so both senses are seen.
    """
    x_flipped = Polyhedron(crooked.vertices * [-1.0, 1.0, 1.0], crooked.triangles[:, ::-1])
    w, x, y, z = TURN
    before = scattered_light(Scene((one(crooked),)), PULSE, DETECTOR).photons
    mirrored = Particle(form_for(x_flipped), 69.0, 436.0, orientation=(w, x, -y, -z))
    after = scattered_light(Scene((mirrored,)), PULSE, DETECTOR).photons
    assert rms(after - before[:, ::-1]) < 1e-3 * rms(before)
    assert rms(after - before) > 0.1 * rms(before)


def test_opposite_pixels_agree_where_the_ewald_sphere_is_flat(solid):
    light = scattered_light(Scene((one(solid),)), PULSE, DETECTOR).photons
    middle = slice(56, 72)
    inner = light[middle, middle]
    assert rms(inner - inner[::-1, ::-1]) < 2e-2 * rms(inner)


def test_friedel_breaks_only_by_the_ewald_curvature(crooked):
    """Opposite pixels differ for a body without a centre, as the sphere leaves the plane by q²/2k.

    With four times the energy at four times the distance the same q lie four times as near to the plane.
    """

    def asymmetry(pulse, detector):
        light = scattered_light(Scene((one(crooked),)), pulse, detector).photons[:40]
        opposite = scattered_light(Scene((one(crooked),)), pulse, detector).photons[::-1, ::-1][:40]
        return rms(light - opposite) / rms(light)

    curved = asymmetry(PULSE, DETECTOR)
    flat = asymmetry(
        Pulse(6400.0, 1e11, math.inf), Detector(rows=128, columns=128, distance_m=4 * DETECTOR.distance_m)
    )
    assert curved > 0.02
    assert_allclose(curved / flat, 4.0, rtol=0.1)


def test_photons_of_a_sphere_by_hand():
    """Total = fluence · (r_e ρ λ)² · 2π R⁴, the thickness squared (docs/physics.md): 8.5e5 photons."""
    wide = Detector(rows=512, columns=512, hole_pixels=0, gap_rows=0)
    particle = Particle(form_for(sphere(70.0), 70.0, wide), 70.0, 436.0)
    total = scattered_light(Scene((particle,)), PULSE, wide).own[0]
    by_hand = 1e11 * 1e-6 * (2.818e-6 * 436.0 * 0.7749) ** 2 * 2 * math.pi * 35.0**4
    assert_allclose(by_hand, 8.55e5, rtol=2e-3)
    assert_allclose(total, by_hand, rtol=0.01)


def test_a_point_seen_at_45_degrees():
    """Polarization and slant by hand: a particle much smaller than λ scatters alike in all directions.

    Light polarized along x drives a dipole along x, which sends half as much to 45° along x as along y;
    and at 45° a flat pixel is √2 times as far, and seen at a slant: cos³ 45°.
    """
    detector = Detector(rows=129, columns=129, pixel_size_m=1e-3, distance_m=64e-3)
    pulse = Pulse(100.0, 1e11, math.inf)
    point = Particle(form_factor_of(sphere(0.1), 1.0), 0.1, 436.0)
    light = scattered_light(Scene((point,)), pulse, detector).photons
    along_x, along_y, ahead = light[64, 128], light[128, 64], light[64, 64]
    assert_allclose(along_x / along_y, 0.5, rtol=2e-3)
    assert_allclose(along_y / ahead, math.cos(math.pi / 4) ** 3, rtol=2e-3)
    volume_nm3 = math.pi / 6 * 0.1**3
    by_hand = 1e11 * 1e-6 * (2.818e-6 * 436.0 * volume_nm3) ** 2 / 64**2  # fluence (r_e n)² times p²/z²
    assert_allclose(ahead, by_hand, rtol=1e-3)


@pytest.mark.parametrize("distance_m", [0.05, 0.01, 0.003])
def test_a_near_detector_and_a_tiny_particle(crooked, distance_m):
    """Where F hardly changes, polarization and solid angle still do, over z/p pixels."""
    detector = Detector(rows=96, columns=96, distance_m=distance_m)
    pulse = Pulse(1600.0, 1e11, math.inf, centre_offset_pixels=(3.0, -2.0))
    scene = Scene((one(crooked, 0.2, detector),))
    exact = photons(scene, pulse, detector)
    got = scattered_light(scene, pulse, detector).photons
    assert_allclose(got, exact, rtol=3e-3)


@pytest.mark.parametrize(("apart_nm", "within"), [(20.0, 3e-3), (60.0, 3e-3), (200.0, 0.01)])
def test_a_near_detector_and_particles_far_apart(apart_nm, within):
    """Where the Ewald sphere bends, a place turns waves from pixel to pixel: each keeps its light."""
    detector = Detector(rows=64, columns=64, pixel_size_m=1.2e-3, distance_m=0.13, hole_pixels=0, gap_rows=0)
    first = one(sphere(69.0), 10.0, detector)
    second = one(sphere(69.0), 10.0, detector, position_nm=(apart_nm, 0.3 * apart_nm, -0.4 * apart_nm))
    brute = photons(Scene((first, second)), PULSE, detector, points=16)
    light = scattered_light(Scene((first, second)), PULSE, detector)
    alone = scattered_light(Scene((first,)), PULSE, detector)
    assert rms(light.photons - brute) < within * rms(brute)
    for pixels in (np.s_[:8], np.s_[:, :8], np.s_[-8:, -8:]):
        assert_allclose(light.photons[pixels].sum(), brute[pixels].sum(), rtol=3e-3)
    assert_allclose(light.own, [alone.own[0]] * 2, rtol=1e-3)  # the same light wherever it stands


@pytest.mark.parametrize(("diameter_nm", "jitter_pixels"), [(400.0, 10.0), (150.0, 40.0)])
def test_far_off_the_middle_the_table_or_the_formula_serves(crooked, diameter_nm, jitter_pixels):
    """What the table does not hold is computed, not read beyond its end."""
    detector = Detector(rows=64, columns=64)
    form = form_for(crooked, diameter_nm, detector, jitter_pixels)
    particle = Particle(form, diameter_nm, 436.0, orientation=TURN)
    assert particle.form.extent > 0.0
    for offset in ((39.0, 4.0), (-39.0, -39.0), (14.0, -12.0), (4.0, 300.0)):
        pulse = Pulse(1600.0, 1e11, math.inf, centre_offset_pixels=offset)
        exact = photons(Scene((particle,)), pulse, detector, points=4)
        got = scattered_light(Scene((particle,)), pulse, detector).photons
        assert rms(np.sqrt(got) - np.sqrt(exact)) < 1e-3 * rms(np.sqrt(exact))


@pytest.mark.parametrize("diameter_nm", [40.0, 150.0])
def test_no_coarse_node_is_read_beyond_the_table(crooked, diameter_nm):
    """Coarse nodes overhang the detector: wherever the beam is, those on the table have all neighbours."""
    detector = Detector(rows=64, columns=64, pixel_size_m=1.2e-3)
    particle = one(crooked, diameter_nm, detector)
    half = particle.form.coefficients.shape[1] // 2
    seen = set()
    for offset in range(0, 60, 3):
        for step in (1, 2, 5, 20):
            origin = np.array([31.5 + offset, 31.5 - offset])
            count = coarse_count(64, step)
            nodes = (np.arange(count) - BEFORE) * step
            y, x = ((nodes - o) * detector.pixel_size_m for o in origin)
            q = momentum_transfer(*np.meshgrid(x, y), detector.distance_m, PULSE.photon_energy_ev)
            farthest = (
                np.linalg.norm(q, axis=-1).max() * diameter_nm / 2.0 / STEP
            )  # in nodes, whatever the orientation
            (body,) = _components(particle)
            reach = _reach(step, (count, count), PULSE, detector, origin)
            served = _on_table(particle.form, body, reach)
            seen.add(served)
            assert not served or farthest < half - 1
            corner = (64 / 2 + offset) * math.sqrt(2.0) * detector.pixel_size_m  # of the detector itself
            farthest = (
                np.linalg.norm(momentum_transfer(corner, 0.0, detector.distance_m, 1600.0))
                * diameter_nm
                / 2.0
            )
            assert not served or farthest <= particle.form.extent + 1e-9
    assert seen == {True, False}


@pytest.mark.parametrize("diameter_nm", [90.0, 300.0, 600.0])
@pytest.mark.parametrize("apart", [None, 1.2, 8.0])
def test_pixels_integrate_large_particles(diameter_nm, apart):
    """Speckles two pixels wide and the fringes of pairs, in the rim of the detector as anywhere."""
    detector = Detector(rows=64, columns=64, hole_pixels=0, gap_rows=0)
    pulse = Pulse(1600.0, 1e11, math.inf, centre_offset_pixels=(14.0, -20.0))
    form = form_for(icosahedron(69.0), diameter_nm, detector, 20.0)
    scene = Scene((Particle(form, diameter_nm, 436.0, orientation=TURN),))
    if apart is not None:
        place = tuple(apart * diameter_nm * np.array([0.6, -0.7, 0.4]))
        scene = Scene(
            (*scene.particles, Particle(form, 0.9 * diameter_nm, 436.0, place, relative_fluence=0.7))
        )
    brute = photons(scene, pulse, detector, points=6 if apart is None else 10)
    light = scattered_light(scene, pulse, detector)
    assert rms(light.photons - brute) < 6e-4 * rms(brute)
    rim = np.ones(detector.shape, dtype=bool)
    rim[1:-1, 1:-1] = False
    assert rms((light.photons - brute)[rim]) < 1.5e-3 * rms(brute[rim])
    waves = amplitudes(scene, pulse, detector, 4)
    alone = [pixel_average(np.abs(wave) ** 2, detector, 4).sum() for wave in waves]
    assert_allclose(light.own, alone, rtol=1e-3)


def test_filon_nodes_integrate_a_fringe():
    """∫ ξ exp(-i Δ ξ) over a pixel from two nodes, however many fringes there are: by parts."""
    change = np.array([1e-2, 0.3, 3.0, 40.0])
    k, z, p = 8.1, 0.5, 3e-4
    across = change * z / (k * p)
    got = 0.0
    for node in pixel_nodes(2):
        ramp, legendre = np.empty((4, 2, 1)), np.array([*node.legendre, 0.0])
        for a, one_ramp in zip(across, ramp, strict=True):
            node_ramp(np.zeros(1), a, 0.0, k, z, p, 1.0, node.place, legendre, one_ramp)
        got = got + node.weight * node.place * (ramp[:, 0, 0] + 1j * ramp[:, 1, 0]) * np.exp(
            -1j * change * node.place
        )
    half = change / 2
    exact = -1j * 2.0 * (np.sin(half) - half * np.cos(half)) / change**2
    assert_allclose(got, exact, rtol=1e-6)


def test_more_energy_more_photons():
    """1 mJ at 1.6 keV are 3.9e12 photons; in a focus of 1 µm they make 4 ln2 / π times that per µm²."""
    beam = Beam(pulse_energy_mj=1.0, transmission=1.0, focus_fwhm_um=1.0)
    assert_allclose(beam.mean_peak_fluence_per_um2, 3.901e12 * 4 * math.log(2) / math.pi, rtol=1e-3)


def test_a_blank_is_dark():
    light = scattered_light(Scene(), PULSE, DETECTOR)
    assert not light.photons.any()
    assert light.own.shape == (0,)
