"""The bench of cues: what is declared can be trained, and what is done is not done again."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from benchmarks import cues
from benchmarks.cost import multiply_adds
from benchmarks.trials import Bench, Trial, read_bench
from toy_shots import write_simulated

from xfelspi.classify import Architecture, Classifier, TrainConfig
from xfelspi.errors import InputError

DECLARED = Path(cues.__file__).with_name("cues.toml")
TOY = Bench(
    recipe="benchmark",
    n_train=120,
    epochs=1,
    n_check=60,
    n_test=40,
    train={"plain": [], "stretched": ["body.stretch = 0.1"]},
    test=["torus"],
    trial=[
        Trial(name="default", what="as it is", train={"blocks": [1, 1]}),
        Trial(name="three", what="mean of three", train={"blocks": [1, 1]}, members=3),
    ],
)


@pytest.fixture
def _toy(monkeypatch):
    """Toy shots in the place of simulated ones, and one precision, so that scores can be compared."""

    def simulate(path, _recipe, n, seed):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_simulated(path, n, seed=seed)
        return path

    monkeypatch.setattr(cues, "simulate_to_file", simulate)
    for room in ("learning", "predict"):
        monkeypatch.setattr(f"xfelspi.classify.{room}.fastest", lambda *_, **__: torch.float32)


def test_every_declared_trial_has_a_network_that_answers():
    bench = read_bench(DECLARED)
    assert bench.trial[0].configs(4, 0)[0].architecture() == TrainConfig().architecture()
    different = set()
    for trial in bench.trial:
        (config, *_) = trial.configs(bench.epochs, 0)
        size = config.architecture().size
        assert Classifier(config.architecture()).eval()(torch.ones(1, size, size)).shape == (1, 2)
        different.add(
            (repr(replace(config, augmentation=config.resolved_augmentation())), trial.turns, trial.members)
        )
    assert len(different) == len(bench.trial)  # each changes something


def test_members_of_two_seeds_are_never_the_same():
    seeds = [config.seed for seed in range(3) for config in TOY.trial[1].configs(1, seed)]
    assert len(set(seeds)) == 9


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n_train = 8_000", "n_trian = 8_000"),
        ("train.width = 1.5", "train.with = 1.5"),
        ("train.width = 1.5", "train.width = 100"),
        ('name = "wider"', 'name = "deeper"'),
        ("turns = true", "turns = "),
    ],
)
def test_a_slip_in_the_declaration_is_one_sentence(tmp_path, old, new):
    text = DECLARED.read_text("utf-8")
    assert old in text
    (tmp_path / "cues.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(InputError) as caught:
        read_bench(tmp_path / "cues.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("_toy")
def test_what_is_done_is_not_done_again_and_the_table_has_it(tmp_path, monkeypatch, capsys):
    ran = []
    real = cues.run
    monkeypatch.setattr(cues, "run", lambda *asked: ran.append(asked[1].name) or real(*asked))
    monkeypatch.setattr(cues, "read_bench", lambda _: TOY)
    page = tmp_path / "page.md"
    page.write_text("Before\n\n<!-- begin cues on plain -->\n<!-- end cues on plain -->\n\nAfter\n", "utf-8")
    command = ["cues", str(tmp_path), "--on", "plain", "--write", str(page)]
    monkeypatch.setattr(sys, "argv", [*command, "--only", "default"])
    cues.main()
    monkeypatch.setattr(sys, "argv", command)
    cues.main()
    assert ran == ["default", "three"]

    results = tmp_path / "results.jsonl"
    whole = results.read_text("utf-8")
    rows = [json.loads(line) for line in whole.splitlines()]
    assert [row["trial"] for row in rows] == ["default", "three"]
    assert rows[1]["multiply_adds"] == 3 * rows[0]["multiply_adds"]
    assert 0 <= rows[0]["scores"]["torus"]["auc"] <= 1
    results.write_text(whole[:-40], "utf-8")  # killed while it wrote
    cues.main()
    assert ran == ["default", "three", "three"]
    assert [row["scores"] for row in cues.done(results).values()] == [row["scores"] for row in rows]

    text = page.read_text("utf-8")
    assert text.startswith("Before")
    assert text.endswith("After\n")
    assert text.count("| as it is |") == text.count("| mean of three |") == 2
    capsys.readouterr()


def row(seed, value, trial=TOY.trial[0]):
    """A line of the results."""
    return {
        "key": cues.key_of(TOY, trial, "plain", seed),
        "seed": seed,
        "scores": {"torus": dict.fromkeys((*cues.AREAS, *cues.RATES), value)},
        "multiply_adds": 2e6,
        "time_over_first": 1.0,
    }


def test_trials_called_alike_have_a_line_each():
    alike = replace(TOY, trial=[TOY.trial[0], replace(TOY.trial[1], what="as it is")])
    rows = {each["key"]: each for each in (row(0, 0.01), row(0, 0.04, TOY.trial[1]))}
    text = cues.tables(alike, rows, "plain")
    assert "| as it is | 1 | 0.0100; 0.0100 |" in text
    assert "| as it is | 1 | 0.0400; 0.0400 |" in text


def test_the_table_gives_mean_least_and_most_of_the_seeds():
    rows = {each["key"]: each for each in (row(0, 0.01), row(1, 0.04), row(2, 0.01))}
    text = cues.tables(TOY, rows, "plain")
    assert "| as it is | 3 | 0.0200 (0.0100–0.0400); 0.0200 (0.0100–0.0400) | 2 | 1.00 |" in text
    assert "| as it is | 2.00 (1.00–4.00) |" in text
    assert "mean of three" not in text
    assert cues.tables(TOY, rows, "stretched") is None


def test_a_key_hangs_on_what_decides_the_outcome_alone():
    first, *_ = TOY.trial
    key = cues.key_of(TOY, first, "plain", 0)
    assert key == cues.key_of(replace(TOY, trial=[]), replace(first, name="other", what="else"), "plain", 0)
    assert key != cues.key_of(TOY, first, "plain", 1)
    assert key != cues.key_of(TOY, first, "stretched", 0)
    assert key != cues.key_of(replace(TOY, epochs=2), first, "plain", 0)
    assert key != cues.key_of(TOY, replace(first, turns=True), "plain", 0)


def test_multiply_adds_of_the_published_network():
    """Stem, then each stage: 3 x 3 convolutions and the 1 x 1 way around; then the logits."""
    stem = 64**2 * 9 * 16
    some = 32**2 * (9 * 16 * 32 + 3 * 9 * 32**2 + 16 * 32)
    many = 16**2 * (9 * 32 * 64 + 3 * 9 * 64**2 + 32 * 64)
    assert multiply_adds(Architecture(network="resnet")) == stem + some + many + 2 * 4096
