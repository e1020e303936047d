"""Options that several commands share: how a file of frames is to be opened, how a study is to be run."""

import glob
from pathlib import Path
from typing import Annotated

import typer

from xfelspi.errors import InputError

Dataset = Annotated[
    str | None, typer.Option(help="Where the frames are: a dataset of HDF5, or an array of npz.")
]
Mask = Annotated[str | None, typer.Option(help="Mask: .npy, FILE.h5:DATASET or a dataset name.")]
Labels = Annotated[str | None, typer.Option(help="Labels: .npy, .csv or a dataset name.")]
Detector = Annotated[
    Path | None,
    typer.Option(
        help="Which of several detectors of a run; for EMC, Dragonfly's detector file (.h5, .dat), else one "
        "found beside."
    ),
]
FollowLinks = Annotated[
    bool, typer.Option("--follow-links", help="Read other files that an HDF5 file points to.")
]

StandIn = Annotated[
    str | None,
    typer.Option("--reference", help="Without measured shots: a recipe to simulate a stand-in from."),
]
Seeds = Annotated[
    int | None, typer.Option(help="Trainings of everything, in place of what the study declares.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="A look in a few minutes: few patterns, short trainings.")
]
OverwriteStudy = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace another study's report. Steps that serve are kept, and so is the log of looks.",
    ),
]


_ENDINGS = (".h5", ".hdf5", ".hdf", ".cxi", ".nxs", ".emc", ".npy", ".npz", ".png", ".tif", ".tiff")
"""Of files; what else follows a dot, as in shot.0001, tells one file from another."""


def stem_of(out: Path | None, file: Path) -> Path:
    """Return the name that outputs begin with: the one asked for, else that of the file.

    Raises
    ------
    InputError
        If what is asked for is a folder, which names nothing in it.
    """
    stem = out or beside(file, "")
    if stem.name in ("", "..") or (out is not None and out.is_dir()):
        raise InputError(
            f"--out {stem} names a folder; give a name for the files in it, as in {stem}/run0042."
        )
    return stem


def beside(file: Path, suffix: str) -> Path:
    """Say where output goes by default: beside a file or folder; for a pattern, beside the folder it is in.

    Examples
    --------
    >>> [beside(Path(name), ".png").as_posix() for name in ("run.h5", "a/frames*/*.tif", "frame.png")]
    ['run.png', 'a.png', 'frame-sheet.png']
    >>> beside(Path("shot.0001"), ".csv").as_posix()
    'shot.0001.csv'
    """
    source = file
    while glob.has_magic(str(source)) and not source.exists():
        source = source.parent
    if source.name in ("", ".."):
        source = source.resolve()
    ends = not source.is_dir() and source.suffix.lower() in _ENDINGS
    target = source.with_suffix(suffix) if ends else source.with_name(source.name + suffix)
    return source.with_name(f"{source.stem}-sheet{suffix}") if suffix and target == file else target


def require_not_read(out: Path, file: Path) -> None:
    """Refuse to draw over the file that is read, or over one of the frames that a folder or pattern names.

    Raises
    ------
    InputError
        If the picture would replace it.
    """
    read = file.resolve()
    inside = read.is_dir() and out.exists() and read in out.resolve().parents
    if out.resolve() == read or inside or str(out) in glob.glob(str(file)):
        raise InputError(f"{out} is, or is among, what is read from {file}; choose another --out.")
