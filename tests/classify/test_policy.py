"""Decisions are what was asked for, and what the model cannot support is refused."""

from dataclasses import replace

import numpy as np
import pytest

from xfelspi.classify import Policy, Thresholds, decide, default_model, expected_of, held_out_fpr, load_model
from xfelspi.classify.model import HeldLogits
from xfelspi.classify.policy import expect, settled, threshold_of
from xfelspi.errors import InputError

LOGITS = np.linspace(-15, 15, 601).astype(np.float32)


def with_negatives(n):
    negatives = np.linspace(-9, 1, n).astype(np.float32)
    return Thresholds(balanced=0.0, at_fpr={"1pct": 1.0, "0p1pct": 3.0}, negatives=negatives)


def test_without_wishes_the_models_threshold_decides(toy_model):
    verdict = decide(toy_model, LOGITS, Policy())
    np.testing.assert_array_equal(verdict.kept, toy_model.thresholds.balanced < LOGITS)
    assert not verdict.unsure.any()


@pytest.mark.parametrize(("n", "rate"), [(3000, 0.001), (400, 0.01), (10_000, 0.02)])
def test_the_threshold_is_exceeded_at_the_rate_asked_for(n, rate):
    thresholds = with_negatives(n)
    policy = Policy(max_fpr=rate)
    above = (thresholds.negatives > threshold_of(thresholds, policy)).mean()
    assert rate - 1 / n < above <= rate
    low, high = held_out_fpr(thresholds, policy).interval
    assert low < rate < high


def test_the_model_in_the_package_knows_its_threshold_for_one_in_a_thousand():
    thresholds = load_model(default_model()).thresholds
    low, high = held_out_fpr(thresholds, Policy(max_fpr=0.001)).interval
    assert low < 0.001 < high < 0.003


def test_too_few_negatives_are_refused_and_the_rate_named_is_accepted():
    thresholds = with_negatives(930)
    with pytest.raises(InputError, match=r"needs 3000 clear multiples.* has 930") as caught:
        threshold_of(thresholds, Policy(max_fpr=0.001))
    named = float(str(caught.value).split("ask for ")[1].split()[0])
    assert 0.0032 < named < 0.0033
    threshold_of(thresholds, Policy(max_fpr=named))


def test_no_negatives_at_all_is_one_sentence():
    with pytest.raises(InputError, match="has 0; train"):
        threshold_of(with_negatives(0), Policy(max_fpr=0.5))


@pytest.mark.parametrize("prior", [None, 0.03, 0.9])
@pytest.mark.parametrize("abstain", [0.01, 0.2])
def test_what_is_decided_is_wrong_with_no_more_than_the_chance_accepted(toy_model, prior, abstain):
    verdict = decide(toy_model, LOGITS, Policy(prior=prior, abstain=abstain))
    left = ~verdict.kept & ~verdict.unsure
    assert not (verdict.kept & verdict.unsure).any()
    assert (1 - verdict.probabilities[verdict.kept] <= abstain).all()
    assert (verdict.probabilities[left] <= abstain).all()


def test_a_smaller_share_of_singles_makes_keeping_less_sure(toy_model):
    often, seldom = (decide(toy_model, LOGITS, Policy(prior=prior)) for prior in (0.5, 0.03))
    assert (seldom.probabilities < often.probabilities).all()
    np.testing.assert_array_equal(seldom.kept, often.kept)  # the threshold stays


def test_precision_is_bayes(toy_model):
    """90 of 100 singles and 10 of 1000 others kept, 3 % singles: 0.027 / (0.027 + 0.0097)."""
    singles, others = np.arange(100) < 90, np.arange(1000) < 10
    expected = expect(singles, others, 0.03)
    assert expected.kept.value == pytest.approx(0.03 * 0.9 + 0.97 * 0.01)
    assert expected.precision.value == pytest.approx(0.027 / 0.0367)
    assert expected.precision.interval[0] < 0.65 < expected.precision.value < expected.precision.interval[1]
    held = HeldLogits(
        singles=np.where(singles, 9, -9).astype(np.float32), others=np.where(others, 9, -9).astype(np.float32)
    )
    assert expected_of(replace(toy_model, held=held), Policy(prior=0.03)) == expected
    assert expected_of(toy_model, Policy()) is None


def test_precision_among_shots_drawn_with_that_share(rng):
    """Of many shots, 5 % single, classified at known rates: the share of singles among the kept."""
    is_single = rng.random(400_000) < 0.05
    kept = rng.random(is_single.size) < np.where(is_single, 0.8, 0.02)
    sample = rng.random(4000) < 0.8, rng.random(4000) < 0.02
    expected = expect(*sample, 0.05)
    assert expected.precision.interval[0] < is_single[kept].mean() < expected.precision.interval[1]
    assert expected.kept.interval[0] < kept.mean() < expected.kept.interval[1]


def test_nothing_kept_has_no_precision_but_an_interval_of_what_is_kept():
    expected = expect(np.zeros(50, bool), np.zeros(50, bool), 0.03)
    assert expected.precision is None
    assert expected.kept.value == expected.kept.interval[0] == 0 < expected.kept.interval[1]
    assert expect(np.zeros(0, bool), np.zeros(50, bool), 0.03) is None


@pytest.mark.parametrize(
    "wrong", [{"max_fpr": 0.0}, {"max_fpr": 1.0}, {"prior": 0.0}, {"prior": 1.5}, {"abstain": 0.5}]
)
def test_what_cannot_be_wanted_is_refused(wrong):
    with pytest.raises(InputError, match="must lie between"):
        Policy(**wrong)


@pytest.mark.parametrize("top", [600, 601, 5_000])
def test_who_abstains_does_so_however_many_are_to_be_kept(toy_model, top):
    policy = settled(Policy(top=top, abstain=0.05), LOGITS)
    verdict = decide(toy_model, LOGITS, policy)
    assert verdict.unsure.any()
    assert np.isfinite(verdict.margins).all()
    not_asked = decide(toy_model, np.full(3, -np.inf), policy)
    assert not (not_asked.kept | not_asked.unsure).any()
