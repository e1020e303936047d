"""What a model's predictions mean for a file: rows of scores, and the list of shots to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import (
    EVENT,
    LABELS,
    PatternSet,
    event_cells,
    event_lines,
    require_renewable,
    write_whole,
)

from .decision_scores import decision_metrics
from .model import Model
from .policy import Policy, Verdict
from .predict import Prediction
from .scores import columns, evaluate, share_of

_HEADER = "index,probability,kept,unsure,ood,strange"


def labelled_groups(patterns: PatternSet) -> list[tuple[str | None, np.ndarray]]:
    """Return the groups of labelled patterns that are scored apart: a name, and (n,) bool which they are.

    Raises
    ------
    InputError
        If the file has no labels.
    """
    labels, shapes = patterns.labels, patterns.shapes
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
    return groups


def score_predictions(
    model: Model, patterns: PatternSet, prediction: Prediction, policy: Policy | None = None
) -> list[dict[str, Any]]:
    """Compare predictions with labels: one row for each shape in the file.

    Its metrics are those of `evaluate` and of `decision_metrics`.

    Droplets count among the others there, and have a row of their own after them: singles of any shape
    against droplets alone, since a droplet as large as the sample looks like a round sample.

    Parameters
    ----------
    model : Model
        For its thresholds and probabilities.
    patterns : PatternSet
        With labels; those with an unknown label are left out.
    prediction : Prediction
        What the model says about them.
    policy : Policy, optional
        What is wanted of the decisions.

    Returns
    -------
    rows : list of dict
        JSON-able; `shape` is None where the file does not name shapes.

    Raises
    ------
    InputError
        If the file has no labels, or the model does not support the policy.
    """
    policy = policy or Policy()
    groups = labelled_groups(patterns)
    labels, clear = np.asarray(patterns.labels), patterns.clear
    rows = []
    for shape, chosen in groups:
        known = None if clear is None else clear[chosen]
        logits, theirs = prediction.logits[chosen], labels[chosen]
        scores = evaluate(logits, theirs, known, model.thresholds)
        of_decisions = decision_metrics(model, logits, prediction.ood[chosen], theirs, known, policy)
        rows.append(scores.row(str(patterns.path), shape) | columns(of_decisions))
    return rows


def score_verdict(patterns: PatternSet, verdict: Verdict) -> list[dict[str, Any]]:
    """Compare what was kept with labels, whoever decided it: one row for each shape in the file.

    `fnr` is the share of singles not kept, `fpr` that of others kept, `fpr_clear` that of clear multiples.

    Raises
    ------
    InputError
        If the file has no labels.
    """
    rows = []
    for shape, chosen in labelled_groups(patterns):
        single = (np.asarray(patterns.labels) == 1) & chosen
        other = chosen & ~single
        row: dict[str, Any] = {"file": str(patterns.path), "shape": shape}
        row |= {"n_single": int(single.sum()), "n_other": int(other.sum())}
        of_clear = None if patterns.clear is None else share_of(verdict.kept, other & patterns.clear)
        kept = {
            "fnr": share_of(~verdict.kept, single),
            "fpr": share_of(verdict.kept, other),
            "fpr_clear": of_clear,
        }
        rows.append(row | columns(kept))
    return rows


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was written for a file, and how many patterns went where.

    Attributes
    ----------
    table, kept : Path
        Every pattern; those to keep.
    unsure : Path or None
        Those that were not decided; None where the policy decides all.
    n_kept, n_unsure, n_strange : int
        Patterns kept, not decided, and out of distribution, which leaves them kept or not.
    """

    table: Path
    kept: Path
    unsure: Path | None
    n_kept: int
    n_unsure: int
    n_strange: int


def write_selection(
    patterns: PatternSet,
    prediction: Prediction,
    verdict: Verdict,
    stem: Path,
    *,
    abstains: bool = False,
    beside: Mapping[str, np.ndarray] | None = None,
) -> Selection:
    """Write STEM.csv, every pattern with its probability, and STEM.lst, the patterns to keep.

    A policy that abstains has the patterns it did not decide in STEM-unsure.lst. Lists have a line
    `FILE //INDEX` for each pattern, as CrystFEL writes events; so has the table's last column.

    Parameters
    ----------
    patterns : PatternSet
        The patterns.
    prediction : Prediction
        What a model says about them; patterns that it was not asked about have no probability in the table.
    verdict : Verdict
        What becomes of them.
    stem : Path
        Where to write, without an ending.
    abstains : bool
        Write what is unsure.
    beside : mapping of str to (n,) array, optional
        Further columns by their names: whole numbers and truths as they are, others with four digits, NaN
        empty.

    Raises
    ------
    InputError
        If something else has one of the names, or they cannot be written.
    """
    strange = prediction.ood > 1
    table, kept, unsure = selection_files(stem, patterns.path)
    cells = {
        "index": _cells(np.arange(patterns.n)),
        "probability": _cells(np.where(np.isnan(prediction.ood), np.nan, verdict.probabilities), "%.6f"),
        "kept": _cells(verdict.kept),
        "unsure": _cells(verdict.unsure),
        "ood": _cells(prediction.ood, "%.3f"),
        "strange": _cells(strange),
    }
    if patterns.labels is not None:
        cells["label"] = _cells(patterns.labels)
    cells |= {name: _cells(values) for name, values in (beside or {}).items()}
    cells[EVENT] = event_cells(patterns.path, patterns.n)
    rows = zip(*cells.values(), strict=True)
    write_whole(table, (f"{','.join(row)}\n".encode() for row in chain([cells], rows)))
    write_whole(kept, event_lines(patterns.path, np.flatnonzero(verdict.kept)))
    if abstains:
        write_whole(unsure, event_lines(patterns.path, np.flatnonzero(verdict.unsure)))
    else:
        unsure.unlink(missing_ok=True)  # of a call before, which the table no longer is about
    return Selection(
        table=table,
        kept=kept,
        unsure=unsure if abstains else None,
        n_kept=int(verdict.kept.sum()),
        n_unsure=int(verdict.unsure.sum()),
        n_strange=int(strange.sum()),
    )


def selection_files(stem: Path, of: Path) -> tuple[Path, Path, Path]:
    """Return where the table of a file goes, the list of the kept and that of the unsure.

    Raises
    ------
    InputError
        If something else has one of the names, or they are of another file.
    """
    table, *lists = (stem.with_name(stem.name + end) for end in (".csv", ".lst", "-unsure.lst"))
    require_renewable(table, lists, _HEADER, "xfel classify", of)
    return table, lists[0], lists[1]


def _cells(values: np.ndarray, form: str = "%.4g") -> Iterator[str]:
    """Text of a column, one cell after the other."""
    if values.dtype.kind in "bui":
        return map(str, values.astype(int))
    return ("" if value != value else form % value for value in values)
