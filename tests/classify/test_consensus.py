"""Several opinions make one decision, and no more are kept than were asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xfelspi.classify import Policy, agreed, decide, settled, vetoed
from xfelspi.classify.policy import verdict_of
from xfelspi.errors import InputError


def verdict(margins, policy=Policy()):  # noqa: B008
    margins = np.asarray(margins, float)
    return verdict_of(1 / (1 + np.exp(-margins)), margins, policy)


MARGINS = st.lists(st.lists(st.floats(-5, 5), min_size=6, max_size=6), min_size=1, max_size=4)


@given(margins=MARGINS, abstain=st.one_of(st.none(), st.floats(0.01, 0.45)))
def test_all_keeps_what_every_model_keeps_and_leaves_what_any_leaves(margins, abstain):
    policy = Policy(abstain=abstain)
    of_each = [verdict(row, policy) for row in margins]
    together = agreed(of_each, policy)
    assert (together.kept == np.logical_and.reduce([each.kept for each in of_each])).all()
    for each in of_each:
        assert not (~each.kept & ~each.unsure & (together.kept | together.unsure)).any()
        assert (together.probabilities <= each.probabilities).all()
    assert not (together.kept & together.unsure).any()


@given(margins=MARGINS)
def test_the_mean_of_the_same_opinion_is_that_opinion(margins):
    one = verdict(margins[0])
    for way in ("all", "mean"):
        assert (agreed([one, one, one], Policy(), way).kept == (np.asarray(margins[0]) * 3 / 3 > 0)).all()


def test_the_mean_lets_a_sure_model_outvote_another():
    assert agreed([verdict([3.0]), verdict([-1.0])], Policy(), "mean").kept.all()
    assert not agreed([verdict([3.0]), verdict([-1.0])], Policy(), "all").kept.any()


@given(margins=MARGINS, top=st.integers(1, 8))
def test_the_likeliest_by_the_mean_are_no_more_than_asked_for(margins, top):
    mean = np.mean(margins, axis=0)
    kept = agreed([verdict(row) for row in margins], Policy(top=top), "mean").kept
    if len(margins) > 1:
        assert kept.sum() <= top
        assert not kept.any() or mean[kept].min() > mean[~kept].max(initial=-np.inf)
        assert kept.sum() == top or np.unique(mean).size < 6 or top > 6


def test_all_may_be_kept_and_still_be_unsure():
    """A number to keep that the file does not have: nobody is kept whom the policy is unsure about."""
    policy = Policy(top=10, abstain=0.05)
    each = [verdict([-0.5, 0.2, 8.0, -np.inf], policy)] * 2
    both = agreed(each, policy, "mean")
    assert both.kept.tolist() == [False, False, True, False]
    assert both.unsure.tolist() == [True, True, False, False]


def test_a_veto_takes_away_and_never_adds():
    before = verdict([2.0, 0.1, -2.0, 2.0], Policy(abstain=0.3))
    after = vetoed(before, np.array([True, True, True, False]))
    assert after.kept.tolist() == [True, False, False, False]
    assert after.unsure.tolist() == [False, True, False, False]


@given(
    logits=st.lists(st.integers(-3, 3), min_size=1, max_size=20),
    top=st.integers(1, 25),
    n_unseen=st.integers(0, 3),
)
def test_top_keeps_the_likeliest_and_no_more(logits, top, n_unseen):
    seen = np.array(logits, np.float32)
    logits = np.concatenate([seen, np.full(n_unseen, -np.inf, np.float32)])
    kept = logits > settled(Policy(top=top), logits).threshold
    assert kept.sum() <= top
    assert not kept[seen.size :].any()
    if kept.sum() < min(top, seen.size):  # equal logits at the edge all stay out
        edge = logits[~kept].max()
        assert (logits == edge).sum() + kept.sum() > top
    assert not kept.any() or logits[kept].min() > logits[~kept].max(initial=-np.inf)


def test_shots_that_no_model_saw_are_neither_kept_nor_unsure(toy_model):
    seen = decide(toy_model, np.array([-np.inf, 5.0], np.float32), Policy(prior=0.5, abstain=1e-6))
    assert (seen.kept[0], seen.unsure[0]) == (False, False)


@pytest.mark.parametrize("wrong", [{"top": 0}, {"top": 5, "max_fpr": 0.1}])
def test_a_number_to_keep_stands_alone(wrong):
    with pytest.raises(InputError):
        Policy(**wrong)


def test_an_unknown_way_is_one_sentence():
    with pytest.raises(InputError, match="all, mean"):
        agreed([verdict([1.0])], Policy(), "vote")
