"""The error of probabilities, on cases where it is known."""

import numpy as np
import pytest

from xfelspi.classify.reliability import N_BINS, expected_calibration_error, reliability


def forecasts(rng, n):
    """Probabilities as a classifier gives them: most near 0 or 1."""
    return rng.beta(0.3, 0.3, n)


def test_a_case_counted_by_hand():
    """Two forecasts, 0.2 and 0.6; of the first a quarter are single, of the second a half."""
    p, y = np.repeat([0.2, 0.6], 400), np.concatenate([np.arange(400) % 4 == 0, np.arange(400) % 2 == 0])
    found = reliability(p, y.astype(int), prior=y.mean())
    np.testing.assert_allclose(found.predicted, [0.2, 0.6])
    np.testing.assert_allclose(found.observed, [0.25, 0.5])
    np.testing.assert_allclose(found.mass, [0.5, 0.5])
    error, (low, high) = expected_calibration_error(found)
    assert error == pytest.approx(0.5 * 0.05 + 0.5 * 0.1, abs=0.002)
    assert low < error < high


def test_equal_probabilities_share_a_bin_whatever_their_order():
    p, y = np.full(300, 0.5), np.repeat([0, 1], 150)
    found = reliability(p, y)
    assert found.observed == pytest.approx([0.5])
    assert expected_calibration_error(found).value == pytest.approx(0)


def test_bins_have_the_same_mass(rng):
    p = forecasts(rng, 3000)
    found = reliability(p, (rng.random(3000) < p).astype(int))
    assert found.mass.size == N_BINS
    np.testing.assert_allclose(found.mass, 1 / N_BINS, rtol=0.02)
    assert (np.diff(found.predicted) > 0).all()


def test_few_patterns_make_few_bins(rng):
    p = rng.random(50)
    assert reliability(p, np.arange(50) % 2).mass.size == 2


@pytest.mark.parametrize("n", [200, 2000])
def test_perfect_forecasts_have_no_error_within_the_interval(rng, n):
    """Counted plainly the error would be that of the noise; the interval reaches 0 in 95 % of the cases."""
    values, lows, plain = [], [], []
    for _ in range(100):
        p = forecasts(rng, n)
        y = (rng.random(n) < p).astype(int)
        found = reliability(p, y, prior=y.mean())
        error, (low, _) = expected_calibration_error(found)
        values.append(error)
        lows.append(low)
        plain.append(found.mass @ np.abs(found.predicted - found.observed))
    assert np.count_nonzero(np.array(lows) == 0) >= 93
    assert np.mean(values) < 0.65 * np.mean(plain)


def test_the_interval_holds_the_true_error(rng):
    """Everything is 20 % less likely than said, so the true error is a fifth of the mean forecast."""
    hits = 0
    for _ in range(100):
        p = forecasts(rng, 2000)
        y = (rng.random(2000) < 0.8 * p).astype(int)
        error, (low, high) = expected_calibration_error(reliability(p, y, prior=y.mean()))
        truth = 0.2 * p.mean()
        hits += low <= truth <= high
        assert error == pytest.approx(truth, abs=0.04)
    assert hits >= 93


@pytest.mark.parametrize("prior", [0.1, 0.03])
def test_intervals_hold_at_any_prior(rng, prior):
    """Forecasts that are right, of a file half of singles: bins hold the truth in 95 % of the cases."""
    y = np.repeat([0, 1], 1000)
    hits, deviations, said = [], [], []
    for _ in range(150):
        logit = rng.normal(np.repeat([-1.0, 1.0], 1000), np.sqrt(2.0))
        found = reliability(1 / (1 + np.exp(-logit) * (1 - prior) / prior), y, prior)
        low, high = found.interval.T
        hits.append((low <= found.predicted) & (found.predicted <= high))
        deviations.append((found.observed - found.predicted)[-1])
        said.append(found.deviation[-1])
    assert 0.93 <= np.mean([one.mean() for one in hits]) <= 0.98
    assert np.mean([one[-1] for one in hits]) >= 0.9
    assert np.mean(said) == pytest.approx(np.std(deviations), rel=0.25)


def test_no_bin_holds_few_patterns(rng):
    """Where classes weigh unlike, bins of equal mass are not bins of equal numbers."""
    p, y = rng.random(390), np.repeat([1, 0], [350, 40])
    found = reliability(np.where(y == 1, p, p**2), y)
    narrowest = np.diff(found.interval).max()
    assert 2 <= found.mass.size < N_BINS
    assert narrowest < 0.5


def test_classes_are_weighted_to_the_prior(rng):
    """A test file half of singles, probabilities for a run with 5 %: right once the prior is said."""
    logit = rng.normal(np.repeat([-2, 2], 20_000), 2)  # log-odds of equal classes are the logit itself
    y = np.repeat([0, 1], 20_000)
    p = 1 / (1 + np.exp(-logit) * 0.95 / 0.05)
    assert expected_calibration_error(reliability(p, y, 0.05)).value < 0.01
    assert expected_calibration_error(reliability(p, y, 0.5)).value > 0.1
