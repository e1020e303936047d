"""What a model's predictions mean for a file: rows of scores, and the list of shots to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import LABELS, PatternSet

from .model import Model, write_whole
from .predict import Prediction
from .scores import evaluate

_HEADER = "index,probability,kept"


def score_predictions(model: Model, patterns: PatternSet, prediction: Prediction) -> list[dict[str, Any]]:
    """Compare predictions with labels: one row for each shape in the file, see `evaluate`.

    Droplets count among the others there, and have a row of their own after them: singles of any shape
    against droplets alone, since a droplet as large as the sample looks like a round sample.

    Parameters
    ----------
    model : Model
        For its thresholds.
    patterns : PatternSet
        With labels; those with an unknown label are left out.
    prediction : Prediction
        What the model says about them.

    Returns
    -------
    rows : list of dict
        JSON-able; `shape` is None where the file does not name shapes.

    Raises
    ------
    InputError
        If the file has no labels.
    """
    labels, shapes, clear = patterns.labels, patterns.shapes, patterns.clear
    if labels is None or not (labels >= 0).any():
        raise InputError(
            f"{patterns.path} has no labels to score against; sort it with xfel classify instead."
        )
    groups: list[tuple[str | None, np.ndarray]] = [(None, labels >= 0)]
    if shapes is not None:
        groups = [(str(shape), (shapes == shape) & (labels >= 0)) for shape in np.unique(shapes)]
    if patterns.truth is not None:
        droplets = patterns.truth["label"] == LABELS.index("droplet")
        if droplets.any() and (labels == 1).any():
            groups.append(("droplet", droplets | (labels == 1)))
    rows = []
    for shape, chosen in groups:
        known = None if clear is None else clear[chosen]
        scores = evaluate(prediction.logits[chosen], labels[chosen], known, model.thresholds)
        rows.append(scores.row(str(patterns.path), shape))
    return rows


def write_selection(
    model: Model, patterns: PatternSet, prediction: Prediction, stem: Path
) -> tuple[Path, Path, int]:
    """Write STEM.csv, every pattern with its probability, and STEM.lst, the patterns to keep.

    The list has a line `FILE //INDEX` for each, as CrystFEL writes events.

    Parameters
    ----------
    model : Model
        For its threshold.
    patterns : PatternSet
        The patterns.
    prediction : Prediction
        What the model says about them.
    stem : Path
        Where to write, without an ending.

    Returns
    -------
    table, kept : Path
        The two files.
    n_kept : int
        Patterns kept.

    Raises
    ------
    InputError
        If something else has one of the names, or they cannot be written.
    """
    table, kept = stem.with_name(f"{stem.name}.csv"), stem.with_name(f"{stem.name}.lst")
    for path in (table, kept):
        if path.exists() and not _is_ours(table):
            raise InputError(f"{path} exists and did not come from xfel classify; choose another --out.")
    keep = prediction.logits > model.thresholds.balanced
    labels = [""] * patterns.n if patterns.labels is None else [f",{label}" for label in patterns.labels]
    lines = [_HEADER + ("" if patterns.labels is None else ",label")]
    lines += [
        f"{index},{probability:.6f},{int(is_kept)}{label}"
        for index, (probability, is_kept, label) in enumerate(
            zip(prediction.probabilities, keep, labels, strict=True)
        )
    ]
    write_whole(table, "".join(f"{line}\n" for line in lines).encode())
    events = [f"{patterns.path} //{index}\n" for index in np.flatnonzero(keep)]
    write_whole(kept, "".join(events).encode())
    return table, kept, len(events)


def _is_ours(table: Path) -> bool:
    """Tell whether a table came from here: others, labels for instance, are not to be replaced."""
    try:
        with table.open(encoding="utf-8", errors="replace") as file:
            return file.readline().startswith(_HEADER)
    except OSError:
        return False
