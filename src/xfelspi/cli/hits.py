"""`xfel hits`: which shots hit anything, before a network sees them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from xfelspi.errors import InputError

from .opening import Opening, opens_frames, say_centre, say_pixels
from .options import stem_of
from .terminal import Progress


@opens_frames("labels")
def hits(
    file: Annotated[Path, typer.Argument(help="Shots in the order in which they were taken.")],
    score: Annotated[
        str,
        typer.Option(help="poisson: how the light lies about the beam. lit: share of lit pixels."),
    ] = "poisson",
    snr: Annotated[
        float, typer.Option(help="Threshold: this many standard deviations above recent misses.")
    ] = 4.0,
    window: Annotated[int, typer.Option(help="Shots that are recent; more of them misses than hits.")] = 1000,
    lit_photons: Annotated[
        float | None, typer.Option(help="A pixel with as many is lit, for --score lit; by default 1.")
    ] = None,
    pulse_energies: Annotated[
        str | None,
        typer.Option(help="Of every shot, for --score lit: .npy, FILE.h5:DATASET or a dataset name."),
    ] = None,
    keep_misses: Annotated[
        float, typer.Option(help="Share of the misses to keep, at random: they show what is lost.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="Of that choice.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Name of the CSV and the list without -hits; by default the file's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    *,
    opening: Opening,
) -> None:
    """Find hits: a CSV with the score of every shot, and a list of hits and of some misses.

    The threshold moves with the background. Of misses that hold nothing but Poisson's noise, one in 31,000
    passes for a hit with --snr 4.

    Example: xfel hits run0042.cxi

    Example: xfel hits run0042.cxi --score lit --snr 6 --keep-misses 0
    """
    from xfelspi.hits import HitFinding, find_hits, hit_files, write_hits

    for option, value in (("--lit-photons", lit_photons), ("--pulse-energies", pulse_energies)):
        if value is not None and score != "lit":
            raise InputError(f"{option} is for --score lit; add that, or leave it out.")
    finding = HitFinding(
        score=score,
        snr=snr,
        window=window,
        lit_photons=1.0 if lit_photons is None else lit_photons,
        keep_misses=keep_misses,
        seed=seed,
    )
    stem = stem_of(out, file)
    with opening.open(file) as patterns, Progress() as progress:
        say_centre(file, patterns)
        energies = None
        if pulse_energies is not None:
            energies = patterns.per_pattern(pulse_energies, "pulse energies")
        hit_files(stem, file)
        found = find_hits(patterns, finding, energies, progress)
        written = write_hits(patterns, found, stem)
    say_pixels(file, found.n_nan, found.n_negative)
    n, n_hits, n_kept = found.hit.size, int(found.hit.sum()), int(found.kept_as_miss.sum())
    if as_json:
        typer.echo(json.dumps({"n": n, "n_hits": n_hits, "n_kept_as_miss": n_kept}, indent=2))
        return
    typer.echo(
        f"{file}: {n_hits} of {n} shots are hits, {n_kept} misses kept beside; "
        f"{written.table}, {written.kept}"
    )
