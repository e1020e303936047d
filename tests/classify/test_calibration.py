"""Probabilities: the map, its fit, and what the prior does to it."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xfelspi.classify import Calibration
from xfelspi.classify.calibration import fit_calibration

SLOPED = Calibration(slope=0.7, offset=-0.4, lowest=0.001, highest=0.99)


def drawn(rng, n, calibration):
    """Logits of either class, half each, for which `calibration` is the truth."""
    logits = rng.uniform(-12, 12, n)
    p = calibration.probabilities(logits)
    return logits.astype(np.float32), (rng.random(n) < p).astype(int)


@given(st.floats(0.001, 0.999), st.floats(-30, 30))
def test_the_prior_moves_log_odds_by_its_own(prior, logit):
    even, moved = (float(SLOPED.probabilities(np.array(logit), at)) for at in (0.5, prior))

    def log_odds(p):
        return np.log(p / (1 - p))

    assert log_odds(moved) - log_odds(even) == pytest.approx(log_odds(prior), abs=1e-6)


@given(st.floats(0.01, 0.99))
@example(0.9670757308599286)  # where a share of a sum falls by a rounding
def test_probabilities_rise_with_the_logit_and_stay_within_their_bounds(prior):
    p = SLOPED.probabilities(np.linspace(-800, 800, 4001), prior)
    assert (np.diff(p) >= 0).all()
    assert 0 < p[0] < p[-1] < 1
    assert SLOPED.probabilities(np.array([-800.0, 800.0])) == pytest.approx([0.001, 0.99])


def test_the_fit_finds_the_map_that_labels_were_drawn_from(rng):
    logits, labels = drawn(rng, 60_000, SLOPED)
    found = fit_calibration(logits, labels, spread=0.0)
    at = np.linspace(-10, 10, 41)
    drawn_from = SLOPED.probabilities(at, prior=1 - labels.mean())  # as if both classes were as many
    np.testing.assert_allclose(found.probabilities(at), drawn_from, atol=0.01)
    assert found.probabilities(np.array(50.0)) == pytest.approx(drawn_from[-1], abs=0.003)


def test_classes_weigh_the_same_whatever_their_numbers(rng):
    logits, labels = drawn(rng, 60_000, SLOPED)
    fewer = (labels == 0) | (rng.random(labels.size) < 0.1)  # a tenth of the singles
    at = np.linspace(-10, 10, 41)
    one, other = (
        fit_calibration(logits[chosen], labels[chosen], spread=0.0).probabilities(at)
        for chosen in (labels >= 0, fewer)
    )
    np.testing.assert_allclose(one, other, atol=0.02)


def test_classes_apart_do_not_make_certainty(rng):
    logits, labels = rng.normal(np.repeat([-8, 8], 100), 1), np.repeat([0, 1], 100)
    for spread in (0.0, 0.1):
        p = fit_calibration(logits, labels, spread).probabilities(logits)
        assert 0.95 < p[labels == 1].mean() < 0.9999
        assert 0.0001 < p[labels == 0].mean() < 0.05


def test_spread_makes_probabilities_milder(rng):
    logits, labels = rng.normal(np.repeat([-4, 4], 2000), 1.5), np.repeat([0, 1], 2000)
    sharp, mild = (fit_calibration(logits, labels, spread) for spread in (0.0, 0.25))
    between = np.array([-1.0, 1.0])
    assert np.ptp(mild.probabilities(between)) < np.ptp(sharp.probabilities(between))


def test_the_unit_of_logits_does_not_matter(rng):
    """A network whose logits are all three times as large is no surer."""
    logits, labels = rng.normal(np.repeat([-4, 4], 20_000), 2.0), np.repeat([0, 1], 20_000)
    at = np.linspace(-4, 4, 9)
    one, other = (fit_calibration(k * logits, labels).probabilities(k * at) for k in (1, 3))
    np.testing.assert_allclose(one, other, atol=0.002)


def test_spread_is_what_another_shape_needs(rng):
    """Logits of shapes lie apart by 2: over many, a map fitted on one, spread, is truer on the others."""
    from xfelspi.classify.reliability import expected_calibration_error, reliability

    labels = np.repeat([0, 1], 3000)

    def shape():
        return rng.normal(np.repeat([-3, 3], 3000), 1.2) + np.repeat(rng.normal(0, 2, 2), 3000)

    given = {0.0: [], 2 / 6: []}
    for _ in range(20):
        seen, unseen = shape(), shape()
        for spread, theirs in given.items():
            theirs.append(fit_calibration(seen, labels, spread).probabilities(unseen))
    sharp, mild = (
        expected_calibration_error(reliability(np.concatenate(p), np.tile(labels, 20))).value
        for p in given.values()
    )
    assert mild < 0.75 * sharp


@pytest.mark.parametrize("wrong", [{"slope": 0.0}, {"offset": np.nan}, {"lowest": 0.995}, {"highest": 1.1}])
def test_what_is_no_map_is_refused(wrong):
    values = {"slope": 1.0, "offset": 0.0, "lowest": 0.0, "highest": 0.99}
    with pytest.raises(ValueError):
        Calibration(**values | wrong)
