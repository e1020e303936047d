"""Measured shots that a study is judged by, as its commands name them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xfelspi.errors import InputError

if TYPE_CHECKING:
    from xfelspi.studies import Reference

Measured = Annotated[Path | None, typer.Option(help="Labelled measured shots: our own files, CXI, any HDF5.")]


def measured_shots(
    measured: Path | None, dataset: str | None, mask: str | None, labels: str | None
) -> "Reference | None":
    """Return what `--measured` names, or None; the options beside it speak of that file alone."""
    from xfelspi.studies import Reference

    if measured is not None:
        return Reference(path=measured, kind="measured", dataset=dataset, mask=mask, labels=labels)
    if (dataset, mask, labels) != (None, None, None):
        raise InputError("--dataset, --mask and --labels speak of a --measured file; name one.")
    return None
