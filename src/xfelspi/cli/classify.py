"""`xfel classify`: a model on measured shots."""

import json
from pathlib import Path
from typing import Annotated

import typer

from xfelspi.errors import InputError

from .convert import hand_on, require_takers
from .opening import Opening, opens_frames, say_centre, say_pixels, say_scale
from .options import stem_of
from .sort import Abstain, AsJson, MaxFpr, Prior, load, print_metric, print_rows
from .terminal import Progress

_AUTOCORRELATION = "autocorrelation"


@opens_frames()
def classify(
    file: Annotated[Path, typer.Argument(help="Patterns to sort: our own files, CXI, any HDF5.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            help="NAME.safetensors, from xfel train; by default the one in the package. "
            "Repeatable: see --consensus."
        ),
    ] = None,
    max_fpr: MaxFpr = None,
    prior: Prior = None,
    abstain: Abstain = None,
    top: Annotated[int | None, typer.Option(help="Keep no more than so many, the likeliest.")] = None,
    consensus: Annotated[
        list[str] | None,
        typer.Option(
            help="all: keep what every model keeps, as several do without this. "
            "mean: what they keep on average. "
            "autocorrelation: and only what it takes for one particle. Repeatable."
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Keep only particles between two diameters in nm, as in 60,80.")
    ] = None,
    hits_first: Annotated[
        bool, typer.Option("--hits-first", help="Find hits, as xfel hits does, and look at these alone.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Name of the CSV and the lists without ending; by default the file's.")
    ] = None,
    kept_to: Annotated[
        Path | None, typer.Option(help="Write the kept patterns with their scores as well: .cxi, .emc, ....")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Add scores and tags to the file itself, which must be CXI.")
    ] = False,
    as_json: AsJson = False,
    *,
    opening: Opening,
) -> None:
    """Sort patterns: a CSV with the probability of each, and a list of those to keep.

    Frames unlike those that the model learned from are marked as strange, kept or not.

    Example: xfel classify run0042.cxi

    Example: xfel classify run0042.cxi --model runs/sim.safetensors --prior 0.03 --abstain 0.05

    Example: xfel classify run0042.cxi --update --kept-to kept.emc

    Example: xfel classify run0042.cxi --hits-first --top 500 --size 60,80 --consensus autocorrelation
    """
    from xfelspi.classify import (
        Policy,
        columns,
        expected_of,
        held_out_fpr,
        score_predictions,
        score_verdict,
        selection_files,
        write_selection,
    )
    from xfelspi.hits import HitFinding, hit_files, write_hits
    from xfelspi.patterns import claimed
    from xfelspi.sorting import Sorting, sort_shots

    policy = Policy(max_fpr=max_fpr, prior=prior, abstain=abstain, top=top)
    sorting = Sorting(
        way=_way(consensus),
        autocorrelation=_AUTOCORRELATION in (consensus or []),
        size_nm=_sizes(size),
        hits=HitFinding() if hits_first else None,
    )
    named: list[Path | None] = [*model] if model else [None]
    models = [load(path, policy) for path in named]
    alone = len(models) == 1 and not (hits_first or sorting.measures or top)
    stem = stem_of(out, file)
    with (
        opening.open(file) as patterns,
        claimed(stem.with_name(f"{stem.name}.csv")),
        Progress() as progress,
    ):
        if update or kept_to is not None:
            require_takers(patterns, kept_to, update)  # before the work
        say_centre(file, patterns)
        models = [say_scale(file, patterns, each) for each in models]
        selection_files(stem, file)
        if hits_first:
            hit_files(stem, file)
        found = sort_shots(patterns, models, policy, sorting, progress)
        prediction, verdict = found.prediction, found.verdict
        if found.hits is not None:
            write_hits(patterns, found.hits, stem)
        written = write_selection(
            patterns, prediction, verdict, stem, abstains=abstain is not None, beside=found.beside
        )
        rows = []
        if patterns.labels is not None and (patterns.labels >= 0).any():
            rows = (
                score_predictions(models[0], patterns, prediction, policy)
                if alone
                else score_verdict(patterns, verdict)
            )
        if kept_to is not None or update:
            hand_on(patterns, written.table, kept_to, update)
    say_pixels(file, prediction.n_nan, prediction.n_negative, prediction.n_dark)
    expected = expected_of(models[0], policy) if alone else None
    fpr = held_out_fpr(models[0].thresholds, policy) if alone else None
    n = len(prediction.logits)
    if as_json:
        counts = {
            "n": n,
            "n_kept": written.n_kept,
            "n_unsure": written.n_unsure,
            "n_strange": written.n_strange,
        }
        if found.hits is not None:
            counts |= {
                "n_hits": int(found.hits.hit.sum()),
                "n_misses_seen": int(found.hits.kept_as_miss.sum()),
            }
            counts |= {"n_misses_single": found.n_misses_single}
        share = None if expected is None else expected.kept
        precision = None if expected is None else expected.precision
        promised = {"held_out_fpr": fpr, "expected_kept_share": share, "expected_precision": precision}
        typer.echo(json.dumps(counts | columns(promised) | {"rows": rows}, indent=2))
        return
    if found.hits is not None:
        typer.echo(
            f"{file}: {found.hits.hit.sum()} of {n} shots are hits; of {found.hits.kept_as_miss.sum()} "
            f"misses looked at as well, {found.n_misses_single} would have been kept"
        )
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


def _way(consensus: list[str] | None) -> str:
    """How several models decide: what is asked for beside the autocorrelation."""
    ways = [name for name in consensus or [] if name != _AUTOCORRELATION]
    if len(ways) > 1:
        raise InputError(f"Several models decide in one way; --consensus asks for {' and '.join(ways)}.")
    return ways[0] if ways else "all"


def _sizes(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        smallest, largest = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--size {text} is not two diameters in nm such as 60,80.") from None
    return smallest, largest
