"""Training on patterns that are drawn while it learns."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_training import assert_same_model, weights
from toy_shots import GEOMETRY, QUICK, SIZE
from toy_shots import frames as toy_frames

from xfelspi.classify import train
from xfelspi.classify.supply import FromStream
from xfelspi.errors import InputError
from xfelspi.patterns import LabelledFrames, PatternSource, View
from xfelspi.simulate import StreamedPatterns, load_recipe

SHORT = replace(QUICK, epochs=2)


class ToySource:
    """Toy shots without end; it writes down what was asked for."""

    def __init__(self, n=120, block=50, classes=2):
        self.n, self.block, self.classes = n, block, classes
        mask = np.zeros((SIZE, SIZE), bool)
        mask[60:68, 60:68] = True
        self.view = View(shape=(SIZE, SIZE), mask=mask, geometry=GEOMETRY)
        self.asked = []
        self.is_open = False

    @property
    def geometries(self):
        return [GEOMETRY]

    def describe(self):
        return {"n": self.n, "shapes": ["torus", "soccer"], "recipes": [{"name": "toy"}], "seed": 7}

    @contextmanager
    def stream(self, look_at):
        self.look, self.is_open = look_at(self.view), True
        yield self
        self.is_open = False

    def fresh(self, first, n):
        self.asked.append(("fresh", first, n))
        return self._draw(first, n, seed=1)

    def held_out(self, n):
        self.asked.append(("held out", 0, n))
        return self._draw(0, n, seed=2)

    def _draw(self, first, n, seed):
        for begin in range(first, first + n, self.block):
            indices = np.arange(begin, min(begin + self.block, first + n))
            labels = indices % self.classes
            frames = np.concatenate([toy_frames(labels[i : i + 1], (seed, j)) for i, j in enumerate(indices)])
            yield LabelledFrames(
                frames=self.look(frames),
                labels=labels.astype(np.int64),
                clear=(labels == 0) & (indices % 6 > 0),
                hidden=(labels == 0) & (indices % 6 == 0),
            )


@pytest.fixture(scope="module")
def source():
    return ToySource()


@pytest.fixture(scope="module")
def model_path(source, tmp_path_factory):
    return train(source, SHORT, out=tmp_path_factory.mktemp("stream"), command="typed")


@pytest.mark.usefixtures("model_path")
def test_every_epoch_is_fresh_and_validation_is_not_among_it(source):
    assert isinstance(source, PatternSource)
    # 7 whole batches of 16, the patterns after the epoch's 120, and some of the first to say what is familiar
    learned = [("fresh", 0, 112), ("fresh", 120, 112)]
    assert source.asked == [("held out", 0, 12), *learned, ("fresh", 0, 64)]
    assert not source.is_open


def test_the_model_says_what_it_was_shown(source, model_path):
    assert model_path.name.startswith("soccer-torus-120-")
    page = json.loads(model_path.with_suffix(".json").read_text())
    assert page["training"]["data"] == [source.describe()]
    assert (page["training"]["n"], page["training"]["n_validation"]) == (120, 12)
    assert page["curve"][-1]["accuracy"] > 0.9
    assert page["validation"]["n_single"] == page["validation"]["n_other"] == 6


def test_blocks_of_any_length_teach_the_same(model_path, tmp_path):
    other = train(ToySource(block=7), SHORT, out=tmp_path)
    assert other.name == model_path.name
    assert_same_model(other, model_path)


def test_interrupted_it_goes_on_after_the_epoch_and_ends_the_same(model_path, tmp_path):
    class Stop(Exception):
        pass

    def stop(_line):
        raise Stop

    with pytest.raises(Stop):
        train(ToySource(), SHORT, out=tmp_path, say=stop)
    lines, source = [], ToySource()
    path = train(source, SHORT, out=tmp_path, say=lines.append)
    assert lines[0] == "going on after epoch 1 of 2"
    assert source.asked == [("held out", 0, 12), ("fresh", 120, 112), ("fresh", 0, 64)]
    assert_same_model(path, model_path)


def test_trained_already_nothing_is_drawn(model_path):
    source = ToySource()
    assert train(source, SHORT, out=model_path.parent) == model_path
    assert source.asked == []


def test_another_source_is_another_training(model_path):
    with pytest.raises(InputError, match="--overwrite"):
        train(ToySource(n=122), SHORT, out=model_path.parent, name=model_path.stem)


def test_pixels_are_standardized_over_the_first_patterns(tmp_path):
    source = ToySource(n=40)
    path = train(source, replace(QUICK, network="resnet", epochs=1), out=tmp_path)
    standardized, learned, familiar = ("fresh", 0, 40), ("fresh", 0, 32), ("fresh", 0, 40)
    assert source.asked == [("held out", 0, 4), standardized, learned, familiar]
    mean = weights(path)["prepare.mean"]
    shown = [source.look(toy_frames(np.array([j % 2]), (1, j)))[0].astype(np.float32) for j in range(40)]
    expected = np.mean(np.maximum(shown, 0), axis=0)
    expected[60:68, 60:68] = 0
    torch.testing.assert_close(mean, torch.from_numpy(expected), rtol=1e-3, atol=1e-3)


def test_batches_are_whole_and_in_order():
    source = ToySource(n=70, block=9)
    with source.stream(lambda _: lambda frames: frames[:, :1, :1].astype(np.float16)) as stream:
        supply = FromStream(stream, 70, 0.1)
        batches = list(supply.batches(1, 16))
        expected = np.concatenate([block.frames for block in stream.fresh(70, 64)])
    assert [frames.shape for frames, _ in batches] == [(16, 1, 1)] * 4
    np.testing.assert_array_equal(torch.cat([frames for frames, _ in batches]), expected)
    assert torch.cat([labels for _, labels in batches]).tolist() == [0, 1] * 32


def test_an_epoch_smaller_than_a_batch_is_one(tmp_path):
    source = ToySource(n=10)
    train(source, replace(QUICK, epochs=1, batch_size=64), out=tmp_path)
    assert source.asked == [("held out", 0, 2), ("fresh", 0, 10), ("fresh", 0, 10)]


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        (ToySource(), {"shapes": ["torus"]}, "shapes of its own"),
        (ToySource(), {"hold_out": ["torus"]}, "shapes of its own"),
        (ToySource(classes=1), {}, "lack single hits or lack others"),
    ],
)
def test_what_cannot_be_learned_from_is_one_sentence(tmp_path, source, options, said):
    with pytest.raises(InputError, match=said):
        train(source, QUICK, out=tmp_path / "runs", **options)
    assert not (tmp_path / "runs").exists()


def simulated(workers):
    recipe = load_recipe("benchmark", ["detector.rows=64", "detector.columns=64"])
    return StreamedPatterns(recipe, ["icosahedron", "sphere"], n=64, seed=3, workers=workers)


def test_killed_while_simulating_it_goes_on_and_ends_the_same(tmp_path):
    """Workers run beside torch's threads, and after the kill there are fewer."""
    code = (
        "import os, signal, sys, torch; from pathlib import Path; from test_streaming import simulated;"
        "from toy_shots import QUICK; from xfelspi.classify import learning, train;"
        "learning.fastest = lambda *_, **__: torch.float32\n"
        "train(simulated(2), QUICK, out=Path(sys.argv[1]), name='sim',"
        " say=lambda _: os.kill(os.getpid(), signal.SIGKILL))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "killed")]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parent)
    assert killed.returncode == -signal.SIGKILL
    left = {path.name for path in (tmp_path / "killed").iterdir()}
    assert left == {"sim.part", "sim.safetensors.lock"}
    lines = []
    path = train(simulated(1), QUICK, out=tmp_path / "killed", name="sim", say=lines.append)
    assert lines[0] == "going on after epoch 1 of 3"
    assert_same_model(path, train(simulated(2), QUICK, out=tmp_path / "whole", name="sim"))
