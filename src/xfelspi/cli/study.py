"""The commands of `xfel study`: one question each, declared before the run."""

from pathlib import Path
from typing import Annotated

import typer

from .measured import Measured, measured_shots
from .options import Dataset, Labels, Mask, OverwriteStudy, Quick, Seeds, StandIn
from .poster import poster
from .terminal import Progress, command_of, typed

study = typer.Typer(
    name="study",
    no_args_is_help=True,
    help="Ask a question of simulation and classifier together, declared before the run.",
    epilog="Try: xfel study fidelity --reference lcls-amo --quick",
)
_command = command_of(study)


@study.callback()
def _group() -> None: ...


@_command
def fidelity(
    measured: Measured = None,
    dataset: Dataset = None,
    mask: Mask = None,
    labels: Labels = None,
    reference: StandIn = None,
    declared: Annotated[
        str, typer.Option("--study", help="What to do: fidelity, or a TOML file like it.")
    ] = "fidelity",
    recipe: Annotated[
        str | None, typer.Option(help="The full recipe, in place of the one that the study declares.")
    ] = None,
    seeds: Seeds = None,
    quick: Quick = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to work in; by default study, with --quick study-quick.")
    ] = None,
    overwrite: OverwriteStudy = False,
) -> None:
    """Say which terms of the simulator make a classifier work on measured shots.

    Climbs a ladder of recipes, from particles and photon counting alone to the full one: simulates and
    trains on every rung, scores on measured shots, compares simulated with measured single hits. Then takes
    single terms from the full recipe. Writes report.html and study.json; a killed study goes on with the
    same command.

    Every score on a measured set goes into a log that reports show, so that nobody picks the best of many.

    Example: xfel study fidelity --measured run0042.h5 --labels labels.csv

    Example: xfel study fidelity --reference lcls-amo --quick
    """
    from xfelspi import studies

    shots = measured_shots(measured, dataset, mask, labels)
    with Progress() as progress:
        report = studies.fidelity(
            out or Path("study-quick" if quick else "study"),
            study=declared,
            measured=shots,
            stand_in=reference,
            recipe=recipe,
            seeds=seeds,
            quick=quick,
            overwrite=overwrite,
            command=typed(),
            progress=progress,
            tell=progress.say,
        )
    typer.echo(str(report))


@_command
def geometry(
    declared: Annotated[
        str, typer.Option("--study", help="What to do: geometry, or a TOML file like it.")
    ] = "geometry",
    seeds: Seeds = None,
    quick: Quick = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to work in; by default geometry, with --quick geometry-quick.")
    ] = None,
    overwrite: OverwriteStudy = False,
) -> None:
    """Say how well a classifier holds for particles it never saw.

    Trains on icosahedra alone, on the random family and on all groups of shapes but one, and scores on every
    shape. Then asks how faint and near a second particle may be, beside the limit of physics, and how small
    and dim a particle. Writes report.html and study.json; a killed study goes on with the same command.

    Example: xfel study geometry --quick
    """
    from xfelspi import studies

    with Progress() as progress:
        report = studies.geometry(
            out or Path("geometry-quick" if quick else "geometry"),
            study=declared,
            seeds=seeds,
            quick=quick,
            overwrite=overwrite,
            command=typed(),
            progress=progress,
            tell=progress.say,
        )
    typer.echo(str(report))


@_command
def model(
    declared: Annotated[
        str, typer.Option("--study", help="What to learn from: model, or a TOML file like it.")
    ] = "model",
    name: Annotated[str, typer.Option(help="Of the model.")] = "default",
    quick: Annotated[
        bool, typer.Option("--quick", help="Train for a moment, to see that it runs; not a model to use.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of models.")] = Path("runs"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another model of that name.")
    ] = False,
) -> None:
    """Train a model on a mixture of recipes: the default model, or one for your own instruments.

    The mixture is declared in a TOML file; its recipes take turns from pair to pair, and each keeps its
    detector. Patterns are drawn while the network learns; a killed training goes on with the same command.

    Example: xfel study model --study ours.toml --name ours
    """
    from xfelspi.studies.box import train_declared

    with Progress() as progress:
        path = train_declared(
            out,
            study=declared,
            name=name,
            quick=quick,
            overwrite=overwrite,
            command=typed(),
            progress=progress,
            tell=progress.say,
        )
    typer.echo(str(path))


_command(poster)
