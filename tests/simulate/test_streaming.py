"""Streaming: the patterns of files without the files, whoever draws them; workers that come and go."""

import operator
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from xfelspi.errors import InputError
from xfelspi.patterns import AlreadyComplete, PatternSource
from xfelspi.simulate import Experiment, StreamedPatterns, load_recipe, simulate_to_file
from xfelspi.simulate.workers import Workers

SMALL = load_recipe("benchmark", ["detector.rows=64", "detector.columns=64"])
SHAPES = ["icosahedron", "sphere"]
MIDDLE = operator.itemgetter((slice(None), slice(8, 56), slice(8, 56)))
"""What the learner looks at: (k, 48, 48)."""
CORNER = operator.itemgetter((slice(None), slice(48), slice(48)))
WIDE = load_recipe(
    "benchmark",
    ["detector.rows=48", "detector.columns=48", "detector.pixel_size_m=600e-6", "sample.shape=cube"],
)


def look_at(view):
    """The middle of the frames of `SMALL`, all of those of `WIDE`."""
    return MIDDLE if view.shape == (64, 64) else CORNER


def drawn(blocks):
    """Frames, labels and clear of some blocks, put together."""
    blocks = list(blocks)
    return [
        np.concatenate([getattr(block, name) for block in blocks]) for name in ("frames", "labels", "clear")
    ]


@pytest.fixture(scope="module")
def source():
    return StreamedPatterns(SMALL, SHAPES, n=150, seed=3, workers=2)


@pytest.fixture(scope="module")
def first(source):
    """150 patterns to learn from, 20 of the next 150, and 150 to validate with."""
    with source.stream(look_at) as stream:
        return drawn(stream.fresh(0, 150)), drawn(stream.fresh(150, 20)), drawn(stream.held_out(150))


def test_it_is_a_source_of_patterns(source):
    assert isinstance(source, PatternSource)
    assert source.n == 150
    views = []

    def note(view):
        views.append(view)
        return MIDDLE

    with source.stream(note):
        pass
    assert (views[0].shape, views[0].mask.dtype) == ((64, 64), bool)
    np.testing.assert_array_equal(views[0].mask, SMALL.detector.mask != 0)
    assert views[0].geometry.centre_yx == (31.5, 31.5)


def test_patterns_are_those_of_a_file_with_the_seed_that_is_told(source, first):
    told = source.describe()
    for which, (frames, labels, _) in (("fresh_seed", first[0]), ("held_out_seed", first[2])):
        for turn, shape in enumerate(SHAPES):
            recipe = replace(SMALL, sample=replace(SMALL.sample, shape=shape))
            experiment = Experiment(recipe, told[which])
            for index in (2 * turn, 2 * turn + 1, 140 + 2 * turn):
                frame, truth = experiment.pattern(index)
                np.testing.assert_array_equal(frames[index], frame[8:56, 8:56])
                assert labels[index] == (truth.label == "single")


def test_every_pair_has_a_single_and_is_of_the_next_shape(first):
    (_, labels, clear), *_ = first
    assert (labels.reshape(-1, 2).sum(1) == 1).all()
    assert not clear[labels == 1].any()
    assert 0.7 < clear[labels == 0].mean() < 1.0


def test_epochs_and_validation_share_no_pattern(first):
    (learned, *_), (later, *_), (held, *_) = first
    frames = [*learned, *later, *held]
    assert len({frame.tobytes() for frame in frames}) == 320


def test_neither_workers_nor_the_start_decide_a_pattern(first):
    with StreamedPatterns(SMALL, SHAPES, n=9, seed=3, workers=1).stream(look_at) as stream:
        for again, before in zip(drawn(stream.fresh(101, 30)), first[0], strict=True):
            np.testing.assert_array_equal(again, before[101:131])
        np.testing.assert_array_equal(drawn(stream.held_out(10))[0], first[2][0][:10])


def test_what_decides_is_told(source):
    told = source.describe()
    assert told == StreamedPatterns(SMALL, SHAPES, n=150, seed=3, workers=7).describe()
    for other in (
        StreamedPatterns(SMALL, SHAPES, n=150, seed=4),
        StreamedPatterns(SMALL, SHAPES[:1], n=150, seed=3),
        StreamedPatterns(SMALL, SHAPES[::-1], n=150, seed=3),
        StreamedPatterns(SMALL, SHAPES, n=151, seed=3),
        StreamedPatterns(replace(SMALL, sample=replace(SMALL.sample, diameter_nm=68)), SHAPES, n=150, seed=3),
    ):
        assert other.describe() != told
    assert len({told["seed"], told["fresh_seed"], told["held_out_seed"]}) == 3


def test_another_mask_under_the_same_name_is_another_run(tmp_path):
    mask, out = tmp_path / "mask.npy", tmp_path / "out.h5"
    told = []
    for row in (3, 4):
        pixels = np.zeros(SMALL.detector.shape, np.uint8)
        pixels[row] = 1
        np.save(mask, pixels)
        recipe = replace(SMALL, detector=replace(SMALL.detector, mask_file=str(mask)))
        told.append(StreamedPatterns(recipe, n=9).describe())
        if row == 3:
            simulate_to_file(out, recipe, 2, 0, workers=1)
            with pytest.raises(AlreadyComplete):
                simulate_to_file(out, recipe, 2, 0, workers=1)
    assert told[0] != told[1]
    with pytest.raises(InputError):
        simulate_to_file(out, recipe, 2, 0, workers=1)


def test_without_shapes_the_recipe_decides():
    assert StreamedPatterns(SMALL, n=9).describe()["shapes"] == ["icosahedron"]


def test_recipes_take_turns_and_each_keeps_its_detector():
    """Two turns of one recipe in a round of three: pattern i is that of a file, whoever's turn it is."""
    source = StreamedPatterns([SMALL, WIDE, SMALL], n=40, seed=3, workers=2)
    told = source.describe()
    assert told["shapes"] == ["icosahedron", "cube", "icosahedron"]
    assert [recipe["detector"]["pixel_size_m"] for recipe in told["recipes"]] == [3e-4, 6e-4, 3e-4]
    geometries = []

    def note(view):
        geometries.append(view.geometry.pixel_size_m)
        return look_at(view)

    with source.stream(note) as stream:
        frames, labels, _ = drawn(stream.fresh(10, 20))
        held, *_ = drawn(stream.held_out(6))
    assert geometries == [3e-4, 6e-4, 3e-4]
    small, wide = (Experiment(recipe, told["fresh_seed"]) for recipe in (SMALL, WIDE))
    for index in range(10, 30):
        experiment, cut = (wide, CORNER) if index // 2 % 3 == 1 else (small, MIDDLE)
        frame, truth = experiment.pattern(index)
        np.testing.assert_array_equal(frames[index - 10], cut(frame[None])[0])
        assert labels[index - 10] == (truth.label == "single")
    frame, _ = wide.with_seed(told["held_out_seed"]).pattern(3)
    np.testing.assert_array_equal(held[3], frame)


def test_no_recipe_is_one_sentence():
    with pytest.raises(InputError, match="one or more"):
        StreamedPatterns([], n=10)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n": 1}, "2 or more with -n"),
        ({"seed": -1}, "seed"),
        ({"shapes": ["cone"]}, "no shape called 'cone'"),
        ({"recipe": replace(SMALL, sample=replace(SMALL.sample, diameter_nm=3000))}, "detector"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(given, said):
    with pytest.raises(InputError, match=said):
        StreamedPatterns(**{"recipe": SMALL, "shapes": (), "n": 10} | given)


def test_workers_stay_a_few_jobs_ahead():
    begun = []

    def jobs():
        for job in range(50):
            begun.append(job)
            yield job

    with Workers(operator.neg, 2) as workers:
        results = workers(jobs())
        assert next(results) == 0
        assert len(begun) <= 5
        assert list(results) == [-job for job in range(1, 50)]


def test_a_killed_worker_is_one_sentence():
    def die(_job):
        os.kill(os.getpid(), signal.SIGKILL)

    with Workers(die, 1) as workers, pytest.raises(InputError, match="worker process was killed"):
        list(workers([1, 2, 3]))


@pytest.mark.parametrize("beside_torch", [False, True])
def test_workers_die_with_the_process_that_started_them(beside_torch):
    code = (
        "import time; from xfelspi.simulate.workers import Workers\n"
        f"with Workers(eval, 1, beside_torch={beside_torch}) as workers:\n"
        "    print(*workers(['__import__(\"os\").getpid()']), flush=True)\n"
        "    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        os.kill(pid, 0)  # it is there
        process.kill()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the worker stayed behind")
