"""Tests of two samples: nothing where nothing differs, the known answer where something does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from toy_frames import shots

from xfelspi.errors import InputError
from xfelspi.fidelity import frame_features, kernel_distance, two_sample_test


def test_kernel_distance_is_the_sum_written_out(rng):
    x, y = rng.normal(size=(11, 3)), rng.normal(size=(13, 3))

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    within_x = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    within_y = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    across = np.mean([k(a, b) for a in x for b in y])
    assert_allclose(kernel_distance(x, y).value, within_x + within_y - 2 * across)


def test_kernel_distance_is_unbiased_and_covers(rng):
    """Of one distribution the mean is 0. Shifted by s in one dimension, k = (x y + 1)³ has a known mean."""
    same = np.array([kernel_distance(rng.normal(size=(20, 8)), rng.normal(size=(15, 8))) for _ in range(400)])
    assert abs(same[:, 0].mean()) < 4 * same[:, 0].std() / 20
    assert ((same[:, 1] <= 0) & (same[:, 2] >= 0)).mean() > 0.95
    # (x y + 1)³ = 1 + 3 xy + 3 x²y² + x³y³, so MMD² = 3 d1² + 3 d2² + d3² over the moments' differences
    s = 0.8
    truth = 3 * s**2 + 3 * (s**2) ** 2 + (s**3 + 3 * s) ** 2
    apart = np.array(
        [kernel_distance(rng.normal(s, 1, (60, 1)), rng.normal(size=(60, 1))) for _ in range(300)]
    )
    assert abs(apart[:, 0].mean() - truth) < 4 * apart[:, 0].std() / np.sqrt(300)
    assert ((apart[:, 1] <= truth) & (truth <= apart[:, 2])).mean() > 0.88


@pytest.mark.parametrize(("n", "m", "d"), [(20, 20, 9), (90, 25, 40)])
def test_equal_sets_cannot_be_told_apart(rng, n, m, d):
    found = [two_sample_test(rng.normal(size=(n, d)), rng.normal(size=(m, d)), seed) for seed in range(6)]
    areas = np.array([one.auc for one in found])
    assert abs(areas[:, 0].mean() - 0.5) < 4 * areas[:, 0].std() / np.sqrt(6)
    assert ((areas[:, 1] <= 0.5) & (areas[:, 2] >= 0.5)).sum() >= 5
    assert all(one.chance[0] < 0.5 < one.chance[1] for one in found)


def test_a_shift_is_told_apart_as_well_as_can_be(rng):
    """Two normal distributions two deviations apart: the area is Phi(sqrt 2) = 0.921."""
    x, y = rng.normal(size=(400, 3)), rng.normal(size=(120, 3))
    x[:, 1] += 2
    found = two_sample_test(x, y)
    assert found.auc.low < 0.921 < found.auc.high
    assert found.auc.value > 0.88
    assert found.chance[1] < 0.65
    assert two_sample_test(y, x).auc.value == pytest.approx(found.auc.value, abs=0.02)


def test_sets_far_apart_have_an_interval_still(rng):
    far = two_sample_test(rng.normal(size=(20, 2)), rng.normal(20, 1, (30, 2)))
    assert far.auc.value == far.auc.high == 1
    assert far.auc.low == pytest.approx(0.025 ** (1 / 20))


def test_a_constant_feature_and_one_odd_frame_do_no_harm(rng):
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    x[:, 0] = y[:, 0] = 7.0
    x[3, 1] = 1e9
    found = two_sample_test(x, y)
    assert found.auc.low < 0.5 < found.auc.high


@pytest.mark.parametrize("test", [kernel_distance, two_sample_test])
def test_features_that_do_not_fit_are_refused(rng, test):
    x = rng.normal(size=(20, 3))
    for y in (x[:, :2], x[:9], x[0], x[:, :0], np.full_like(x, np.nan)):
        with pytest.raises(InputError):
            test(x, y)


def test_features_are_blind_to_brightness():
    dim, bright = shots(60, 1, brightest=2e4), shots(60, 2, brightest=2e5)
    assert bright.totals.mean() > 5 * dim.totals.mean()
    total = 2000
    first, second = frame_features(dim, total), frame_features(bright, total)
    assert first.values.shape == (first.kept.size, len(first.names))
    found = two_sample_test(first.values, second.values)
    assert found.auc.low < 0.5 < found.auc.high


def test_features_do_not_depend_on_the_call():
    frames = shots(12, 3)
    assert (frame_features(frames).values == frame_features(frames).values).all()
    assert np.isfinite(frame_features(frames).values).all()
