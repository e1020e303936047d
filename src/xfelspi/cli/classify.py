"""`xfel classify`: a model on measured shots."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .options import Dataset, Detector, FollowLinks, Labels, Mask
from .sort import Abstain, AsJson, MaxFpr, ModelPath, Prior, load, print_metric, print_rows, say_pixels
from .terminal import Progress


def classify(
    file: Annotated[Path, typer.Argument(help="Patterns to sort: our own files, CXI, any HDF5.")],
    model: ModelPath = None,
    max_fpr: MaxFpr = None,
    prior: Prior = None,
    abstain: Abstain = None,
    out: Annotated[
        Path | None, typer.Option(help="Name of the CSV and the lists without ending; by default the file's.")
    ] = None,
    dataset: Dataset = None,
    mask: Mask = None,
    labels: Labels = None,
    detector: Detector = None,
    follow_links: FollowLinks = False,
    as_json: AsJson = False,
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
    from xfelspi.patterns import PatternSet

    policy = Policy(max_fpr=max_fpr, prior=prior, abstain=abstain)
    loaded = load(model, policy)
    with (
        PatternSet.open(
            file, dataset=dataset, mask=mask, labels=labels, detector=detector, follow_links=follow_links
        ) as patterns,
        Progress() as progress,
    ):
        prediction = Predictor(loaded)(patterns, progress)
        written = write_selection(loaded, patterns, prediction, out or file.with_suffix(""), policy)
        rows = [] if patterns.labels is None else score_predictions(loaded, patterns, prediction, policy)
    say_pixels(file, prediction.n_nan, prediction.n_negative)
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
        print_metric("clear multiples above it in validation", fpr.value, fpr.interval)
    if expected is not None:
        typer.echo(f"Where {100 * policy.assumed_prior:g} % of the shots are single hits, to be expected:")
        print_metric("kept", expected.kept.value, expected.kept.interval)
        if expected.precision is not None:
            print_metric("single hits among these", expected.precision.value, expected.precision.interval)
    print_rows(rows)
