"""`xfel study poster`: everything that was published on this task, made anew."""

from pathlib import Path
from typing import Annotated

import typer

from xfelspi.errors import InputError

from .terminal import Progress, typed


def poster(
    measured: Annotated[
        Path | None, typer.Option(help="Labelled measured shots: our own files, CXI, any HDF5.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Frames inside a foreign HDF5 file.")] = None,
    mask: Annotated[str | None, typer.Option(help="Mask: .npy, FILE.h5:DATASET or a dataset name.")] = None,
    labels: Annotated[str | None, typer.Option(help="Labels: .npy, .csv or a dataset name.")] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Without measured shots: a recipe to simulate a stand-in from."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="VGG16's weights: .safetensors, or torchvision's .pth; without any it is left out."
        ),
    ] = None,
    declared: Annotated[
        str, typer.Option("--study", help="What to do: poster, or a TOML file like it.")
    ] = "poster",
    seeds: Annotated[
        int | None, typer.Option(help="Trainings of everything, in place of the declared number.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A look in a few minutes: few patterns, short trainings.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to work in; by default poster, with --quick poster-quick.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another study's report. The log of looks stays.")
    ] = False,
) -> None:
    """Make every published table and figure anew, and put our numbers beside the published ones.

    Simulated and measured shots, each learned from and judged by; particles never seen; speed and memory of
    networks and of the diffusion map; accuracy against the number of labels; depth; preprocessing,
    activations and Grad-CAM. Writes report.html and study.json; a killed study goes on with the same command.

    Example: xfel study poster --measured run0042.h5 --labels labels.csv --weights vgg16-397923af.pth

    Example: xfel study poster --quick
    """
    from xfelspi import studies

    shots = None
    if measured is not None:
        shots = studies.Reference(path=measured, kind="measured", dataset=dataset, mask=mask, labels=labels)
    elif (dataset, mask, labels) != (None, None, None):
        raise InputError("--dataset, --mask and --labels speak of a --measured file; name one.")
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
