"""`xfel convert`: patterns in another format."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xfelspi.errors import InputError

from .opening import Opening, opens_frames, say_centre

if TYPE_CHECKING:
    from xfelspi.patterns import Converted, PatternSet


@opens_frames("geometry", "adu_per_photon", "pedestal", "common_mode", "panels")
def convert(
    source: Annotated[Path, typer.Argument(help="Patterns of any format that xfel reads.")],
    target: Annotated[Path, typer.Argument(help="File to write: .cxi, .h5, .emc, .emc.h5, .lst; see --to.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="cxi, emc, emc-h5, lst, or cheetah for a folder of lists; by default the ending tells."
        ),
    ] = None,
    only_kept: Annotated[
        Path | None,
        typer.Option(help="Write the patterns of this list alone: NAME.lst, or NAME.csv with their scores."),
    ] = None,
    selection: Annotated[
        Path | None, typer.Option(help="Write all patterns, with the scores and tags of this NAME.csv.")
    ] = None,
    rounding: Annotated[
        bool, typer.Option("--round", help="Round pixels where the format has whole photons only.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what stands there.")] = False,
    *,
    opening: Opening,
) -> None:
    """Write patterns in another format, and say what it cannot hold.

    A killed conversion leaves nothing under the final name; the same command does it.

    Example: xfel convert run0042.cxi kept.emc --only-kept run0042.csv

    Example: xfel convert kept.emc kept.cxi
    """
    from xfelspi.patterns import AlreadyComplete, read_events, read_verdicts, target_for
    from xfelspi.patterns import convert as write

    if only_kept is not None and selection is not None:
        raise InputError(
            "--only-kept writes the kept patterns and --selection all of them; give one of the two."
        )
    needs_centre = target_for(target, to).needs_centre
    with opening.open(source) as patterns:
        if needs_centre and patterns.geometry is not None:
            say_centre(source, patterns)
        only, verdicts = None, None
        table = only_kept or selection
        if table is not None and table.suffix == ".lst" and selection is None:
            only = read_events(table, source, patterns.n)
        elif table is not None:
            verdicts = read_verdicts(table, patterns.path, patterns.n)
            only = None if selection is not None else verdicts.kept
        try:
            written = write(
                patterns, target, to=to, only=only, verdicts=verdicts, rounding=rounding, overwrite=overwrite
            )
        except AlreadyComplete as complete:
            typer.echo(str(complete))
            return
    say_converted(written)


def require_takers(patterns: "PatternSet", kept_to: Path | None, update: bool) -> None:
    """Refuse what `hand_on` could not write to.

    Raises
    ------
    InputError
        If the file has no place for scores, the ending of `kept_to` tells no format, or it is what is read
        or came from elsewhere.
    """
    from xfelspi.patterns import left_before

    if update and patterns.detector_group is None:
        raise InputError(f"{patterns.path} is not CXI, and has no place for scores; convert it to CXI first.")
    if kept_to is None:
        return
    left_before(patterns, kept_to)


def hand_on(patterns: "PatternSet", table: Path, kept_to: Path | None, update: bool) -> None:
    """Pass on what `xfel classify` found: scores into the file itself, kept patterns into another."""
    from xfelspi.patterns import AlreadyComplete, left_before, read_verdicts, update_scores
    from xfelspi.patterns import convert as write

    verdicts = read_verdicts(table, patterns.path, patterns.n)
    if update:
        place = {} if patterns.detector_group is None else {"detector": patterns.detector_group}
        changed = update_scores(patterns.path, verdicts, **place)
        typer.echo(f"{patterns.path}: scores {'added' if changed else 'are there already'}", err=True)
    if kept_to is None:
        return
    if not len(verdicts.kept):
        old = left_before(patterns, kept_to)
        for path in old:
            path.unlink(missing_ok=True)  # it held another choice
        done = "is removed, which held what an earlier call kept" if old else "is not written"
        typer.echo(f"No pattern is kept, so {kept_to} {done}.", err=True)
        return
    try:
        # Whoever asks for EMC wants photons; what rounding did is said.
        written = write(patterns, kept_to, only=verdicts.kept, verdicts=verdicts, rounding=True, renew=True)
        say_converted(written, err=True)
    except AlreadyComplete as complete:
        typer.echo(str(complete), err=True)


def say_converted(written: "Converted", err: bool = False) -> None:
    """Tell what was written, and on stderr what was lost."""
    beside = "".join(f", {path}" for path in written.beside)
    typer.echo(f"{written.path}: {written.n} patterns{beside}", err=err)
    for sentence in written.lost:
        typer.secho(sentence, fg="yellow", err=True)
