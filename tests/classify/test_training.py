"""Training: it learns, it resumes, and what it cannot use it says."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from toy_shots import QUICK, frames, write_plain, write_simulated

from xfelspi.classify import Framing, ModelFrame, TrainConfig, load_model, model, train
from xfelspi.classify.compute import fastest
from xfelspi.classify.data import load_examples, split
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, claimed, convert
from xfelspi.simulate import load_recipe, simulate_to_file

FRAME = ModelFrame()


def weights(path):
    return load_model(path).classifier.state_dict()


def assert_same_model(one, other):
    assert weights(one).keys() == weights(other).keys()
    for name, tensor in weights(one).items():
        torch.testing.assert_close(tensor, weights(other)[name], rtol=1e-4, atol=1e-5, msg=name)
    assert load_model(one).thresholds.balanced == pytest.approx(
        load_model(other).thresholds.balanced, abs=1e-2
    )


def test_it_learns_what_is_plain_to_see(toy_model):
    validation = toy_model.about["validation"]
    assert validation["accuracy"] > 0.95
    assert validation["n_single"] == validation["n_other"] == 12


def test_one_line_an_epoch_and_progress_to_the_end(toy_file, tmp_path):
    lines, told = [], []
    path = train(
        [toy_file],
        replace(QUICK, epochs=2),
        out=tmp_path,
        say=lines.append,
        progress=lambda what, fraction: told.append((what, fraction)),
    )
    assert [line.split("  loss")[0] for line in lines] == ["epoch  1/2", "epoch  2/2"]
    assert all("loss" in line and "accuracy" in line and "AUC" in line and "s" in line for line in lines)
    assert {what for what, _ in told} == {"reading patterns", "training"}
    assert all(0 <= fraction <= 1 for _, fraction in told)
    assert path.name.startswith("torus-240-")
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".safetensors"]


def test_the_published_network_trains_too(toy_file, tmp_path):
    path = train([toy_file], replace(QUICK, network="resnet", epochs=2), out=tmp_path)
    page = json.loads(path.with_suffix(".json").read_text())
    assert page["training"]["settings"]["augmentation"] == {
        "turns": False,
        "shift_pixels": 0,
        "relief": 0.0,
        "relief_nodes": 8,
        "thin": 1.0,
        "zoom": 1.0,
        "holes": 0,
        "halves": 0.0,
    }
    assert page["preprocessing"].startswith("Each pixel minus its mean")


def test_interrupted_after_an_epoch_it_ends_the_same(toy_file, toy_model_path, tmp_path):
    class Stop(Exception):
        pass

    def stop(_line):
        raise Stop

    for _ in range(2):
        with pytest.raises(Stop):
            train([toy_file], QUICK, out=tmp_path, name="toy", say=stop)
    lines = []
    path = train([toy_file], QUICK, out=tmp_path, name="toy", say=lines.append)
    assert lines[0].startswith("going on after epoch 1 of 3") or lines[0].startswith("going on after epoch 2")
    assert_same_model(path, toy_model_path)
    assert not path.with_suffix(".part").exists()


def test_killed_it_goes_on_with_the_same_command(toy_file, toy_model_path, tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from toy_shots import QUICK;"
        "import torch; from xfelspi.classify import learning, train;"
        "learning.fastest = lambda *_, **__: torch.float32\n"
        "train([Path(sys.argv[1])], QUICK, out=Path(sys.argv[2]), name='toy',"
        " say=lambda _: os.kill(os.getpid(), signal.SIGKILL))"
    )
    command = [sys.executable, "-c", code, str(toy_file), str(tmp_path)]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parent)
    assert killed.returncode == -signal.SIGKILL
    assert {p.name for p in tmp_path.iterdir()} == {"toy.part", "toy.safetensors.lock"}
    lines = []
    path = train([toy_file], QUICK, out=tmp_path, name="toy", say=lines.append)
    assert lines[0] == "going on after epoch 1 of 3"
    assert_same_model(path, toy_model_path)


def test_killed_between_its_two_files_it_is_gone_on_with(toy_file, tmp_path, monkeypatch):
    """Weights without their description are this very training's, and of two such trainings one is told."""
    write, once = model.write_whole, replace(QUICK, epochs=1)

    def die(path, content):
        if path.suffix == ".json":
            raise KeyboardInterrupt
        write(path, content)

    with claimed(tmp_path / "a.safetensors"), pytest.raises(InputError, match="Another process is writing"):
        train([toy_file], once, out=tmp_path, name="a")
    monkeypatch.setattr(model, "write_whole", die)
    with pytest.raises(KeyboardInterrupt):
        train([toy_file], once, out=tmp_path, name="a")
    monkeypatch.undo()
    lines = []
    path = train([toy_file], once, out=tmp_path, name="a", say=lines.append)
    assert lines == ["going on after epoch 1 of 1"]
    assert load_model(path).about["training"]["data"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.safetensors"]


def test_the_same_again_is_done_already(toy_file, toy_model_path):
    before = toy_model_path.read_bytes()
    lines = []
    assert train([toy_file], QUICK, out=toy_model_path.parent, name="toy", say=lines.append) == toy_model_path
    assert lines == [f"{toy_model_path} is already trained"]
    assert toy_model_path.read_bytes() == before


def test_another_model_is_replaced_only_when_told(toy_file, tmp_path):
    short = replace(QUICK, epochs=1)
    path = train([toy_file], short, out=tmp_path, name="toy")
    other = replace(short, seed=4)
    with pytest.raises(InputError, match="--overwrite"):
        train([toy_file], other, out=tmp_path, name="toy")
    assert load_model(path).about["training"]["settings"]["seed"] == 3
    train([toy_file], other, out=tmp_path, name="toy", overwrite=True)
    assert load_model(path).about["training"]["settings"]["seed"] == 4


def test_an_unfinished_training_of_something_else_is_not_taken_up(toy_file, tmp_path):
    def stop(_line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([toy_file], replace(QUICK, epochs=2), out=tmp_path, name="toy", say=stop)
    other = replace(QUICK, epochs=1)
    with pytest.raises(InputError, match="--overwrite"):
        train([toy_file], other, out=tmp_path, name="toy")
    train([toy_file], other, out=tmp_path, name="toy", overwrite=True)


def test_a_foreign_file_in_the_checkpoints_place_is_one_sentence(toy_file, tmp_path):
    (tmp_path / "toy.part").write_bytes(b"something else")
    with pytest.raises(InputError, match="not a checkpoint"):
        train([toy_file], QUICK, out=tmp_path, name="toy")


def test_no_place_to_write_is_one_sentence(toy_file, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"):
        train([toy_file], replace(QUICK, epochs=1), out=tmp_path / "file" / "below")


def test_seeds_decide(toy_file, toy_model_path, tmp_path):
    same = train([toy_file], QUICK, out=tmp_path, name="same")
    assert_same_model(same, toy_model_path)
    other = train([toy_file], replace(QUICK, epochs=1, seed=8), out=tmp_path, name="other")
    assert not torch.equal(weights(other)["network.stem.0.weight"], weights(same)["network.stem.0.weight"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"learning_rate": 0.0},
        {"weight_decay": -1.0},
        {"validation_fraction": 1.0},
        {"seed": -1},
    ],
)
def test_settings_out_of_bounds_are_one_sentence(wrong):
    (value,) = wrong.values()
    with pytest.raises(InputError, match=str(value)):
        TrainConfig(**wrong)


def test_measured_files_mix_in_and_unknown_labels_stay_out(toy_file, tmp_path):
    measured = write_plain(tmp_path / "measured.h5", np.array([1, 0, -1, 1, 0]))
    examples = load_examples([toy_file, measured], FRAME, shapes=["torus"])
    assert examples.labels[-4:].tolist() == [1, 0, 1, 0]
    assert len(examples.labels) == len(examples.frames) == 244
    assert examples.clear[-4:].tolist() == [False, True, False, True]
    assert [source["n"] for source in examples.sources] == [240, 4]
    assert examples.sources[1]["shapes"] is None


def test_frames_in_memory_are_those_of_the_file(toy_file):
    examples = load_examples([toy_file], FRAME)
    expected = frames(np.arange(240) % 2).astype(np.float32)
    expected[:, 60:68, 60:68] = -1
    np.testing.assert_array_equal(examples.frames.float().numpy(), expected)
    assert examples.clear.sum() == 80


def test_what_is_known_of_multiples_is_part_of_the_content(toy_file, tmp_path):
    """Thresholds are those of clear multiples: without the truth the same frames make another model."""
    bare = Path(shutil.copy(toy_file, tmp_path))
    with h5py.File(bare, "r+") as file:
        del file["entry_1/truth_1"], file["process_1"]
        file["labels"] = (np.arange(240) % 2).astype(np.int8)
    known, unknown = (load_examples([path], FRAME).sources[0] for path in (toy_file, bare))
    assert known["n"] == unknown["n"]
    assert known["content_crc32"] != unknown["content_crc32"]


def test_shapes_are_chosen_and_held_out(toy_file, tmp_path):
    soccer = write_simulated(tmp_path / "soccer.h5", 10, shape="soccer")
    only = load_examples([toy_file, soccer], FRAME, shapes=["soccer"])
    without = load_examples([toy_file, soccer], FRAME, hold_out=["soccer"])
    assert (len(only.labels), len(without.labels)) == (10, 240)


def test_twins_of_one_seed_stay_together(toy_file, tmp_path):
    """Two shapes simulated with one seed have the same pulses and poses, shot by shot; copies as well."""
    soccer = write_simulated(tmp_path / "soccer.h5", 40, shape="soccer")
    with PatternSet.open(soccer) as patterns:
        convert(patterns, tmp_path / "some.cxi", only=np.arange(20, 30))
    both = load_examples([toy_file, soccer], FRAME).pairs
    some = load_examples([toy_file, tmp_path / "some.cxi"], FRAME).pairs
    assert both[240:].tolist() == both[:40].tolist()
    assert some[240:].tolist() == some[20:30].tolist()
    other = write_simulated(tmp_path / "other.h5", 40, shape="soccer", seed=1)
    assert not set(load_examples([toy_file, other], FRAME).pairs[240:]) & set(both[:240])


def test_pairs_stay_together_in_every_file(toy_file, tmp_path):
    other = write_simulated(tmp_path / "other.h5", 50, seed=1)
    examples = load_examples([toy_file, other], FRAME)
    learned, held = split(examples.pairs, 0.1, seed=0)
    assert sorted([*learned, *held]) == list(range(290))
    assert len(held) == 2 * round(0.1 * 145)
    assert not set(examples.pairs[learned]) & set(examples.pairs[held])
    assert (examples.labels[held] == 1).sum() == len(held) // 2
    assert not np.array_equal(held, split(examples.pairs, 0.1, seed=1)[1])


def unlabelled(folder):
    with h5py.File(folder / "bare.h5", "w") as file:
        file["patterns"] = frames(np.array([1, 0]))
    return [folder / "bare.h5"], {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (unlabelled, "has no labels"),
        (lambda f: ([write_plain(f / "a.h5", np.ones(9))], {}), "anything but single"),
        (lambda f: ([write_plain(f / "a.h5", np.zeros(9))], {}), "no single hits"),
        (lambda f: ([write_plain(f / "a.h5", np.array([1, 0]))], {}), "too few"),
        (lambda f: ([write_simulated(f / "a.h5", 20)], {"hold_out": ["torus"]}), "add such patterns"),
        (lambda f: ([write_simulated(f / "a.h5", 20)], {"hold_out": ["donut"]}), "the files hold torus"),
        (lambda f: ([write_simulated(f / "a.h5", 20)], {"shapes": ["donut"]}), "the files hold torus"),
        (
            lambda f: ([write_simulated(f / name, 20) for name in ("a.h5", "b.h5")], {}),
            "holds the same patterns",
        ),
        (lambda f: ([write_simulated(f / "a.h5", 20)], {"calibrate": [f / "a.h5"]}), "are learned from"),
        (lambda f: ([f], {}), "no patterns"),
        (lambda f: ([f / "missing.h5"], {}), "does not exist"),
    ],
)
def test_what_cannot_be_learned_from_is_one_sentence(tmp_path, given, said):
    paths, options = given(tmp_path)
    with pytest.raises(InputError, match=said):
        train(paths, QUICK, out=tmp_path / "runs", **options)
    assert not (tmp_path / "runs").exists()


def test_frames_that_do_not_say_their_centre_are_learned_from_about_it(tmp_path):
    made = simulate_to_file(tmp_path / "made.h5", load_recipe("ideal"), 30, 3)
    with PatternSet.open(made) as patterns:
        counts, labels = patterns.frames(0, 30).counts, patterns.labels
    rows, columns = slice(20, 208), slice(30, 218)  # the beam is at 107.5, 97.5 of 188 x 188 pixels
    with h5py.File(tmp_path / "cut.h5", "w") as file:
        file["data"], file["labels"] = counts[:, rows, columns], labels
    learned = load_examples([tmp_path / "cut.h5"], FRAME).frames
    about = Framing((188, 188), np.zeros((188, 188), bool), None, FRAME, (107.5, 97.5))
    assert_array_equal(learned.numpy(), about.half(counts[:, rows, columns]))


def test_the_faster_precision_is_found_by_trying(monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX512")

    def slow_in(dtype):
        return lambda tried: time.sleep(0.02 if tried is dtype else 0.0)

    assert fastest("slow", slow_in(torch.float32)) is torch.bfloat16
    assert fastest("quick", slow_in(torch.bfloat16)) is torch.float32


@pytest.mark.skipif(torch.cuda.is_available(), reason="the GPU computes, not the processor")
def test_a_processor_that_emulates_bfloat16_is_not_asked_to_try(monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    assert fastest("untried", lambda dtype: pytest.fail(f"{dtype} was tried")) is torch.float32


def test_the_front_desk_does_not_load_torch():
    code = "import sys, xfelspi.classify; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
