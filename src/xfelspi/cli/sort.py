"""The commands that use a model: `xfel score` and `xfel classify`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xfelspi.errors import InputError

from .opening import Opening, opens_frames, say_centre
from .options import beside
from .terminal import Progress

if TYPE_CHECKING:
    from xfelspi.classify import Model, Policy

_Model = Annotated[
    Path | None,
    typer.Option("--model", help="NAME.safetensors, from xfel train; by default the one in the package."),
]
_MaxFpr = Annotated[
    float | None,
    typer.Option("--max-fpr", help="Share of clear multiples that may be kept, as in 0.001."),
]
_Prior = Annotated[
    float | None,
    typer.Option(help="Share of single hits among all shots, as in 0.03; by default probabilities take 0.5."),
]
_Abstain = Annotated[
    float | None,
    typer.Option(help="Leave undecided what would be wrong with more than this chance, as in 0.05."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def score(
    data: Annotated[
        list[Path], typer.Option(help="A folder of pattern files, or a labelled file; repeatable.")
    ],
    model: _Model = None,
    max_fpr: _MaxFpr = None,
    prior: _Prior = None,
    abstain: _Abstain = None,
    reliability: Annotated[
        Path | None, typer.Option(help="PNG to draw: share of singles against the probability given.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Score a model on labelled patterns: rates with 95 % intervals, per file and shape.

    False negatives are single hits lost, false positives others kept. Thresholds come from patterns held out
    from the training and are applied unchanged.

    Example: xfel score --data sim --model runs/sim.safetensors --max-fpr 0.01
    """
    from xfelspi.classify import Policy, Predictor, decide, labelled_groups, reliability_of, score_predictions
    from xfelspi.patterns import PatternSet, find_pattern_files

    policy = Policy(max_fpr=max_fpr, prior=prior, abstain=abstain)
    loaded = _load(model, policy)
    files = find_pattern_files(data)
    predictor = Predictor(loaded)
    rows: list[dict[str, Any]] = []
    curves = {}
    with Progress() as progress:
        for path in files:
            with PatternSet.open(path) as patterns:
                if patterns.labels is None:
                    raise InputError(f"{path} has no labels to score against; use xfel classify to sort it.")
                prediction = predictor(patterns, progress)
                rows += score_predictions(loaded, patterns, prediction, policy)
                probabilities = decide(loaded, prediction.logits, policy).probabilities
                for shape, chosen in labelled_groups(patterns):
                    found = reliability_of(probabilities[chosen], patterns.labels[chosen], policy)
                    if found is not None:
                        name = str(path) if shape is None else f"{path}: {shape}"
                        curves[name] = found.predicted, found.observed, found.interval
                _say_pixels(path, prediction.n_nan, prediction.n_negative)
    if reliability is not None:
        from xfelspi.pictures import reliability_plot

        reliability_plot(curves, reliability)
    if as_json:
        typer.echo(json.dumps({"rows": rows}, indent=2))
    else:
        _print_rows(rows)


@opens_frames
def classify(
    file: Annotated[Path, typer.Argument(help="Patterns to sort: our own files, CXI, any HDF5.")],
    model: _Model = None,
    max_fpr: _MaxFpr = None,
    prior: _Prior = None,
    abstain: _Abstain = None,
    out: Annotated[
        Path | None, typer.Option(help="Name of the CSV and the lists without ending; by default the file's.")
    ] = None,
    as_json: _Json = False,
    *,
    opening: Opening,
) -> None:
    """Sort patterns: a CSV with the probability of each, and a list of those to keep.

    Frames unlike those that the model learned from are marked as strange, kept or not.

    Example: xfel classify run0042.cxi

    Example: xfel classify run0042.cxi --model runs/sim.safetensors --prior 0.03 --abstain 0.05
    """
    from xfelspi.classify import (
        Policy,
        Predictor,
        columns,
        expected_of,
        held_out_fpr,
        score_predictions,
        write_selection,
    )

    policy = Policy(max_fpr=max_fpr, prior=prior, abstain=abstain)
    loaded = _load(model, policy)
    with opening.open(file) as patterns, Progress() as progress:
        say_centre(file, patterns)
        prediction = Predictor(loaded)(patterns, progress)
        written = write_selection(loaded, patterns, prediction, out or beside(file, ""), policy)
        rows = [] if patterns.labels is None else score_predictions(loaded, patterns, prediction, policy)
    _say_pixels(file, prediction.n_nan, prediction.n_negative)
    expected, fpr = expected_of(loaded, policy), held_out_fpr(loaded.thresholds, policy)
    n = len(prediction.logits)
    if as_json:
        counts = {
            "n": n,
            "n_kept": written.n_kept,
            "n_unsure": written.n_unsure,
            "n_strange": written.n_strange,
        }
        share = None if expected is None else expected.kept
        precision = None if expected is None else expected.precision
        promised = {"held_out_fpr": fpr, "expected_kept_share": share, "expected_precision": precision}
        typer.echo(json.dumps(counts | columns(promised) | {"rows": rows}, indent=2))
        return
    unsure = "" if written.unsure is None else f", {written.n_unsure} unsure"
    paths = ", ".join(str(path) for path in (written.table, written.kept, written.unsure) if path is not None)
    typer.echo(f"{file}: {written.n_kept} of {n} patterns kept{unsure}, {written.n_strange} strange; {paths}")
    if max_fpr is not None and fpr is not None:
        typer.echo(f"Threshold for {100 * max_fpr:g} % false positives:")
        _print_metric("clear multiples above it in validation", fpr.value, fpr.interval)
    if expected is not None:
        typer.echo(f"Where {100 * policy.assumed_prior:g} % of the shots are single hits, to be expected:")
        _print_metric("kept", expected.kept.value, expected.kept.interval)
        if expected.precision is not None:
            _print_metric("single hits among these", expected.precision.value, expected.precision.interval)
    _print_rows(rows)


METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC",
    "fnr": "false negatives",
    "fpr": "false positives",
    "fnr_at_1pct_fpr": "false negatives at 1 % false positives",
    "fpr_clear_at_1pct_fpr": "  which gave here, of clear multiples",
    "fpr_at_1pct_fpr": "  and of all others",
    "fnr_at_1pct_fpr_roc": "  read off these patterns' own curve",
    "fnr_at_0p1pct_fpr": "false negatives at 0.1 % false positives",
    "fpr_clear_at_0p1pct_fpr": "  which gave here, of clear multiples",
    "fpr_at_0p1pct_fpr": "  and of all others",
    "fnr_at_0p1pct_fpr_roc": "  read off these patterns' own curve",
    "accuracy_clear": "accuracy, singles and clear multiples",
    "fpr_clear": "false positives, clear multiples",
    "auc_clear": "AUC, clear multiples",
    "fnr_at_max_fpr": "false negatives at --max-fpr",
    "fpr_clear_at_max_fpr": "  which gave here, of clear multiples",
    "fpr_at_max_fpr": "  and of all others",
    "unsure": "unsure",
    "wrong_decided": "  wrong among the others",
    "kept_share": "kept, at --prior",
    "precision": "  single hits among these",
    "ece": "error of the probabilities",
    "strange": "strange frames",
}
"""Columns of a row, as people read them."""


def _load(path: Path | None, policy: "Policy") -> "Model":
    """Read the model, and refuse at once what it does not support."""
    import numpy as np

    from xfelspi.classify import decide, default_model, load_model

    model = load_model(default_model() if path is None else path)
    decide(model, np.empty(0, np.float32), policy)
    return model


def _say_pixels(path: Path, n_nan: int, n_negative: int) -> None:
    """Tell what had to be masked in a file, on stderr."""
    if n_nan or n_negative:
        text = f"{path}: {n_nan} pixels were NaN or infinite and {n_negative} negative; they were set to 0."
        typer.secho(text, fg="yellow", err=True)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        shape = f"  {row['shape']}" if row["shape"] else ""
        typer.echo(f"\n{row['file']}{shape}: {row['n_single']} single, {row['n_other']} other")
        for name, words in METRICS.items():
            if row.get(name) is not None:
                if name.startswith("auc"):
                    low, high = row[f"{name}_ci"]
                    typer.echo(f"  {words:<42}{row[name]:9.4f}    {low:.4f} to {high:.4f}")
                else:
                    _print_metric(words, row[name], row[f"{name}_ci"])


def _print_metric(words: str, share: float, interval: tuple[float, float]) -> None:
    low, high = interval
    value = f"{100 * share:7.2f} %"
    typer.echo(f"  {words:<42}{value}  {100 * low:.2f} to {100 * high:.2f} %")
