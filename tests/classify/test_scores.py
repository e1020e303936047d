"""Scores mean what their names say."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_curve as sklearn_roc_curve

from xfelspi.classify import Thresholds, evaluate, roc_curve
from xfelspi.classify.scores import best_balanced, find_thresholds

NEGATIVES = np.concatenate([np.linspace(-5, 1, 990), np.linspace(1.2, 3, 9), [3.5]])  # 1 % beyond 1, 0.1 % 3
THRESHOLDS = Thresholds(balanced=0.0, at_fpr={"1pct": 1.0, "0p1pct": 3.0}, negatives=NEGATIVES)
LOGITS = np.array([2.0, 0.5, -1.0, 4.0, 0.7, -3.0, 1.5, -2.0], np.float32)
LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0])
CLEAR = np.array([0, 0, 0, 0, 1, 1, 0, 0], bool)
PROMISED = (
    "accuracy",
    "balanced_accuracy",
    "auc",
    "fnr",
    "fpr",
    "fnr_at_1pct_fpr",
    "fnr_at_0p1pct_fpr",
    "fpr_clear",
    "auc_clear",
)


def value(scores, name):
    return scores.metrics[name].value


def test_every_rate_by_hand():
    scores = evaluate(LOGITS, LABELS, CLEAR, THRESHOLDS)
    assert (scores.n_single, scores.n_other, scores.n_clear) == (4, 4, 2)
    expected = {
        "accuracy": 5 / 8,
        "balanced_accuracy": 5 / 8,
        "fnr": 1 / 4,
        "fpr": 2 / 4,
        "fnr_at_1pct_fpr": 2 / 4,
        "fpr_at_1pct_fpr": 1 / 4,
        "fpr_clear_at_1pct_fpr": 0,
        "fnr_at_0p1pct_fpr": 3 / 4,
        "fpr_at_0p1pct_fpr": 0,
        "fnr_at_1pct_fpr_roc": 2 / 4,  # of the clear ones, 0.7 may not be exceeded
        "accuracy_clear": 4 / 6,
        "fpr_clear": 1 / 2,
        "auc": 12 / 16,
        "auc_clear": 6 / 8,
    }
    assert {name: value(scores, name) for name in expected} == pytest.approx(expected)


def test_a_row_is_json_with_every_promised_key_and_interval():
    row = json.loads(json.dumps(evaluate(LOGITS, LABELS, CLEAR, THRESHOLDS).row("a.h5", "torus")))
    assert (row["file"], row["shape"]) == ("a.h5", "torus")
    for name in PROMISED:
        low, high = row[f"{name}_ci"]
        assert 0 <= low <= row[name] <= high <= 1


def test_unknown_labels_are_left_out():
    with_unknown = np.r_[LOGITS, 9.0], np.r_[LABELS, -1], np.r_[CLEAR, False]
    plain, more = (evaluate(*case, THRESHOLDS) for case in ((LOGITS, LABELS, CLEAR), with_unknown))
    assert plain == more


@pytest.mark.parametrize(("label", "there"), [(1, "fnr"), (0, "fpr")])
def test_one_class_gives_what_it_can(label, there):
    only = label == LABELS
    scores = evaluate(LOGITS[only], LABELS[only], CLEAR[only], THRESHOLDS)
    assert scores.metrics[there] is not None
    assert scores.metrics["accuracy"] is not None
    assert scores.metrics["auc"] is None
    assert scores.metrics["balanced_accuracy"] is None
    assert scores.row("a.h5", None)["auc_ci"] is None


def test_without_truth_there_is_nothing_on_clear_multiples():
    scores = evaluate(LOGITS, LABELS, None, THRESHOLDS)
    assert scores.n_clear is None
    assert [scores.metrics[name] for name in ("fpr_clear", "auc_clear", "accuracy_clear")] == [None] * 3
    assert value(scores, "fnr_at_1pct_fpr") == 2 / 4


def test_wanted_rates_are_those_of_clear_multiples_and_the_own_threshold_minds_all_but_hidden_ones():
    kinds = {"single": np.full(50, 5.0), "clear": np.linspace(-9, -1, 200)}
    kinds |= {"hidden": np.full(20, 4.0), "droplet": np.full(20, 1.0)}
    logits, name = np.concatenate([*kinds.values()]), np.repeat([*kinds], [len(v) for v in kinds.values()])
    found = find_thresholds(logits, (name == "single").astype(int), name == "clear", name == "hidden")
    clear = kinds["clear"]
    assert 1.0 < found.balanced < 5.0  # in the gap
    assert found.negatives.tolist() == clear.astype(np.float32).tolist()
    assert (clear > found.at_fpr["1pct"]).sum() == 2
    assert (clear > found.at_fpr["0p1pct"]).sum() == 0


def test_curve_agrees_with_another_implementation(rng):
    labels = rng.integers(0, 2, 200)
    logits = np.round(labels + rng.normal(size=200), 1)  # with ties
    dark = [curve.tolist() for curve in roc_curve(np.array([1, -np.inf, -np.inf]), np.array([1, 1, 0]))]
    assert dark == [[0, 0, 1], [0, 0.5, 1]]
    ours = roc_curve(logits, labels)
    theirs = sklearn_roc_curve(labels, logits, drop_intermediate=False)[:2]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other)


def test_frames_without_a_photon_leave_the_threshold_where_it_is():
    single, other = np.array([1.0, 3.0]), np.array([-1.0, -3.0])
    dark = np.append(other, -np.inf)
    assert abs(best_balanced(single, dark) - best_balanced(single, other)) < 0.5
