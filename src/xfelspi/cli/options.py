"""Options that several commands share: how a file of frames is to be opened."""

from pathlib import Path
from typing import Annotated

import typer

Dataset = Annotated[
    str | None, typer.Option(help="Where the frames are: a dataset of HDF5, or an array of npz.")
]
Mask = Annotated[str | None, typer.Option(help="Mask: .npy, FILE.h5:DATASET or a dataset name.")]
Labels = Annotated[str | None, typer.Option(help="Labels: .npy, .csv or a dataset name.")]
Detector = Annotated[
    Path | None, typer.Option(help="Dragonfly's detector file (.h5, .dat) for EMC; else one found beside.")
]
FollowLinks = Annotated[
    bool, typer.Option("--follow-links", help="Read other files that an HDF5 file points to.")
]
