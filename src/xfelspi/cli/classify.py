"""`xfel classify`: a model on measured shots."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .convert import hand_on
from .options import Dataset, Detector, FollowLinks, Labels, Mask, beside
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
    kept_to: Annotated[
        Path | None, typer.Option(help="Write the kept patterns with their scores as well: .cxi, .emc, ....")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Add scores and tags to the file itself, which must be CXI.")
    ] = False,
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

    Example: xfel classify run0042.cxi --update --kept-to kept.emc
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
    from xfelspi.patterns import PatternSet, claimed

    policy = Policy(max_fpr=max_fpr, prior=prior, abstain=abstain)
    loaded = load(model, policy)
    stem = out or beside(file, "")
    with (
        PatternSet.open(
            file, dataset=dataset, mask=mask, labels=labels, detector=detector, follow_links=follow_links
        ) as patterns,
        claimed(stem.with_name(f"{stem.name}.csv")),
        Progress() as progress,
    ):
        prediction = Predictor(loaded)(patterns, progress)
        written = write_selection(loaded, patterns, prediction, stem, policy)
        rows = [] if patterns.labels is None else score_predictions(loaded, patterns, prediction, policy)
        if kept_to is not None or update:
            hand_on(patterns, written.table, kept_to, update)
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
