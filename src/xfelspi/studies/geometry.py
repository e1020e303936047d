"""Does a classifier hold for particles it never saw? Train on some shapes, score on all of them."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

from xfelspi.patterns import write_whole

from .declaring import require_seeds
from .geometry_findings import GeometryFindings
from .geometry_page import write_page
from .matrix import matrix
from .noise import sweep_noise, sweep_recipes
from .protocols import Geometry, load_geometry
from .provenance import Provenance
from .second import second_particle
from .simulated import Progress, changed
from .steps import take_folder
from .trainings import Training, trainings
from .transfer import Transfer


def geometry(
    out: Path,
    *,
    study: str = "geometry",
    seeds: int | None = None,
    quick: bool = False,
    overwrite: bool = False,
    command: str = "",
    progress: Progress = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train on some shapes and score on all, protocol by protocol; write report.html and study.json.

    Killed, the same call goes on; finished steps are not repeated, and a training goes on at its last epoch.

    Parameters
    ----------
    out : Path
        Folder of the study.
    study : str
        Its declaration: the name of one that comes with the package, or a TOML file.
    seeds : int, optional
        Trainings of everything in place of the declared number.
    quick : bool
        As the declaration's `quick` says.
    overwrite : bool
        Replace the report of another study in the folder.
    command : str
        What the user typed.
    progress, tell : callable, optional
        Told the fraction done of each step; given one line for each thing finished.

    Returns
    -------
    report : Path
        The HTML page.

    Raises
    ------
    InputError
        If the declaration does not serve, or the folder holds another study.
    """
    start = time.perf_counter()
    declared = _declared(study, seeds, quick)
    plan = trainings(declared)
    _require_recipes(declared, plan)
    take_folder(out, {"declared": declared.as_dict()}, overwrite)

    transfer = Transfer(out, declared, command, progress, tell)
    cells = matrix(transfer, plan, declared.seeds)
    second, noise = declared.second, declared.noise
    findings = GeometryFindings(
        declared=declared,
        plan=plan,
        trained={
            training.name: [transfer.train(training, seed) for seed in range(declared.seeds)]
            for training in plan
        },
        cells=cells,
        second=second_particle(transfer, _named(plan, second.protocol), second, declared.seeds)
        if second is not None
        else [],
        noise=sweep_noise(transfer, _named(plan, noise.protocol), noise, declared.seeds)
        if noise is not None
        else [],
        made=Provenance.here(study, quick, command, time.perf_counter() - start),
    )
    write_whole(out / "study.json", json.dumps(findings.as_dict(), indent=1).encode() + b"\n")
    return write_page(findings, transfer)


def _declared(study: str, seeds: int | None, quick: bool) -> Geometry:
    require_seeds(seeds)
    declared = load_geometry(study)
    if quick:
        declared = declared.as_quick()
    return declared if seeds is None else dataclasses.replace(declared, seeds=seeds)


def _require_recipes(declared: Geometry, plan: list[Training]) -> None:
    """Refuse recipes of the second half before the hours of the first."""
    if declared.second is not None:
        changed(_named(plan, declared.second.protocol).recipe, declared.second.settings)
    if declared.noise is not None:
        sweep_recipes(_named(plan, declared.noise.protocol), declared.noise)


def _named(plan: list[Training], name: str) -> Training:
    return next(training for training in plan if training.name == name)
