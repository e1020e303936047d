"""The model in the box: how soon its training got how good, and what it does on shapes it never saw.

The first comes from the model's own page, the second from patterns of seed 2, which no training uses. Test
files stay in the folder given, so that a second call goes on where the first one stopped.
"""

import argparse
import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from xfelspi.classify import Predictor, load_model
from xfelspi.patterns import AlreadyComplete, PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file
from xfelspi.studies.mixture import load_mixture

from .accuracy import xfel
from .page import machine, publish

SHAPES = ("icosahedron", "soccer", "torus")
RECIPES = {
    "benchmark": load_recipe("benchmark"),
    "lcls-amo": load_recipe("lcls-amo", ["beam.photons_per_frame=[5e3, 1.2e5]"]),
}
WIDE = "amo-near"  # of the mixture: pixels three times as wide
N_TEST = 5_000
COLUMNS = {
    "fnr": "false negatives",
    "fpr_clear": "false positives, clear",
    "fnr_at_1pct_fpr": "false negatives at the 1 % threshold",
    "fpr_clear_at_1pct_fpr": "false positives there, clear",
    "fnr_at_0p1pct_fpr": "false negatives at the 0.1 % threshold",
    "fpr_clear_at_0p1pct_fpr": "false positives there, clear",
    "auc": "AUC",
    "auc_clear": "AUC, clear",
}


def main() -> None:
    """Simulate, score, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where test patterns go")
    parser.add_argument("--models", type=Path, default=Path("src/xfelspi/models"), help="folder of the model")
    parser.add_argument("--name", default="default", help="of the model")
    parser.add_argument("-n", type=int, default=N_TEST, help="test patterns of each shape and recipe")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    path = asked.models / f"{asked.name}.safetensors"
    facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
    rows = []
    mixture = load_mixture("model")
    (wide,) = (mixture.recipe_of(one) for one in mixture.ingredient if one.name == WIDE)
    for name, recipe in {**RECIPES, WIDE: wide}.items():
        folder = asked.folder / f"{name}-{asked.n}"
        folder.mkdir(parents=True, exist_ok=True)
        for shape in SHAPES:
            tested = replace(recipe, sample=replace(recipe.sample, shape=shape))
            with suppress(AlreadyComplete):
                simulate_to_file(folder / f"{shape}.h5", tested, asked.n, seed=2)
        scored = json.loads(xfel("score", "--model", str(path), "--data", str(folder), "--json"))["rows"]
        rows += [(_name(name, row), row) for row in scored]
    speed = images_per_second(path, asked.folder / f"benchmark-{asked.n}" / "torus.h5")
    text = "\n\n".join([made(facts, path), curve(facts), table(rows), speed, machine()])
    publish("box", text, asked.write)


def _name(recipe: str, row: dict[str, Any]) -> str:
    """Say what a row is about; droplets have one of their own beside each shape."""
    shape = Path(row["file"]).stem
    return f"{recipe}, {shape}" + ("" if row["shape"] == shape else f", {row['shape']}s as the negatives")


def made(facts: dict[str, Any], path: Path) -> str:
    """Say what made the model, and how large it is."""
    training = facts["training"]
    size = sum(path.with_suffix(suffix).stat().st_size for suffix in (".safetensors", ".json"))
    return (
        f"Made by `{facts['command']}`: {training['settings']['epochs']} epochs of {training['n']:,} fresh "
        f"patterns, {training['n_validation']:,} held out, in {training['seconds'] / 60:.0f} minutes; "
        f"{size / 1e3:.0f} kB."
    )


def curve(facts: dict[str, Any]) -> str:
    """Tabulate quality on held-out patterns against the time that training took."""
    n = facts["training"]["n"]
    lines = ["| minutes | patterns seen | AUC | AUC, clear | accuracy |", "|---|---|---|---|---|"]
    for point in facts["curve"]:
        lines.append(
            f"| {point['seconds'] / 60:.1f} | {point['epoch'] * n:,} | {point['auc']:.4f} "
            f"| {point['auc_clear']:.4f} | {100 * point['accuracy']:.2f} % |"
        )
    return "\n".join(["Quality on held-out patterns of the mixture after each epoch:", "", *lines])


def table(rows: list[tuple[str, dict[str, Any]]]) -> str:
    """Tabulate scores with their intervals, a line for each recipe and shape."""
    lines = ["| tested on | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows:
        cells = []
        for column in COLUMNS:
            if row[column] is None:  # no clear multiple among droplets
                cells.append("–")
                continue
            scale, unit, digits = (1.0, "", 4) if column.startswith("auc") else (100.0, " %", 2)
            value, low, high = (f"{scale * x:.{digits}f}" for x in (row[column], *row[f"{column}_ci"]))
            cells.append(f"**{value}{unit}** ({low}–{high})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "In brackets 95 % intervals."])


def images_per_second(model: Path, file: Path) -> str:
    """Time the model on a file, from its frames on disk to its logits, after one pass to warm up."""
    predictor = Predictor(load_model(model))
    with PatternSet.open(file) as patterns:
        predictor(patterns)
        start = time.perf_counter()
        predictor(patterns)
        speed = patterns.n / (time.perf_counter() - start)
    return f"Inference from the file on: {speed:,.0f} images/s."


if __name__ == "__main__":
    main()
