"""What is each term of the simulator worth? Simulate, train and judge on measured shots, rung by rung."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import write_whole
from xfelspi.simulate import load_recipe

from .concordance import Share, brightness, difference, wins
from .declaration import Declaration, load_declaration
from .declaring import require_seeds
from .fidelity_page import write_page
from .findings import Finding, Findings
from .ladder import Variant, full_recipe, ladder, left_out
from .looks import looks_at
from .matching import match
from .over_seeds import over_seeds
from .provenance import Provenance
from .reference import Reference
from .simulated import Progress, simulated_file
from .steps import digest, require_question, take_folder
from .work import Work

STAND_IN_SEED = 2**40 + 1
"""Of the patterns that stand in for measured ones; no training and no test has it."""


def fidelity(
    out: Path,
    *,
    study: str = "fidelity",
    measured: Reference | None = None,
    stand_in: str | None = None,
    recipe: str | None = None,
    seeds: int | None = None,
    quick: bool = False,
    overwrite: bool = False,
    command: str = "",
    progress: Progress = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Judge every rung of a ladder of recipes by measured shots; write report.html and study.json.

    Killed, the same call goes on; finished steps are not repeated.

    Parameters
    ----------
    out : Path
        Folder of the study.
    study : str
        Its declaration: the name of one that comes with the package, or a TOML file.
    measured : Reference, optional
        Labelled measured shots.
    stand_in : str, optional
        Instead, a recipe to simulate a stand-in from.
    recipe : str, optional
        Full recipe in place of the declared one.
    seeds : int, optional
        Trainings of every recipe in place of the declared numbers.
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
        If not exactly one of `measured` and `stand_in` is given, the declaration or the file does not
        serve, or the folder holds another study.
    """
    start = time.perf_counter()
    if (measured is None) == (stand_in is None):
        raise InputError(
            "A study judges simulation by one set of shots: name measured ones with --measured FILE, or, "
            "without any, a recipe to simulate a stand-in from with --reference RECIPE."
        )
    declared = _declared(study, recipe, seeds, quick)
    ladder(declared)  # refuses what is no ladder before anything is computed
    if measured is None:  # before a stand-in is simulated into the folder
        require_question(out, {"declared": declared.as_dict()}, overwrite)
    judge = _judge(out, declared, measured, stand_in, command, progress)
    if declared.match and judge.is_measured:
        declared = _matched(declared, judge, out, progress)
    rungs = ladder(declared)
    others = left_out(declared, rungs)
    take_folder(out, {"declared": declared.as_dict(), "reference": judge.sha256}, overwrite)

    work = Work(out, study, declared, judge, command, progress, tell)
    # The full recipe first: its network is the eye of the metrics. One seed of all before the second of any.
    everyone = (rungs[-1], *rungs[:-1], *others)
    first_of: dict[str, Variant] = {}
    for variant in everyone:
        first_of.setdefault(variant.folder, variant)
    n_seeds = {folder: max(v.seeds for v in everyone if v.folder == folder) for folder in first_of}
    evaluations: dict[str, list[dict[str, Any]]] = {folder: [] for folder in first_of}
    for seed in range(max(n_seeds.values())):
        for folder, variant in first_of.items():
            if seed < n_seeds[folder]:
                evaluations[folder].append(work.train_and_score(variant, seed))
    metrics = {folder: work.compare(variant, rungs[-1]) for folder, variant in first_of.items()}

    found_rungs = [_finding(v, evaluations[v.folder], metrics[v.folder]) for v in rungs]
    found_others = [_finding(v, evaluations[v.folder], metrics[v.folder]) for v in others]
    findings = Findings(
        declared=declared,
        reference=judge,
        rungs=found_rungs,
        left_out=found_others,
        gains=[_gain(below, above, judge.known) for below, above in pairwise(found_rungs)],
        losses=[_gain(other, found_rungs[-1], judge.known) for other in found_others],
        brightness=brightness(found_rungs[-1].logits, judge.counts, judge.known),
        looks=looks_at(judge.frames_sha256) if judge.is_measured else [],
        made=Provenance.here(study, quick, command, time.perf_counter() - start),
    )
    write_whole(out / "study.json", json.dumps(findings.as_dict(), indent=1).encode() + b"\n")
    return write_page(findings, out)


def _declared(study: str, recipe: str | None, seeds: int | None, quick: bool) -> Declaration:
    require_seeds(seeds)
    declared = load_declaration(study)
    if recipe is not None:
        declared = dataclasses.replace(declared, recipe=recipe)
    if quick:
        declared = declared.as_quick()
    if seeds is not None:
        declared = dataclasses.replace(declared, seeds_to_screen=seeds, seeds_to_confirm=seeds)
    return declared


def _matched(declared: Declaration, judge: Reference, out: Path, progress: Progress) -> Declaration:
    """Return the declaration with what the measured frames, without their labels, say about the recipe."""
    with judge.open() as patterns:
        learned = match(full_recipe(declared), patterns, out / "mask", progress)
    settings = {name: dict(values) for name, values in declared.settings.items()}
    for section, values in learned.settings.items():
        settings[section] = settings.get(section, {}) | values
    return dataclasses.replace(declared, settings=settings)


def _judge(
    out: Path,
    declared: Declaration,
    measured: Reference | None,
    recipe: str | None,
    command: str,
    progress: Progress,
) -> Reference:
    """Find what simulation is judged by; a stand-in is simulated."""
    if measured is not None:
        _ = measured.known  # before hours go by: is it a labelled file of patterns at all?
        return measured
    assert recipe is not None
    drawn_from = load_recipe(recipe)
    identity = digest([drawn_from.as_dict(), declared.n_test, __version__])[:8]
    folder = out / f"stand-in-{identity}"
    path = simulated_file(folder, drawn_from, declared.n_test, STAND_IN_SEED, command, progress)
    return Reference(path=path, kind="stand-in")


def _finding(variant: Variant, evaluations: list[dict[str, Any]], metrics: dict[str, Any]) -> Finding:
    chosen = evaluations[: variant.seeds]
    judged = [evaluation["judged"] for evaluation in chosen]
    return Finding(
        variant=variant,
        simulated=over_seeds([evaluation["simulated"] for evaluation in chosen]),
        judged=over_seeds(judged),
        metrics=metrics["metrics"],
        refused=metrics["refused"],
        logits=np.array([np.array(one["logits"]) - one["threshold"] for one in judged]),
        trained=[evaluation["trained"] for evaluation in chosen],
    )


def _gain(below: Finding, above: Finding, labels: np.ndarray) -> Share:
    return difference(wins(above.logits, labels), wins(below.logits, labels))
