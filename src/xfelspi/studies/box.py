"""The model in the box: trained on a declared mixture of recipes, by streaming."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from xfelspi.classify import train
from xfelspi.patterns import require_writable
from xfelspi.simulate import StreamedPatterns

from .mixture import load_mixture
from .simulated import Progress


def train_declared(
    out: Path,
    *,
    study: str = "model",
    name: str = "default",
    quick: bool = False,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Train a model on the mixture that a TOML file declares; a killed training goes on.

    Parameters
    ----------
    out : Path
        Folder for NAME.safetensors and NAME.json. The JSON has every recipe, the seeds, the command, and the
        validation scores after each epoch beside the seconds they took.
    study : str
        "model", or a TOML file like it.
    name : str
        Of the model.
    quick : bool
        Train as little as the declaration says under `quick`: a test of the machinery.
    overwrite : bool
        Replace a model of this name that came from something else; one from this very training is kept.
    command : str
        What was typed, kept in the model.
    progress, tell : callable, optional
        Told the fraction done of each step; given a line for each epoch.

    Raises
    ------
    InputError
        If the declaration does not serve, or another model has the name.
    """
    declared = load_mixture(study)
    if quick:
        declared = declared.as_quick()
    require_writable(out)
    source = StreamedPatterns(declared.recipes(), n=declared.n, seed=declared.seed, progress=progress)
    if tell is not None:
        shares = ", ".join(f"{one.name} x {one.turns}" for one in declared.ingredient)
        tell(f"{declared.epochs} epochs of {declared.n} patterns: {shares}")
    return train(
        source,
        declared.train_config(),
        out=out,
        name=name,
        overwrite=overwrite,
        command=command,
        progress=progress,
        say=tell,
    )
