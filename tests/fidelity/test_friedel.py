"""Friedel asymmetry: nothing for a symmetric light, e² for a known asymmetry, wherever the centre is."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from toy_frames import SIZE, frame_set, polar

from xfelspi.fidelity import friedel_symmetry


def lights(n, rng, *, centre, photons=3.0, asymmetry=0.0):
    """Elongated fringes about `centre`; a share (1 ± e) / 2 of each pair on either side."""
    radius, angle = polar(centre=centre)
    light = np.exp(-radius / 10) * (1 + 0.5 * np.cos(radius / 2.5)) * (1 + 0.3 * np.cos(2 * angle))
    side = np.where(np.cos(angle) >= 0, 1 + asymmetry, 1 - asymmetry)
    return rng.poisson(photons * light * side, (n, SIZE, SIZE))


@pytest.mark.parametrize("photons", [1.0, 100.0])
def test_poisson_noise_is_no_asymmetry(rng, photons):
    found = friedel_symmetry(frame_set(lights(60, rng, centre=(23.5, 23.5), photons=photons)), 0)
    for values in (found.excess, found.asymmetry):
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(60)
        assert values.std() > 0


@pytest.mark.parametrize("photons", [3.0, 100.0])
def test_a_known_asymmetry_at_any_brightness(rng, photons):
    """(a - b) / (a + b) = 0.3 in every pair."""
    counts = lights(40, rng, centre=(23.5, 23.5), photons=photons, asymmetry=0.3)
    found = friedel_symmetry(frame_set(counts), 0)
    assert_allclose(found.asymmetry.mean(), 0.09, rtol=0.1)
    pairs = counts + counts[:, ::-1, ::-1]
    lit = pairs > 0
    assert_allclose(found.excess.mean(), 0.09 * (pairs[lit].mean() - 1), rtol=0.1)


def test_the_centre_is_found_between_pixels(rng):
    for centre in ((23.5, 23.5), (24.2, 22.1), (21.35, 25.6)):
        found = friedel_symmetry(frame_set(lights(20, rng, centre=centre, photons=100.0)))
        assert_allclose(found.centre_yx.mean(axis=0), centre, atol=0.07)
        assert found.centre_yx.std(axis=0).max() < 0.2
        assert_allclose(found.asymmetry.mean(), 0, atol=0.003)
    unmoved = friedel_symmetry(frame_set(lights(20, rng, centre=centre, photons=100.0)), 0)
    assert unmoved.asymmetry.mean() > 0.05  # so the search matters


def test_partners_of_masked_pixels_take_no_part(rng):
    """Garbage, and light without its partner, change nothing."""
    counts = lights(20, rng, centre=(23.5, 23.5), photons=20.0)
    good = np.ones((SIZE, SIZE), bool)
    good[5:20, 8:30] = good[21:27, 21:27] = False
    one = friedel_symmetry(frame_set(counts, good))
    counts[:, ~good] = 9999
    counts[:, (~good)[::-1, ::-1] & good] += 3
    two = friedel_symmetry(frame_set(counts, good), 0)
    reference = friedel_symmetry(frame_set(counts, good & good[::-1, ::-1]), 0)
    assert_allclose(two.asymmetry, reference.asymmetry)
    assert abs(one.asymmetry.mean()) < 0.003


def test_a_central_pixel_is_no_pair_of_its_own():
    """Frames of odd size hold the centre itself; a light on it alone has no asymmetry to measure."""
    counts = np.zeros((1, 9, 9))
    counts[0, 4, 4] = 50
    found = friedel_symmetry(frame_set(counts), 0)
    assert found.excess[0] == found.asymmetry[0] == 0
    assert friedel_symmetry(frame_set(counts * 0)).excess[0] == 0
