"""The tables of a poster or a geometry study for the docs, from the study.json that it left.

A quick look is refused: the page holds what a full run found.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .page import publish

SCORES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "auc": "AUC"}
TRANSFERRED = {
    "fnr_at_1pct_fpr": "missed at 1 %",
    "fpr_clear_at_1pct_fpr": "kept at 1 %",
    "fnr_at_0p1pct_fpr": "missed at 0.1 %",
    "fpr_clear_at_0p1pct_fpr": "kept at 0.1 %",
    "fnr": "missed, own threshold",
    "fpr_clear": "kept, own threshold",
    "auc": "AUC",
    "auc_clear": "AUC, clear",
    "ece": "calibration error",
}
UNSEEN = {
    "fnr": "false negatives",
    "fpr_clear": "false positives, clear",
    "fnr_at_1pct_fpr": "false negatives at the 1 % threshold",
    "fpr_clear_at_1pct_fpr": "false positives there, clear",
    "auc": "AUC",
}


def main() -> None:
    """Print the tables, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="study.json of xfel study poster or geometry")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    found = json.loads(asked.study.read_text("utf-8"))
    if "cells" in found:
        publish("geometry", geometry(found), asked.write)
    else:
        publish("results", text(found), asked.write)


def geometry(found: dict[str, Any]) -> str:
    """Return what networks do on shapes that they never saw, in Markdown."""
    _require_full(found)
    left_out = {training["name"]: training["left_out"] for training in found["trainings"]}
    rows = [
        [
            cell["training"],
            cell["shape"],
            f"{cell['n_single']:,} + {cell['n_clear']:,}",
            *(_cell(name, cell["scores"].get(name)) for name in TRANSFERRED),
        ]
        for cell in found["cells"]
        if cell["seen"] == "no" and left_out[cell["training"]] in (None, cell["group"])
    ]
    header = ["trained", "tested on", "singles + clear multiples", *TRANSFERRED.values()]
    return "\n".join([*_table(header, rows), "", *_origin(found)])


def text(found: dict[str, Any]) -> str:
    """Return all tables of a study, in Markdown."""
    _require_full(found)
    parts = {
        "Table 1: simulated and measured shots": table,
        "Robustness: particles never seen": robustness,
        "Speed": speed,
        "What labels are worth": labels,
        "Depth": depth,
    }
    keys = ("table", "robustness", "speed", "labels", "depth")
    lines = []
    for key, (title, write) in zip(keys, parts.items(), strict=True):
        if found[key] is not None:
            lines += [f"## {title}", "", *write(found), ""]
    absent = [title for key, title in zip(keys, parts, strict=True) if found[key] is None]
    if absent:
        lines += [f"Left out of this run: {'; '.join(absent)}.", ""]
    return "\n".join([*lines, *_origin(found), f"VGG16: {found['vgg16'] or 'left out'}."])


def _require_full(found: dict[str, Any]) -> None:
    if found["quick"]:
        raise SystemExit("This is a quick look, not a result; give the study.json of a full run.")


def _origin(found: dict[str, Any]) -> list[str]:
    command = " ".join(Path(word).name if "/" in word else word for word in found["command"].split())
    software = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return [
        "Means over seeds (least–most of the seeds; interval of 95 % for the choice of patterns).",
        "",
        f"Made by `{command}`, {found['seconds'] / 60:.0f} minutes for the last call. "
        f"{found['machine']}; {software}.",
    ]


def table(found: dict[str, Any]) -> list[str]:
    """Who learned from what, the published accuracy beside."""
    published = {(row[0], row[1]): row[2] for row in found["published"]["table"]}
    published |= {(protocol, "majority"): share for protocol, share in found["published"]["majority"].items()}
    rows = [
        [
            row["protocol"],
            row["network"],
            _percent(published.get((row["protocol"], row["network"]))),
            *(_cell(name, row["scores"].get(name)) for name in SCORES),
            f"{row['n_single']} + {row['n_other']}",
        ]
        for row in found["table"]
    ]
    reference = found["reference"]
    exp = "none given" if reference is None else f"{reference['file']}, {reference['kind']}"
    header = ["learned / judged", "classifier", "accuracy, published", *SCORES.values(), "singles + others"]
    return [
        *_table(header, rows),
        "",
        f"exp: {exp}. Published measured shots were others, and are not public.",
    ]


def robustness(found: dict[str, Any]) -> list[str]:
    """Shapes never seen, the published share of lost singles beside."""
    rows = []
    for cell in found["robustness"]["cells"]:
        title = found["robustness"]["titles"][cell["training"]] or cell["training"]
        theirs = found["published"]["missed"].get(cell["shape"]) if "published" in title else None
        scores = [_cell(name, cell["scores"].get(name)) for name in UNSEEN]
        rows.append([title, cell["shape"], _percent(theirs), *scores])
    return _table(["trained", "tested on", "false negatives, published", *UNSEEN.values()], rows)


def speed(found: dict[str, Any]) -> list[str]:
    """Seconds and memory for every number of images."""
    rows = []
    for curve in found["speed"]:
        theirs = found["published"]["speed"].get(curve["way"])
        for point in curve["points"]:
            rows.append(
                [
                    curve["way"],
                    f"{point['n']:,}",
                    f"{point['seconds']:.1f}",
                    f"{point['n'] / point['seconds']:,.0f}",
                    f"{point['peak_bytes'] / 1e9:.2f}",
                    "–" if theirs is None else f"{theirs[0]:,} in {theirs[1]:.0f} s ({theirs[2]})",
                ]
            )
    return _table(["way", "images", "seconds", "images/s", "memory / GB", "published"], rows)


def labels(found: dict[str, Any]) -> list[str]:
    """Accuracy of every way and number of labels."""
    rows = [
        [
            point["recipe"],
            point["way"],
            f"{point['n_labels']:,}",
            _cell("accuracy", point["scores"]["accuracy"]),
        ]
        for point in found["labels"]
    ]
    return _table(["recipe", "way", "labels", "accuracy"], rows)


def depth(found: dict[str, Any]) -> list[str]:
    """Training and test accuracy of every depth and size of the training set."""
    rows = [
        [
            f"({point['blocks'][0]}, {point['blocks'][1]})",
            f"{point['n_train']:,}",
            _cell("accuracy", point["training"]),
            _cell("accuracy", point["test"]),
        ]
        for point in found["depth"]
    ]
    return _table(["(n, m)", "training set", "training accuracy", "test accuracy"], rows)


def _cell(name: str, mean: dict[str, float] | None) -> str:
    if mean is None:
        return "–"
    scale, unit, digits = (1.0, "", 4) if name.startswith("auc") else (100.0, " %", 2)

    def shown(key: str) -> str:
        return f"{scale * mean[key]:.{digits}f}"

    small = [] if mean["least"] == mean["most"] else [f"{shown('least')}–{shown('most')}"]
    if mean["low"] is not None:
        small.append(f"{shown('low')}–{shown('high')}")
    return f"**{shown('value')}{unit}**" + (f" ({'; '.join(small)})" if small else "")


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.3g} %"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(header), "|---" * len(header) + "|", *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
