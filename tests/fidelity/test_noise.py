"""Noise of neighbouring pixels, on frames whose conversion from photons is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import poisson
from toy_frames import frame_set

from xfelspi.fidelity import noise_curve, noise_distance

SIZE = 96


def slope(rng, n=20):
    """Photons whose mean rises evenly, by a factor of 1.4 to 60 over a frame."""
    ramp = np.linspace(0.0, 1.0, SIZE)[:, None] + np.linspace(0.0, 0.4, SIZE)
    return rng.poisson(np.geomspace(0.1, 4.0, n)[:, None, None] * (0.03 + ramp))


def test_photons_have_poissons_noise_at_every_level_on_a_slope(rng):
    curve = noise_curve(frame_set(slope(rng)))
    assert curve.solid.all()
    assert (np.abs(curve.value - 1.0) < 4 * curve.replicates.std(axis=0)).all()
    assert_allclose(curve.value[:4], 1.0, atol=0.03)


def test_what_is_masked_makes_no_noise(rng):
    counts, good = slope(rng).astype(float), np.ones((SIZE, SIZE), bool)
    good[::7, ::5] = False
    good[40:50] = False
    masked = noise_curve(frame_set(np.where(good, counts, 60_000.0), good))
    assert (np.abs(masked.value - 1.0) < 4 * masked.replicates.std(axis=0))[masked.solid].all()
    assert_allclose(masked.value[:4], 1.0, atol=0.05)


@pytest.mark.parametrize("light", [0.4, 1.5, 6.0])
def test_counts_of_two_photons_each_have_the_noise_that_rounding_gives_them(rng, light):
    """Even light: mean and variance of floor(n / 2 + 1/2) are sums over Poisson's law."""
    n = np.arange(60)
    k, p = (n + 1) // 2, poisson.pmf(np.arange(60), light)
    mean = p @ k
    counts = (rng.poisson(light, (12, SIZE, SIZE)) + 1) // 2
    curve = noise_curve(frame_set(counts))
    level = int(np.argmin(np.abs(curve.x - mean)))
    assert_allclose(curve.x[level], mean, rtol=0.03)
    assert_allclose(curve.value[level], (p @ k**2 - mean**2) / mean, rtol=0.05)


def test_another_conversion_is_seen_and_the_same_is_not(rng):
    photons, again = frame_set(slope(rng)), frame_set(slope(rng))
    halved = frame_set((slope(rng) + 1) // 2)
    assert noise_distance(photons, again).low == 0.0
    assert noise_distance(halved, photons).low > 0.2
