"""Everything that was published on this task, made anew, with our numbers beside the published ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import write_whole
from xfelspi.simulate import load_recipe

from .declaring import require_seeds
from .looks import looks_at
from .matrix import matrix
from .noise import sweep_noise, sweep_recipes
from .poster_declared import Poster, Table, load_poster
from .poster_depth import depth_study
from .poster_figures import show_networks
from .poster_findings import PosterFindings, Robustness
from .poster_labels import labels_study
from .poster_page import write_page
from .poster_speed import speed_study
from .poster_table import TableWork, require_folds, table_recipe, table_study
from .poster_work import PosterWork, weights_at_hand
from .protocols import Geometry
from .provenance import Provenance
from .reference import Reference
from .simulated import Progress, simulated_file
from .steps import digest, require_question, take_folder
from .trainings import trainings
from .transfer import Transfer

Part = TypeVar("Part")
Found = TypeVar("Found")

STAND_IN_SEED = 2**40 + 3
"""Of the patterns that stand in for measured ones; no training and no test has it."""


def poster(
    out: Path,
    *,
    study: str = "poster",
    measured: Reference | None = None,
    stand_in: str | None = None,
    weights: Path | None = None,
    seeds: int | None = None,
    quick: bool = False,
    overwrite: bool = False,
    command: str = "",
    progress: Progress = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Make every published table and figure anew; write report.html and study.json.

    Killed, the same call goes on; finished steps are not repeated, and a training goes on at its last epoch.

    Parameters
    ----------
    out : Path
        Folder of the study.
    study : str
        Its declaration: the name of one that comes with the package, or a TOML file.
    measured : Reference, optional
        Labelled measured shots, for the table.
    stand_in : str, optional
        Instead, a recipe to simulate a stand-in from. Without either, rows of the table that need measured
        shots are left out.
    weights : Path, optional
        VGG16's; see `weights_at_hand`. Without any, VGG16 is left out.
    seeds : int, optional
        Trainings of everything in place of the declared number.
    quick : bool
        As the declaration's `quick` says.
    overwrite : bool
        Replace the report of another study in the folder. The log of looks stays.
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
        If both kinds of shots are given, the declaration, the weights or the file do not serve, or the folder
        holds another study.
    """
    start = time.perf_counter()
    if measured is not None and stand_in is not None:
        raise InputError(
            "The table is judged by one set of shots: name measured ones with --measured FILE, or a recipe "
            "to simulate a stand-in from with --reference RECIPE, not both."
        )
    declared = _declared(study, seeds, quick)
    _require_recipes(declared)
    vgg16 = weights_at_hand(weights, progress)
    require_question(out, {"declared": declared.as_dict()}, overwrite)  # before a stand-in is simulated there
    judge = _judge(out, declared, measured, stand_in, command, progress)
    question = {
        "declared": declared.as_dict(),
        "reference": None if judge is None else judge.sha256,
        "vgg16": None if vgg16 is None else vgg16.sha256,
    }
    take_folder(out, question, overwrite)

    work = PosterWork(out, study, declared, vgg16, command, progress, tell)
    table = _if_asked(declared.table, lambda asked: _table(work, asked, judge))
    findings = PosterFindings(
        declared=declared,
        reference=judge,
        vgg16=None if vgg16 is None else f"{vgg16.path.name}, SHA-256 {vgg16.sha256[:12]}",
        speed=_if_asked(declared.speed, lambda asked: speed_study(work, asked)),
        table=_if_asked(table, table_study),
        shown=None if table is None or declared.figures is None else show_networks(table, declared.figures),
        depth=_if_asked(declared.depth, lambda asked: depth_study(work, asked)),
        labels=_if_asked(declared.labels, lambda asked: labels_study(work, asked)),
        robustness=_if_asked(declared.robustness, lambda asked: _robustness(work, asked)),
        looks=looks_at(judge.frames_sha256) if judge is not None and judge.is_measured else [],
        made=Provenance.here(study, quick, command, time.perf_counter() - start),
    )
    write_whole(out / "study.json", json.dumps(findings.as_dict(), indent=1).encode() + b"\n")
    return write_page(findings, out)


def _if_asked(asked: Part | None, find: Callable[[Part], Found]) -> Found | None:
    """Return what is found out about a part, None for one that is not asked for."""
    return None if asked is None else find(asked)


def _declared(study: str, seeds: int | None, quick: bool) -> Poster:
    require_seeds(seeds)
    declared = load_poster(study)
    if quick:
        declared = declared.as_quick()
    return declared if seeds is None else declared.with_seeds(seeds)


def _require_recipes(declared: Poster) -> None:
    """Refuse recipes that do not serve before the hours of the others."""
    for name in declared.recipes:
        declared.recipe(name)
    if declared.robustness is not None:
        plan = trainings(declared.robustness)
        noise = declared.robustness.noise
        if noise is not None:
            sweep_recipes(next(one for one in plan if one.name == noise.protocol), noise)


def _judge(
    out: Path,
    declared: Poster,
    measured: Reference | None,
    recipe: str | None,
    command: str,
    progress: Progress,
) -> Reference | None:
    """Find the measured shots, or simulate a stand-in; None where there is neither."""
    if declared.table is None:
        if measured is not None or recipe is not None:
            raise InputError("The study has no [table], which is all that looks at measured shots; add one.")
        return None
    judge = measured
    if recipe is not None:
        drawn_from = load_recipe(recipe)
        n = declared.table.n_stand_in
        folder = out / f"stand-in-{digest([drawn_from.as_dict(), n, __version__])[:8]}"
        path = simulated_file(folder, drawn_from, n, STAND_IN_SEED, command, progress)
        judge = Reference(path=path, kind="stand-in")
    if judge is not None:
        require_folds(declared.table, judge)
    return judge


def _table(work: PosterWork, asked: Table, judge: Reference | None) -> TableWork:
    return TableWork(work, asked, table_recipe(work, asked, judge), judge)


def _robustness(work: PosterWork, asked: Geometry) -> Robustness:
    plan = trainings(asked)
    transfer = Transfer(work.out, asked, work.command, work.progress, work.tell)
    cells = matrix(transfer, plan, asked.seeds)
    noise = []
    if asked.noise is not None:
        (training,) = (one for one in plan if one.name == asked.noise.protocol)
        noise = sweep_noise(transfer, training, asked.noise, asked.seeds)
    return Robustness(plan=plan, cells=cells, noise=noise)
