"""The size that particles show: known spheres, dim and bright, alone and in pairs."""

import numpy as np
import pytest

from xfelspi.hits import SphereFit
from xfelspi.hits.measure import diameter_per_phase_nm
from xfelspi.patterns import Geometry
from xfelspi.shapes import sphere
from xfelspi.simulate import Detector, Particle, Pulse, Scene, form_factor_of, scattered_light

Y, X = np.indices((96, 96)) - 47.5
RADIUS = np.hypot(Y, X)


def sphere_light(phase, photons):
    x = np.maximum(phase * RADIUS, 1e-3)
    light = (3.0 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    return photons * light / light.sum()


def fitted(expected, n, seed=0, good=None):
    """Fit n frames of the same expected photons."""
    counts = np.random.default_rng(seed).poisson(expected, (n, *expected.shape)).astype(np.uint16)
    good = np.ones((96, 96), bool) if good is None else good
    return SphereFit(good, (47.5, 47.5))(counts)


@pytest.mark.parametrize("phase", [0.1, 0.22, 0.45])
@pytest.mark.parametrize("photons", [3e3, 1e5])
def test_a_sphere_shows_its_size_whatever_its_brightness(phase, photons):
    found = fitted(sphere_light(phase, photons), 20)
    assert np.median(found.phase) == pytest.approx(phase, rel=0.02)


@pytest.mark.parametrize("photons", [200, 1_000])
def test_the_error_is_how_much_sizes_of_the_same_sphere_differ(photons):
    """Beside the hundredth that is always there, the error is that of the photons: it covers as it says."""
    found = fitted(sphere_light(0.22, photons), 100)
    pull = (np.log(found.phase / 0.22)) / found.relative_error
    assert 0.55 < np.mean(np.abs(pull) < 1.0) < 0.95
    assert np.mean(np.abs(pull) < 3.0) >= 0.97


def test_a_body_that_is_no_sphere_is_known_less_well():
    """An ellipse twice as long as wide: directions differ, and the error says so."""
    stretched = np.hypot(Y / 2**0.5, X * 2**0.5)
    x = np.maximum(0.2 * stretched, 1e-3)
    light = (3.0 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    ellipse = fitted(3e4 * light / light.sum(), 5)
    assert np.median(ellipse.phase) == pytest.approx(0.2, rel=0.2)
    assert np.median(ellipse.relative_error) > 5 * np.median(fitted(sphere_light(0.2, 3e4), 5).relative_error)


@pytest.mark.parametrize("distance_m", [0.581, 0.13, 0.05])
def test_a_sphere_shows_its_size_at_wide_angles_too(distance_m):
    """Near detectors see q grow slower than the radius, and less light in a pixel far out."""
    detector = Detector(distance_m=distance_m, hole_pixels=0, gap_rows=0)
    diameter_nm = 69.0 * distance_m / 0.581
    form = form_factor_of(sphere(2.0), 0.0)
    light = scattered_light(
        Scene((Particle(form, diameter_nm, 436.0),)), Pulse(1600.0, 1e13, np.inf), detector
    )
    counts = 1e5 / light.photons.sum() * light.photons[None]
    pixel_rad = detector.pixel_size_m / distance_m
    geometry = Geometry(
        photon_energy_ev=1600.0,
        distance_m=distance_m,
        pixel_size_m=detector.pixel_size_m,
        centre_yx=detector.middle_yx,
    )
    good = np.ones(detector.shape, bool)
    (phase,) = SphereFit(good, detector.middle_yx, pixel_rad)(counts).phase
    assert phase * diameter_per_phase_nm(geometry) == pytest.approx(diameter_nm, rel=0.005)


def test_a_pair_shows_the_size_of_its_particles():
    """Fringes lie under the envelope of one particle."""
    pair = sphere_light(0.2, 5e4) * (1.0 + np.cos(0.9 * X + 0.5 * Y))
    assert np.median(fitted(pair, 20).phase) == pytest.approx(0.2, rel=0.05)


def test_background_and_mask_do_not_move_it():
    good = np.ones((96, 96), bool)
    good[46:50] = False
    good[40:56, 40:56] = False
    light = np.where(good, sphere_light(0.2, 2e4) + 0.05, 60_000.0)
    counts = np.where(good, light, 0.0)
    found = fitted(counts, 20, good=good)
    assert np.median(found.phase) == pytest.approx(0.2, rel=0.05)


def test_a_dark_frame_has_no_size():
    frames = np.zeros((2, 96, 96), np.uint16)
    frames[1] = np.random.default_rng(0).poisson(sphere_light(0.2, 1e4))
    found = SphereFit(np.ones((96, 96), bool), (47.5, 47.5))(frames)
    assert np.isnan([found.phase[0], found.relative_error[0]]).all()
    assert np.isfinite([found.phase[1], found.relative_error[1]]).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (4, 4)])
def test_frames_without_a_ring_tell_nothing(shape):
    middle = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    seen = SphereFit(np.ones(shape, bool), middle)(np.ones((2, *shape)))
    assert np.isnan(seen.phase).all()
    assert not seen.bounded.any()
