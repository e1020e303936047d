"""The size that particles show: known spheres, dim and bright, alone and in pairs."""

import numpy as np
import pytest

from xfelspi.fidelity import FrameSet, edge_phases

Y, X = np.indices((96, 96)) - 47.5
RADIUS = np.hypot(Y, X)


def sphere_light(phase, photons):
    x = np.maximum(phase * RADIUS, 1e-3)
    light = (3.0 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    return photons * light / light.sum()


def frame_set(expected, seed=0, good=None):
    counts = np.random.default_rng(seed).poisson(expected)
    good = np.ones((96, 96), bool) if good is None else good
    return FrameSet(counts=counts.astype(np.uint16), good=good, centre_yx=(47.5, 47.5))


@pytest.mark.parametrize("phase", [0.1, 0.22, 0.45])
@pytest.mark.parametrize("photons", [3e3, 1e5])
def test_a_sphere_shows_its_size_whatever_its_brightness(phase, photons):
    found = edge_phases(frame_set(np.stack([sphere_light(phase, photons)] * 20)))
    assert np.median(found) == pytest.approx(phase, rel=0.03)


def test_a_pair_shows_the_size_of_its_particles():
    """Fringes lie under the envelope of one particle."""
    pair = sphere_light(0.2, 5e4) * (1.0 + np.cos(0.9 * X + 0.5 * Y))
    assert np.median(edge_phases(frame_set(np.stack([pair] * 20)))) == pytest.approx(0.2, rel=0.05)


def test_background_and_mask_do_not_move_it():
    good = np.ones((96, 96), bool)
    good[46:50] = False
    good[40:56, 40:56] = False
    light = np.where(good, sphere_light(0.2, 2e4) + 0.05, 60_000.0)
    counts = np.where(good, light, 0.0)
    found = edge_phases(frame_set(np.stack([counts] * 20), good=good))
    assert np.median(found) == pytest.approx(0.2, rel=0.05)


def test_a_dark_frame_has_no_size():
    frames = np.zeros((2, 96, 96), np.uint16)
    frames[1] = frame_set(sphere_light(0.2, 1e4)[None]).counts[0]
    found = edge_phases(FrameSet(counts=frames, good=np.ones((96, 96), bool), centre_yx=(47.5, 47.5)))
    assert np.isnan(found[0])
    assert np.isfinite(found[1])
