"""Curves over rings and bins, and the distance of two of them, on cases with a known answer."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import ks_2samp
from toy_frames import CENTRE, SIZE, frame_set, polar, shots

from xfelspi.errors import InputError
from xfelspi.fidelity import (
    BIN_NAMES,
    Curve,
    angular_curve,
    angular_power,
    curve_distance,
    dispersion_curve,
    fringe_visibility,
    histogram_distance,
    noise_curve,
    photon_histogram,
    profile_curve,
    profile_curves,
    profile_distance,
    thinned,
    total_counts,
)
from xfelspi.fidelity.curve import debiased_rms, frame_weights


def test_profile_of_a_ring_pattern_is_that_pattern():
    """Light of exp(-ring / 5) in whole rings, frames of different brightness: exact."""
    radius, _ = polar()
    light = np.exp(-np.floor(radius) / 5)
    curve = profile_curve(frame_set(light * np.array([1.0, 50.0, 700.0])[:, None, None]))
    assert_allclose(curve.value, np.exp(-np.arange(SIZE // 2) / 5) / light.sum(), rtol=1e-5)
    assert_allclose(curve.low, curve.high, rtol=1e-5)  # no brightness in it: the frames agree


def test_profile_distance_of_half_the_light_elsewhere():
    """b = 2 a in every ring but that of the bulk: |a - b| / mean is 2/3 there."""
    a = np.ones((20, SIZE, SIZE))
    radius, _ = polar()
    b = np.where(radius < 4, 1.0, 2.0) * a
    ratio = a[0].sum() / b[0].sum()  # of normalized light in the bulk
    expected = np.r_[
        np.full(4, 2 * (1 - ratio) / (1 + ratio)), np.full(20, 2 * (1 - 2 * ratio) / (1 + 2 * ratio))
    ]
    found = profile_distance(frame_set(a * 30), frame_set(b * 30))
    assert_allclose(found, np.sqrt((expected**2).mean()), rtol=1e-4)


def test_debiased_rms_is_zero_on_average_where_there_is_no_difference(rng):
    squares = []
    for _ in range(400):
        frames = rng.normal(size=(20, 3))
        replicates = frame_weights(rng, 20) @ frames
        squares.append(np.mean(frames.mean(axis=0) ** 2 - replicates.var(axis=0)))
    assert abs(np.mean(squares)) < 4 * np.std(squares) / 20
    assert np.mean(frames.mean(axis=0) ** 2) > 0


def test_debiased_rms_covers_a_known_difference(rng):
    hits = 0
    for _ in range(100):
        frames = 0.5 + rng.normal(size=(30, 4))
        found = debiased_rms(frames.mean(axis=0), frame_weights(rng, 30) @ frames)
        hits += found.low <= 0.5 <= found.high
    assert hits >= 90


def test_a_point_of_noise_alone_does_not_decide_a_distance(rng):
    """Where both curves scatter about 0 their ratio is anything; the distance stays near 0."""

    def noise():
        frames = rng.normal(size=(30, 5))
        x, solid = np.arange(5.0), np.ones(5, bool)
        return Curve(x=x, value=frames.mean(axis=0), replicates=frame_weights(rng, 30) @ frames, solid=solid)

    found = [curve_distance(noise(), noise()) for _ in range(50)]
    assert np.mean([one.value for one in found]) < 0.3
    assert np.mean([one.low == 0 for one in found]) > 0.95


@pytest.mark.parametrize("v", [0.2, 0.6])
def test_visibility_of_a_known_fringe(rng, v):
    """I = 1 + v cos(2 pi r / 16) has visibility v; a ring one pixel wide keeps sinc(1/16) of it."""
    radius, _ = polar()
    light = 400 * (1 + v * np.cos(2 * np.pi * radius / 16))
    found = fringe_visibility(frame_set(rng.poisson(light, (30, SIZE, SIZE))))
    assert_allclose(found, v, atol=0.02)


def test_noise_makes_no_visibility(rng):
    """A flat dim frame, whose brightest and darkest ring differ much, has none on average."""
    flat = frame_set(rng.poisson(0.2, (200, SIZE, SIZE)))
    found = fringe_visibility(flat)
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(200)
    sums = np.array([photons[polar()[0].astype(int) == 12].mean() for photons in flat.counts])
    assert sums.std() / sums.mean() > 0.1  # so that it could


def test_light_that_only_falls_off_has_no_visibility(rng):
    radius, _ = polar()
    found = fringe_visibility(frame_set(rng.poisson(500 * np.exp(-radius / 6), (40, SIZE, SIZE))))
    assert np.median(found) < 0.05
    assert fringe_visibility(frame_set(np.zeros((2, 8, 8)))).tolist() == [0, 0]


def test_photon_histogram_counts_pixels():
    counts = np.zeros((2, 8, 8))
    counts[:, 0] = [0, 1, 2, 3, 4, 5, 8, 9]
    histogram = photon_histogram(frame_set(counts))
    shares = dict(zip(BIN_NAMES, histogram.value, strict=True))
    expected = {"0": 57 / 64, "1": 1 / 64, "2": 1 / 64, "3-4": 2 / 64, "5-8": 2 / 64, "9-16": 1 / 64}
    assert {name: share for name, share in shares.items() if share} == pytest.approx(expected)
    assert_allclose(histogram.x[:6], [0, 1, 2, 3, 5, 9])
    assert photon_histogram(frame_set(counts + 70_000)).value[-1] == 1


def test_hellinger_distance_of_known_histograms():
    """Half of the pixels 0 and half 1, against 0 alone: H² = 1 - 1 / sqrt 2."""
    half = np.indices((8, 8)).sum(axis=0) % 2 * np.ones((4, 1, 1))
    found = histogram_distance(photon_histogram(frame_set(half)), photon_histogram(frame_set(half * 0)))
    assert_allclose(found, np.sqrt(1 - np.sqrt(0.5)), rtol=1e-6)
    apart = histogram_distance(
        photon_histogram(frame_set(half * 0 + 1)), photon_histogram(frame_set(half * 0))
    )
    assert_allclose(apart, 1)


def test_total_counts_are_the_two_sample_test_of_kolmogorov_and_smirnov(rng):
    one = frame_set(rng.poisson(rng.uniform(1, 2, (40, 1, 1)), (40, 8, 8)))
    same = frame_set(rng.poisson(rng.uniform(1, 2, (30, 1, 1)), (30, 8, 8)))
    twice = frame_set(same.counts * 2)
    found = total_counts(one, same)
    assert found.statistic.value == ks_2samp(one.totals, same.totals).statistic
    assert found.statistic.low == 0
    assert found.p_value > 0.05
    far = total_counts(one, twice)
    assert far.statistic.low > 0
    assert far.p_value < 1e-6
    assert_allclose(far.measured, np.quantile(same.totals, [0.05, 0.25, 0.5, 0.75, 0.95]) * 2)


@pytest.mark.parametrize("m", [1, 2, 3, 6])
def test_angular_power_of_a_cosine(rng, m):
    """I = 1 + e cos(m phi) has e² / 4 in order m and nothing elsewhere, at any brightness."""
    _, angle = polar()
    light = 1 + 0.4 * np.cos(m * angle + 0.3)
    for photons in (0.3, 30.0):
        power = angular_power(frame_set(rng.poisson(photons * light, (100, SIZE, SIZE)))).value()
        error = power.std(axis=0) / 10
        expected = np.where(np.arange(1, 7) == m, 0.04, 0.0)
        assert (np.abs(power.mean(axis=0) - expected) < 4 * error + 0.0015).all()


def test_angular_power_is_blind_to_the_radius_and_to_the_mask():
    """A steep radial light behind a gap, a hole and a dead corner is no fluctuation."""
    radius, _ = polar()
    good = np.ones((SIZE, SIZE), bool)
    good[23:25] = good[20:28, 20:28] = good[:15, :20] = False
    steep = frame_set(1e4 * np.exp(-np.floor(radius) / 4)[None], good)
    angular = angular_power(steep)
    covered = angular.photons > 0
    assert (angular.power[covered] / angular.photons[covered][:, None] <= 0).all()  # less the Poisson noise


def test_angular_curve_has_every_band_and_order(rng):
    curve = angular_curve(frame_set(rng.poisson(3.0, (10, SIZE, SIZE))))
    assert curve.x.tolist() == [1, 2, 3, 4, 5, 6] * 4
    assert curve.solid.all()


def test_poisson_frames_have_dispersion_one(rng):
    """Of one pattern at one brightness; at many brightnesses, once thinned to one."""
    radius, _ = polar()
    light = 5 * np.exp(-radius / 8)
    once = dispersion_curve(frame_set(rng.poisson(light, (60, SIZE, SIZE))))
    assert_allclose(once.value[4:], 1, atol=0.15)
    many = rng.poisson(light * rng.uniform(1, 9, (60, 1, 1)), (60, SIZE, SIZE))
    thin = dispersion_curve(thinned(frame_set(many), 1500)[0])
    assert_allclose(thin.value[4:], 1, atol=0.15)


def test_patterns_that_change_disperse_as_they_must(rng):
    """Outer light times g = 1 ± c: variance = mean + c² mean², so the index is 1 + c² mean."""
    radius, _ = polar()
    inner = radius < 8
    signs = np.where(np.arange(300) % 2, 0.5, -0.5)[:, None, None]
    light = np.where(inner, 200.0, 2 * (1 + signs))
    dispersion = dispersion_curve(frame_set(rng.poisson(light)))
    # the inner light holds most of the photons, so normalizing changes little
    outer = light[:, ~inner].sum(axis=1) / light.sum(axis=(1, 2))
    change = light[:, ~inner].mean(axis=1) / light.sum(axis=(1, 2)) * light.sum(axis=(1, 2)).mean()
    assert outer.max() < 0.2
    expected = 1 + change.var() / change.mean()
    assert_allclose(dispersion.value[9:].mean(), expected, rtol=0.03)
    replicates = dispersion.replicates[:, 9:].mean(axis=1)
    assert abs(replicates.mean() - dispersion.value[9:].mean()) < 0.02


@pytest.mark.parametrize(
    "measure", [profile_curve, photon_histogram, angular_curve, dispersion_curve, noise_curve]
)
def test_one_frame_has_no_curve(measure):
    with pytest.raises(InputError, match="at least"):
        measure(frame_set(np.ones((1, 8, 8))))


def test_curves_for_a_plot_lie_within_their_intervals():
    for curve in profile_curves(shots(20, 1), shots(25, 2)):
        assert curve.x.shape == curve.value.shape == curve.low.shape == (SIZE // 2,)
        assert (curve.low <= curve.value).all()
        assert (curve.value <= curve.high).all()
        assert not curve.solid[0]  # the hole
    assert CENTRE == 23.5
