"""The classifier trained on 20,000 `benchmark` icosahedra: how right, how soon, and where it errs.

Three seeds of training; tests on 5,000 patterns of each shape that no training saw. Files stay in the folder
given, so that a second call goes on where the first one stopped.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean

import numpy as np

from xfelspi.classify import Predictor, load_model
from xfelspi.patterns import PatternSet

from .page import machine, publish

SHAPES = ("icosahedron", "soccer", "torus")
SEEDS = (0, 1, 2)
N_TRAINING, N_TEST = 20_000, 5_000
COLUMNS = {
    "accuracy": "accuracy",
    "accuracy_clear": "accuracy, singles and clear multiples",
    "fnr": "false negatives",
    "fpr": "false positives",
    "fnr_at_1pct_fpr": "false negatives at the 1 % threshold",
    "fpr_clear_at_1pct_fpr": "false positives there, clear",
    "auc": "AUC",
}


def xfel(*arguments: str) -> str:
    """Run a command and return what it printed."""
    command = [str(Path(sys.executable).with_name("xfel")), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Simulate, train, score, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where patterns and models go")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    folder, page = asked.folder, asked.write
    simulate = ["simulate", "--recipe", "benchmark"]
    xfel(*simulate, "-n", str(N_TRAINING), "--seed", "1", "--out", str(folder / "train"))
    for shape in SHAPES:
        more = ["--shape", shape, "-n", str(N_TEST), "--seed", "2", "--out", str(folder / "test")]
        xfel(*simulate, *more)
    models = []
    for seed in SEEDS:
        options = ["--seed", str(seed), "--name", f"seed-{seed}", "--out", str(folder / "runs")]
        models.append(Path(xfel("train", "--data", str(folder / "train"), *options).splitlines()[-1]))
    tests = folder / "test"
    rows = [
        json.loads(xfel("score", "--model", str(m), "--data", str(tests), "--json"))["rows"] for m in models
    ]
    facts = [json.loads(model.with_suffix(".json").read_text("utf-8")) for model in models]
    publish("accuracy", "\n\n".join([table(rows), curve(facts), errors(models[0], tests), machine()]), page)


def table(rows: list[list[dict]]) -> str:
    """Means over the seeds, their spread, and the interval of the first seed."""
    lines = ["| tested on | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for index, shape in enumerate(SHAPES):
        cells = []
        for name in COLUMNS:
            values = [of_seed[index][name] for of_seed in rows]
            low, high = rows[0][index][f"{name}_ci"]
            scale, unit, digits = (1.0, "", 4) if name == "auc" else (100.0, " %", 2)
            shown = [
                f"{scale * value:.{digits}f}" for value in (mean(values), min(values), max(values), low, high)
            ]
            cells.append(f"**{shown[0]}{unit}** ({shown[1]}–{shown[2]}; {shown[3]}–{shown[4]})")
        lines.append(f"| {shape} | {' | '.join(cells)} |")
    note = "Mean of three seeds (least–most of the seeds; 95 % interval of the first seed)."
    return "\n".join([*lines, "", note])


def curve(facts: list[dict]) -> str:
    """Tabulate validation accuracy against seconds of training."""
    lines = ["| seconds of training | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " |"]
    lines.append("|---" * (len(SEEDS) + 1) + "|")
    for epoch in range(len(facts[0]["curve"])):
        points = [fact["curve"][epoch] for fact in facts]
        seconds = mean(point["seconds"] for point in points)
        lines.append(
            f"| {seconds:.0f} | " + " | ".join(f"{100 * point['accuracy']:.2f} %" for point in points) + " |"
        )
    return "\n".join(["Accuracy on held-out patterns after each epoch:", "", *lines])


def errors(path: Path, tests: Path) -> str:
    """Tell what the icosahedron patterns are that the first model gets wrong."""
    model = load_model(path)
    with PatternSet.open(tests / "icosahedron.h5") as patterns:
        logits = Predictor(model)(patterns).logits
        labels, clear, truth = patterns.labels, patterns.clear, patterns.truth
    if labels is None or clear is None or truth is None:
        raise ValueError("test patterns without truth")
    kept = (labels == 0) & (logits > model.thresholds.balanced)
    reasons = {
        "the runner-up gives less than a tenth of the photons": truth["runner_up_fraction"] < 0.1,
        "the two are less than 0.75 diameters apart across the beam": truth["separation_nm"]
        < 0.75 * np.fmax.reduce(truth["diameter_nm"], axis=1, initial=0.0),
        "the two are more than 1.2 µm apart": truth["separation_nm"] > 1200.0,
        "none of these: a clear multiple": clear,
    }
    lines = [f"| {words} | {int((kept & chosen).sum())} |" for words, chosen in reasons.items()]
    lost = int(((labels == 1) & (logits <= model.thresholds.balanced)).sum())
    head = (
        f"Errors of seed 0 on {labels.size} icosahedron patterns: {lost} singles lost, {int(kept.sum())} "
        "multiples kept. Of these multiples (some count twice):"
    )
    return "\n".join([head, "", "| why | patterns |", "|---|---|", *lines])


if __name__ == "__main__":
    main()
