"""Intervals and areas against published values, brute force and another implementation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from xfelspi.classify import intervals
from xfelspi.classify.intervals import (
    auc,
    auc_interval,
    balanced_interval,
    miss_interval,
    threshold_at,
    wilson,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Newcombe (1998), Stat. Med. 17, 857, table I, method 3; the last as the design quotes it.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 1000, 0.0, 0.0038),
    ],
)
def test_wilson_gives_the_published_intervals(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=6e-5)
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low), abs=6e-5)


def test_area_is_the_share_of_pairs_in_order(rng):
    positive, negative = rng.integers(0, 12, 60) + 3.0, rng.integers(0, 12, 45) * 1.0  # with ties
    pairs = positive[:, None] - negative[None]
    assert auc(positive, negative) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    labels = np.r_[np.ones(60), np.zeros(45)]
    assert auc(positive, negative) == pytest.approx(roc_auc_score(labels, np.r_[positive, negative]))


def test_area_interval_covers_the_truth_as_often_as_it_says(rng):
    """Two normal distributions one deviation apart: the area is Phi(1 / sqrt 2)."""
    truth = 0.760_249_9
    hits = 0
    for _ in range(100):
        low, high = auc_interval(rng.normal(1, 1, 60), rng.normal(0, 1, 80))
        hits += low <= truth <= high
    assert 88 <= hits <= 99


def test_area_interval_has_a_width_when_classes_are_apart():
    apart = np.linspace(1, 2, 100), np.linspace(-2, -1, 300)
    assert auc_interval(*apart) == (pytest.approx(1 - 0.037, abs=1e-3), 1.0)
    assert auc_interval(*apart[::-1]) == (0.0, pytest.approx(0.037, abs=1e-3))


def test_area_interval_has_a_width_when_all_scores_are_the_same():
    low, high = auc_interval(np.zeros(30), np.zeros(20))
    assert 0.4 < low < 0.45 < 0.55 < high < 0.6
    assert low + high == pytest.approx(1)


def test_balanced_interval_lies_between_those_of_its_classes():
    low, high = balanced_interval((5, 0), (100, 1000))
    assert low < 1 - 0.025 < high
    assert low > (1 - wilson(5, 100)[1] + 1 - wilson(0, 1000)[1]) / 2  # both at their worst is too wide
    assert balanced_interval((0, 0), (50, 50))[0] < 1


def test_threshold_lets_no_more_through_than_asked(rng):
    scores = np.sort(rng.normal(size=930))
    for wanted, allowed in ((0.01, 9), (0.001, 0), (0.0, 0), (1 / 930, 1)):
        assert (scores > threshold_at(scores, wanted)).sum() == allowed


def test_missed_singles_have_an_interval_that_knows_the_threshold_moves(rng):
    single = rng.normal(4, 1, 50_000)
    few, many = rng.normal(0, 1, 200), rng.normal(0, 1, 20_000)
    narrow, wide = (np.diff(miss_interval(single, negative, 0.01))[0] for negative in (many, few))
    assert wide > 2 * narrow
    low, high = miss_interval(single, many, 0.01)
    assert low < (single <= threshold_at(np.sort(many), 0.01)).mean() < high
    assert miss_interval(single + 50, many, 0.01)[1] > 0  # none missed is not none ever


@pytest.mark.parametrize("apart", [0.5, 3.0])
def test_an_area_from_many_scores_has_the_interval_of_the_same_scores_one_by_one(monkeypatch, apart):
    """In cells as one by one: the edges agree to a tenth of the interval's width, ties included."""
    rng = np.random.default_rng(0)
    positive, negative = rng.normal(apart, size=4_000).round(2), rng.normal(size=5_000).round(2)
    one_by_one = np.array(intervals.auc_interval(positive, negative))
    monkeypatch.setattr(intervals, "_ONE_BY_ONE", 1_000)
    in_cells = np.array(intervals.auc_interval(positive, negative))
    assert np.abs(in_cells - one_by_one).max() < 0.1 * np.diff(one_by_one)[0]
    assert in_cells[0] < intervals.auc(positive, negative) < in_cells[1]
    dark = np.arange(negative.size) % 2 == 0  # frames without a photon
    same = intervals.auc_interval(positive, np.where(dark, -99.0, negative))
    assert intervals.auc_interval(positive, np.where(dark, -np.inf, negative)) == same
