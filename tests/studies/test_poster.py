"""How a poster study parts, orders and scores patterns, and what is wrong with a declaration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_poster import FIRST, SECOND, toy_poster

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, write_subset
from xfelspi.simulate import load_recipe, simulate_to_file
from xfelspi.studies import load_poster
from xfelspi.studies.poster_clock import Timed
from xfelspi.studies.poster_scores import learn_counts, majority, pooled, row
from xfelspi.studies.poster_speed import SpeedCurve
from xfelspi.studies.poster_table import folds
from xfelspi.studies.poster_work import HELD_FRACTION, Judged, Learner, in_turns
from xfelspi.studies.protocols import load_geometry
from xfelspi.studies.trainings import trainings

binary = st.lists(st.integers(0, 1), min_size=2, max_size=40).map(np.array)


@given(labels=binary)
def test_in_turns_is_an_order_and_mixes_classes_as_far_as_they_go(labels):
    order = in_turns(labels)
    assert sorted(order) == list(range(labels.size))
    fewest = min((labels == 0).sum(), (labels == 1).sum())
    turned = labels[order]
    assert turned[: 2 * fewest].tolist() == [1, 0] * fewest
    assert len(set(turned[2 * fewest :].tolist())) <= 1


@given(labels=st.lists(st.integers(-1, 1), max_size=30).map(lambda more: np.array([0, 1] * 4 + more)))
def test_every_labelled_shot_is_left_out_once_and_never_learned_from_then(labels):
    left = []
    for learned, left_out in folds(labels, 4):
        assert not set(learned) & set(left_out)
        assert set(labels[left_out].tolist()) == {0, 1}
        left += left_out.tolist()
    assert sorted(left) == np.flatnonzero(labels >= 0).tolist()


@given(data=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 1)), min_size=4, max_size=30))
def test_no_cut_in_the_photons_does_better_than_the_one_learned(data):
    counts, labels = np.array(data, float).T
    if len(set(labels)) < 2:
        return
    ours = row(learn_counts(counts, labels).judge(counts, labels))["balanced_accuracy"]
    for cut in np.unique(counts) + 0.5:
        for above in (counts > cut, counts < cut):
            found = (above[labels == 1].mean() + (~above)[labels == 0].mean()) / 2
            assert found <= ours + 1e-9


def test_the_larger_class_and_parts_put_together_have_known_scores():
    labels = np.array([1, 1, 1, 0], np.int8)
    assert row(majority(labels))["accuracy"] == 0.75
    assert row(majority(labels))["balanced_accuracy"] == 0.5
    right = Judged(above=np.array([1.0, -1.0], np.float32), labels=np.array([1, 0], np.int8))
    wrong = Judged(above=np.array([-1.0, -2.0], np.float32), labels=np.array([1, 0], np.int8))
    assert row(pooled([right, wrong]))["accuracy"] == 0.75
    assert row(pooled([right, wrong]))["fnr"] == 0.5


def test_what_compares_all_with_all_grows_as_the_square():
    points = tuple(Timed(n=n, seconds=1e-6 * n**2, peak_bytes=1, start_bytes=1) for n in (10, 1_000, 2_000))
    assert SpeedCurve(way="", points=points).growth == pytest.approx(2.0)
    assert SpeedCurve(way="", points=points[:1]).growth is None


def test_a_subset_keeps_frames_mask_and_geometry(tmp_path):
    recipe = load_recipe("benchmark", ["detector.rows=64", "detector.columns=64"])
    source = simulate_to_file(tmp_path / "all.h5", recipe, 6, seed=1)
    with PatternSet.open(source) as whole:
        path = write_subset(tmp_path / "some.h5", whole, [4, 1], np.array([0, 1]))
        with PatternSet.open(path) as some:
            expected = np.concatenate([whole.frames(i, i + 1).counts for i in (4, 1)])
            np.testing.assert_array_equal(some.frames(0, 2).counts, expected)
            np.testing.assert_array_equal(some.mask, whole.mask)
            assert some.labels.tolist() == [0, 1]
            assert some.geometry == whole.geometry
            assert some.truth is None


def test_a_subset_keeps_a_centre_without_geometry(tmp_path):
    np.save(tmp_path / "all.npy", np.ones((3, 16, 16), np.uint16))
    with PatternSet.open(tmp_path / "all.npy", centre_yx=(6.0, 9.5)) as whole:
        path = write_subset(tmp_path / "some.h5", whole, [2], np.array([1]))
    with PatternSet.open(path) as some:
        assert some.centre_yx == (6.0, 9.5)


def test_the_shipped_study_asks_for_every_part_and_quick_is_smaller():
    declared, quick = load_poster("poster"), load_poster("poster").as_quick()
    for name in ("depth", "table", "figures", "robustness", "labels", "speed"):
        assert getattr(declared, name) is not None
        assert getattr(quick, name) is not None
    assert quick.seeds == quick.robustness.seeds == 1
    assert max(quick.speed.sizes) < min(declared.speed.sizes)
    assert declared.with_seeds(2).robustness.seeds == 2
    published, *_ = trainings(declared.robustness)
    assert published.protocol.network == "resnet"


def test_another_network_trains_in_a_folder_of_its_own():
    geometry = load_geometry("geometry")
    declared = load_poster("poster").robustness
    folders = {training.folder.rpartition("-")[2] for training in trainings(declared)}
    assert len(folders) == 3  # two of the networks learn from icosahedra
    assert all(training.protocol.network == "pooled" for training in trainings(geometry))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('recipe = "small"\nblocks', 'recipe = "large"\nblocks', "depth.recipe names 'large'"),
        ("blocks = [[1, 1]]", "blocks = [[0, 1]]", "Blocks 0,1"),
        ("n_train = [40]", "n_train = [4]", "depth.n_train is [4]"),
        ('networks = ["resnet"]', 'networks = ["vgg16"]', "table.networks names 'vgg16'"),
        ("folds = 2", "folds = 1", "table.folds is 1"),
        ("sizes = [40]", "sizes = [60]", "speed.n is 40"),
        ("budgets = [20]\nn_pool = 160", "budgets = [200]\nn_pool = 160", "labels.budgets are [200]"),
        ('shape = "soccer"', 'shape = "egg"', "labels.shape is 'egg'"),
        ('network = "resnet"\ntrain', 'network = "mlp"\ntrain', "protocol published: network names 'mlp'"),
        ("n_each = 1", "n_other = 1", "no key figures.n_other"),
        ("n_stand_in = 40\n\n", "n_stand_in = 40\ncolour = 1\n\n", "no key table.colour"),
    ],
)
def test_a_wrong_declaration_is_refused_by_its_key(tmp_path, old, new, words):
    with pytest.raises(InputError) as caught:
        load_poster(str(toy_poster(tmp_path / "study.toml", FIRST, SECOND, replaced=[(old, new)])))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_of_nothing_and_figures_without_a_table_are_refused(tmp_path):
    for parts, words in (((), "asks for nothing"), (("[figures]\n",), "declare [table] too")):
        with pytest.raises(InputError, match=words.replace("[", r"\[")):
            load_poster(str(toy_poster(tmp_path / "study.toml", *parts)))


def test_as_many_patterns_are_seen_whatever_the_size_of_the_training_set():
    """A fifth is held out; compared are sizes of the set, not lengths of the training."""
    asked = load_poster("poster").depth
    learner = Learner(network=asked.network, patterns_seen=asked.patterns_seen)
    for n in asked.n_train:
        assert learner.epochs(n) * n * (1 - HELD_FRACTION) == pytest.approx(asked.patterns_seen, rel=0.1)
