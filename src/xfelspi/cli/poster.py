"""`xfel study poster`: everything that was published on this task, made anew."""

from pathlib import Path
from typing import Annotated

import typer

from .measured import Measured, measured_shots
from .options import Dataset, Labels, Mask, OverwriteStudy, Quick, Seeds, StandIn
from .terminal import Progress, typed


def poster(
    measured: Measured = None,
    dataset: Dataset = None,
    mask: Mask = None,
    labels: Labels = None,
    reference: StandIn = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="VGG16's weights: .safetensors, or torchvision's .pth; without any it is left out."
        ),
    ] = None,
    declared: Annotated[
        str, typer.Option("--study", help="What to do: poster, or a TOML file like it.")
    ] = "poster",
    seeds: Seeds = None,
    quick: Quick = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to work in; by default poster, with --quick poster-quick.")
    ] = None,
    overwrite: OverwriteStudy = False,
) -> None:
    """Make every published table and figure anew, and put our numbers beside the published ones.

    Simulated and measured shots, each learned from and judged by; particles never seen; speed and memory of
    networks and of the diffusion map; accuracy against the number of labels; depth; preprocessing,
    activations and Grad-CAM. Writes report.html and study.json; a killed study goes on with the same command.

    Example: xfel study poster --measured run0042.h5 --labels labels.csv --weights vgg16-397923af.pth

    Example: xfel study poster --quick
    """
    from xfelspi import studies

    shots = measured_shots(measured, dataset, mask, labels)
    with Progress() as progress:
        report = studies.poster(
            out or Path("poster-quick" if quick else "poster"),
            study=declared,
            measured=shots,
            stand_in=reference,
            weights=weights,
            seeds=seeds,
            quick=quick,
            overwrite=overwrite,
            command=typed(),
            progress=progress,
            tell=progress.say,
        )
    typer.echo(str(report))
