"""Pairs of a single and another: areas, differences, matched counts, each on a case with a known answer."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score

from xfelspi.studies.concordance import brightness, difference, matched_pairs, share, wins
from xfelspi.studies.over_seeds import over_seeds


def random_scores(rng, n=400, shift=1.0):
    labels = rng.integers(0, 2, n)
    return rng.normal(size=n) + shift * labels, labels


def test_all_pairs_give_the_area_under_the_curve(rng):
    scores, labels = random_scores(rng)
    scores = scores.round(1)  # ties
    found = share(wins(scores, labels))
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)
    assert found.low < found.value < found.high


def test_unlabelled_shots_are_left_out(rng):
    scores, labels = random_scores(rng)
    more = np.append(scores, [100.0, -100.0]), np.append(labels, [-1, -1])
    assert_array_equal(wins(*more), wins(scores, labels))


def test_the_interval_covers_the_true_area():
    """AUC of two normals a distance 1 apart is 0.76: in 95 % of samples within the interval."""
    hits = 0
    for seed in range(100):
        scores, labels = random_scores(np.random.default_rng(seed), n=50)
        found = share(wins(scores, labels))
        hits += found.low <= 0.7602 <= found.high
    assert 88 <= hits <= 99


def test_classes_apart_are_not_certain():
    scores, labels = np.array([2.0, 3.0, 0.0, 1.0]), np.array([1, 1, 0, 0])
    assert share(wins(scores, labels))[::2] == (1.0, 1.0)
    assert share(wins(scores, labels)).low < 0.5
    assert share(wins(-scores, labels)).high > 0.5


def test_one_score_for_all_is_not_certain_either():
    found = share(wins(np.zeros(50), np.arange(50) % 2))
    assert found.value == 0.5
    assert 0.4 < found.low < 0.45 < 0.55 < found.high < 0.6


def test_a_difference_is_paired_shot_by_shot(rng):
    """Two models that err on the same shots differ surely, although either alone is uncertain."""
    scores, labels = random_scores(rng, n=100, shift=0.5)
    better = scores + 0.3 * labels
    gain = difference(wins(better, labels), wins(scores, labels))
    alone = share(wins(scores, labels))
    assert gain.low > 0.0
    assert gain.high - gain.low < 0.5 * (alone.high - alone.low)
    nothing = difference(wins(scores, labels), wins(scores, labels))
    assert nothing.value == 0.0
    assert nothing.low < 0.0 < nothing.high  # that these shots do not tell is not that none would


def test_brightness_is_no_cue_within_matched_pairs(rng):
    """A score that is the counts and nothing else has an area, and none of it is left at equal counts."""
    labels = np.repeat([1, 0], 300)
    counts = np.exp(rng.normal(size=600) + 0.8 * labels)
    counts *= 1e4
    facts = brightness(counts, counts, labels)
    assert facts["ours"].value > 0.68
    assert facts["ours"] == facts["counts"]
    assert abs(facts["ours_matched"].value - 0.5) < 0.06
    assert facts["ours_matched"].low < 0.5 < facts["ours_matched"].high
    real = brightness(labels + 0.01 * rng.normal(size=600), counts, labels)
    assert real["ours_matched"].value == 1.0


def test_pairs_are_the_nearest_within_the_ratio():
    counts = np.array([100.0, 101.0, 90.0, 120.0, 149.0, 151.0, 40.0])
    labels = np.array([1, 0, 0, 0, 0, 0, 0])
    assert_array_equal(matched_pairs(counts, labels)[0], [True, True, True, False, False, False])
    assert_array_equal(matched_pairs(counts, labels, nearest=9)[0], [True, True, True, True, False, False])
    assert share(np.ones((1, 6)), matched_pairs(counts[:1].repeat(7) * [1, 9, 9, 9, 9, 9, 9], labels)) is None


def test_no_pair_is_no_share():
    labels = np.array([1, 0])
    assert brightness(np.array([1.0, 0.0]), np.array([10.0, 1e4]), labels)["ours_matched"] is None


def test_seeds_are_means_and_do_not_narrow_the_interval(rng):
    scores, labels = random_scores(rng, n=60)
    one = {"logits": scores.tolist(), "labels": labels.tolist(), "threshold": 0.5}
    single, triple = over_seeds([one]), over_seeds([one, one, one])
    for name in ("auc", "balanced_accuracy", "fnr", "fpr"):
        assert triple[name] == pytest.approx(single[name])
    assert len(triple["by_seed"]["auc"]) == 3
    lost = np.mean(scores[labels == 1] <= 0.5)
    kept = np.mean(scores[labels == 0] > 0.5)
    assert single["fnr"].value == pytest.approx(lost)
    assert single["balanced_accuracy"].value == pytest.approx(1 - (lost + kept) / 2)
    assert single["fpr"].low <= kept <= single["fpr"].high


@pytest.fixture
def rng():
    return np.random.default_rng(5)
