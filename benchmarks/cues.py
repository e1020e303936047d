"""What makes a classifier hold for shapes it never saw: each candidate trained, tested, tabulated.

    python -m benchmarks.cues build/cues                                    # every trial, one seed
    python -m benchmarks.cues build/cues --only default --only zoom --seeds 3
    python -m benchmarks.cues build/cues --on family --write docs/classifier.md

All trials have the same patterns and the same budget, see cues.toml. Thresholds come from further patterns of
the training set's kind and are applied to the shapes tested as they are. FOLDER/results.jsonl has a line for
each trial, training set and seed that is done; none is done twice, and a killed training goes on. Each
training set has a section of its own on the page.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.classify import Predictor, evaluate, load_model, train
from xfelspi.classify.scores import find_thresholds
from xfelspi.errors import InputError
from xfelspi.patterns import AlreadyComplete, PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file

from .cost import multiply_adds, time_over
from .page import machine, publish
from .trials import Bench, Trial, as_plain, read_bench

Row = dict[str, Any]

TRAIN_SEED, CHECK_SEED, TEST_SEED = 11, 12, 13
AREAS = ("auc", "auc_clear")
RATES = {
    "fnr_at_1pct_fpr": "missed at 1 %",
    "fpr_clear_at_1pct_fpr": "kept at 1 %",
    "fnr_at_0p1pct_fpr": "missed at 0.1 %",
    "fpr_clear_at_0p1pct_fpr": "kept at 0.1 %",
}


def main() -> None:
    """Run what is not done yet, print, and write if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where patterns, models and results go")
    parser.add_argument("--only", action="append", metavar="NAME", help="a trial; may be repeated")
    parser.add_argument("--on", action="append", metavar="SET", help="a training set; may be repeated")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each")
    parser.add_argument("--declared", type=Path, default=Path(__file__).with_name("cues.toml"))
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    try:
        bench = read_bench(asked.declared)
        trials = chosen({trial.name: trial for trial in bench.trial}, asked.only, "trial")
        sets = chosen({name: name for name in bench.train}, asked.on, "training set")
        results = asked.folder / "results.jsonl"
        for seed in range(asked.seeds):  # a first look at all before a second at any
            for trained_on in sets:
                for trial in trials:
                    if key_of(bench, trial, trained_on, seed) not in done(results):
                        append(results, run(bench, trial, trained_on, seed, asked.folder))
    except InputError as error:
        parser.error(str(error))
    for trained_on in sets:
        if text := tables(bench, done(results), trained_on):
            publish(f"cues on {trained_on}", text, asked.write)


def chosen(known: dict[str, Any], asked: Sequence[str] | None, what: str) -> list[Any]:
    """Return those asked for, or all."""
    for name in asked or ():
        if name not in known:
            raise InputError(f"There is no {what} {name!r}; choose among {', '.join(known)}.")
    return [value for name, value in known.items() if not asked or name in asked]


def key_of(bench: Bench, trial: Trial, trained_on: str, seed: int) -> str:
    """Hash of all that decides a line; how a trial is called and described does not."""
    decides = as_plain(bench) | as_plain(trial) | {"seed": seed, "version": __version__}
    decides |= {"trial": None, "name": None, "what": None, "train": [bench.train[trained_on], trial.train]}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def done(results: Path) -> dict[str, Row]:
    """Read the lines by their keys; one that a kill cut short does not count."""
    rows = {}
    for line in results.read_text("utf-8").splitlines() if results.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        rows[row["key"]] = row
    return rows


def append(results: Path, row: Row) -> None:
    """Add a line, after a line break where a kill cut the last one short."""
    old = results.read_text("utf-8") if results.exists() else ""
    with results.open("a", encoding="utf-8") as file:
        file.write(("\n" if old and not old.endswith("\n") else "") + json.dumps(row) + "\n")


def run(bench: Bench, trial: Trial, trained_on: str, seed: int, folder: Path) -> Row:
    """Simulate what is not there, train, test: one line of the results."""
    difference = bench.train[trained_on]
    learned = patterns_of(bench, difference, bench.n_train, TRAIN_SEED, folder / "train", trained_on)
    check = patterns_of(bench, difference, bench.n_check, CHECK_SEED, folder / "check", trained_on)
    configs = trial.configs(bench.epochs, seed)
    print(f"{trial.name} on {trained_on}, seed {seed}", flush=True)
    models = [load_model(train([learned], each, out=folder / "runs" / trained_on)) for each in configs]
    predictor = Predictor(*models, turns=trial.turns)
    logits, labels, clear = _judged(predictor, check)
    thresholds = find_thresholds(logits, labels, clear, hidden=(labels == 0) & ~clear)  # all are multiples
    scores = {}
    for shape in bench.test:
        setting = [f"sample.shape = {json.dumps(shape)}"]
        test = patterns_of(bench, setting, bench.n_test, TEST_SEED, folder / "test", Path(shape).stem)
        row = evaluate(*_judged(predictor, test), thresholds).row(str(test), shape)
        scores[shape] = {name: row[name] for name in (*AREAS, *RATES)}
    default = bench.trial[0].configs(bench.epochs, seed)[0].architecture()
    calls = trial.members * (8 if trial.turns else 1)
    return {
        "key": key_of(bench, trial, trained_on, seed),
        "trained_on": trained_on,
        "trial": trial.name,
        "seed": seed,
        "scores": scores,
        "training_seconds": sum(model.about["training"]["seconds"] for model in models),
        "multiply_adds": calls * multiply_adds(models[0].architecture),
        "time_over_first": calls * time_over(models[0].architecture, default),
        "declared": as_plain(trial),
    }


def patterns_of(bench: Bench, settings: Sequence[str], n: int, seed: int, folder: Path, name: str) -> Path:
    """Simulate a file unless it is there."""
    path = folder / f"{name}-{n}.h5"
    try:
        return simulate_to_file(path, load_recipe(bench.recipe, settings), n, seed)
    except AlreadyComplete:
        return path


def _judged(predictor: Predictor, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, labels and what is clear."""
    with PatternSet.open(path) as patterns:
        labels, clear = patterns.labels, patterns.clear
        if labels is None or clear is None:
            raise InputError(f"{path} has no truth; remove it, and it is simulated again.")
        return predictor(patterns).logits, labels, clear


def tables(bench: Bench, rows: dict[str, Row], trained_on: str) -> str | None:
    """Two tables for a training set, of areas and of rates; trials without results are left out."""
    seeds = sorted({row["seed"] for row in rows.values()})
    keys = [(trial.what, [key_of(bench, trial, trained_on, seed) for seed in seeds]) for trial in bench.trial]
    told = [(what, [rows[key] for key in each if key in rows]) for what, each in keys]
    found = [(what, done) for what, done in told if done]
    if not found:
        return None
    difference = bench.train[trained_on]
    changes = f" with {', '.join(f'`{setting}`' for setting in difference)}" if difference else ""
    note = "Mean (least–most of the seeds). Time of preparation and network over that of the first row."
    parts = [
        f"Trained on {bench.n_train} `{bench.recipe}` patterns{changes} in {bench.epochs} epochs, tested "
        f"on {bench.n_test} of each shape. AUC over all; clear:",
        _table(
            ["trial", "seeds", *bench.test, "10⁶ multiply-adds", "time"],
            [
                [what, str(len(seeds)), *(_areas(seeds, shape) for shape in bench.test), *_cost(seeds)]
                for what, seeds in found
            ],
        ),
        "Percent of singles missed and of clear multiples kept, at the thresholds for 1 % and for 0.1 % "
        f"of {bench.n_check} other patterns of the training set's kind:",
        _table(
            ["trial", *(f"{shape}: {words}" for shape in bench.test for words in RATES.values())],
            [
                [what, *(_spread(seeds, shape, name, 100, 2) for shape in bench.test for name in RATES)]
                for what, seeds in found
            ],
        ),
        f"{note} {machine()}",
    ]
    return "\n\n".join(parts)


def _areas(seeds: Sequence[Row], shape: str) -> str:
    return "; ".join(_spread(seeds, shape, name, 1, 4) for name in AREAS)


def _spread(seeds: Sequence[Row], shape: str, name: str, scale: float, digits: int) -> str:
    values = [scale * row["scores"][shape][name] for row in seeds]
    shown = [f"{value:.{digits}f}" for value in (mean(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} ({shown[1]}–{shown[2]})"


def _cost(seeds: Sequence[Row]) -> list[str]:
    time = mean(row["time_over_first"] for row in seeds)
    return [f"{seeds[0]['multiply_adds'] / 1e6:.0f}", f"{time:.2f}"]


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body))


if __name__ == "__main__":
    main()
