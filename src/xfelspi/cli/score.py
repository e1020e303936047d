"""`xfel score`: a model on labelled patterns."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xfelspi.errors import InputError

from .opening import Opening, opens_frames, say_centre, say_pixels, say_scale
from .sort import Abstain, AsJson, MaxFpr, ModelPath, Prior, load, print_rows
from .terminal import Progress


@opens_frames()
def score(
    data: Annotated[
        list[Path], typer.Option(help="A folder of pattern files, or a labelled file; repeatable.")
    ],
    model: ModelPath = None,
    max_fpr: MaxFpr = None,
    prior: Prior = None,
    abstain: Abstain = None,
    reliability: Annotated[
        Path | None, typer.Option(help="PNG to draw: share of singles against the probability given.")
    ] = None,
    as_json: AsJson = False,
    *,
    opening: Opening,
) -> None:
    """Score a model on labelled patterns: rates with 95 % intervals, per file and shape.

    False negatives are single hits lost, false positives others kept. Thresholds come from patterns held out
    from the training and are applied unchanged.

    Examples: xfel score --data sim --model runs/sim.safetensors --max-fpr 0.01

    xfel score --data run.npy --labels labels.npy --adu-per-photon 130
    """
    from xfelspi.classify import Policy, Predictor, decide, labelled_groups, reliability_of, score_predictions
    from xfelspi.patterns import find_pattern_files

    if reliability is not None:
        from xfelspi.pictures import require_picture

        require_picture(reliability)  # before the work
    policy = Policy(max_fpr=max_fpr, prior=prior, abstain=abstain)
    loaded = load(model, policy)
    files = find_pattern_files(data)
    predictor = Predictor(loaded)
    rows: list[dict[str, Any]] = []
    curves = {}
    with Progress() as progress:
        for path in files:
            with opening.open(path) as patterns:
                if patterns.labels is None:
                    raise InputError(
                        f"{path} has no labels to score against; name them with --labels, or use xfel "
                        "classify to sort it."
                    )
                say_centre(path, patterns)
                suited = say_scale(path, patterns, loaded)
                prediction = (predictor if suited is loaded else Predictor(suited))(patterns, progress)
                rows += score_predictions(loaded, patterns, prediction, policy)
                probabilities = decide(loaded, prediction.logits, policy).probabilities
                for shape, chosen in labelled_groups(patterns):
                    found = reliability_of(probabilities[chosen], patterns.labels[chosen], policy)
                    if found is not None:
                        name = str(path) if shape is None else f"{path}: {shape}"
                        curves[name] = found.predicted, found.observed, found.interval
                say_pixels(path, prediction.n_nan, prediction.n_negative, prediction.n_dark)
    if as_json:
        typer.echo(json.dumps({"rows": rows}, indent=2))
    else:
        print_rows(rows)
    if reliability is not None and not curves:
        typer.secho(f"No file has both classes, so {reliability} is not drawn.", fg="yellow", err=True)
    elif reliability is not None:
        from xfelspi.pictures import reliability_plot

        reliability_plot(curves, reliability)
