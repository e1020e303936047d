"""How faint and how near a second particle the networks still see, and what physics allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.classify.intervals import wilson
from xfelspi.patterns import PatternSet, clear_multiples
from xfelspi.simulate import Recipe

from .concordance import Share
from .matrix import MISSED
from .oracle import Contest, Evidence, contests, rule
from .protocols import Second
from .simulated import TEST_SEED, changed, contents, of_shape
from .steps import digest, step
from .trainings import Training
from .transfer import Scored, Transfer

PHOTONS = tuple(float(edge) for edge in np.geomspace(1.0, 1e5, 11))
"""Edges of the bins of εN, in photons."""

DIAMETERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 13.0, 17.0, 25.0)
"""Edges of the bins of the separation, in diameters of the largest particle."""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Multiple hits of one kind.

    Attributes
    ----------
    low, high, middle : float
        Edges, and the median of those in it.
    n : int
        Of them.
    kept : Share
        Those that the networks take for single: mean over seeds, and the interval for the choice of shots.
    least, most : float
        Of any seed.
    n_oracle : int
        Those that the oracle was asked about.
    physical : float or None
        Share that it takes for single if it loses as many singles as the networks do.
    preferred : float or None
        Share of frames that the single scene makes likelier.
    rule : float
        As `physical`, if the squared signal-to-noise is 2 εN.
    """

    low: float
    high: float
    middle: float
    n: int
    kept: Share
    least: float
    most: float
    n_oracle: int
    physical: float | None
    preferred: float | None
    rule: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Networks and oracle along one axis.

    Attributes
    ----------
    axis : str
        What it is, with its unit.
    among : str
        Which multiple hits.
    fnr : float
        Share of singles that the networks lose on the same files, at the same threshold.
    bins : list of Bin
        Those with any in them.
    """

    axis: str
    among: str
    fnr: float
    bins: list[Bin]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """Multiple hits of one shape: where each stands on the axis, its εN, which seeds keep it, its contest."""

    place: np.ndarray
    second_photons: np.ndarray
    kept: np.ndarray
    contests: dict[int, Contest]


def second_particle(transfer: Transfer, training: Training, asked: Second, seeds: int) -> list[Curve]:
    """Count false positives against separation and against the photons of the second particle.

    Parameters
    ----------
    transfer : Transfer
        The study's steps.
    training : Training
        Whose networks.
    asked : Second
        What was declared.
    seeds : int
        Trainings of it.
    """
    faint = changed(training.recipe, asked.settings)
    return [
        _curve(
            transfer,
            training,
            seeds,
            asked,
            axis="photons of the second particle, εN",
            among="multiples with the second particle 0.75 diameters to 1.2 µm away, many of them faint",
            recipe=faint,
            file_of=lambda shape: transfer.file(faint, shape, asked.n, TEST_SEED, "test"),
            place_of=lambda truth: np.where(_well_apart(truth), second_photons(truth), np.nan),
            edges=PHOTONS,
        ),
        _curve(
            transfer,
            training,
            seeds,
            asked,
            axis="separation / diameters",
            among="multiples whose second particle gives a tenth of the photons or more",
            recipe=training.recipe,
            file_of=lambda shape: transfer.test_file(training, shape),
            place_of=lambda truth: np.where(truth["runner_up_fraction"] >= 0.1, _in_diameters(truth), np.nan),
            edges=DIAMETERS,
        ),
    ]


def second_photons(truth: dict[str, np.ndarray]) -> np.ndarray:
    """Return the photons of each shot's second brightest particle, (n,); NaN without one."""
    own = truth["photons"]
    if own.shape[1] < 2:
        return np.full(len(own), np.nan)
    found = np.sort(np.where(np.isfinite(own), own, -np.inf), axis=1)[:, -2]
    return np.where(np.isfinite(found), found, np.nan)


def first_of_each(place: np.ndarray, edges: Sequence[float], most: int) -> np.ndarray:
    """Return the indices of the first `most` values in each bin, ascending.

    Examples
    --------
    >>> first_of_each(np.array([0.5, 1.5, 0.6, 0.7, np.nan]), (0.0, 1.0, 2.0), 2).tolist()
    [0, 1, 2]
    """
    which = np.digitize(place, edges)
    inside = np.isfinite(place) & (which > 0) & (which < len(edges))
    chosen = [np.flatnonzero(inside & (which == bin))[:most] for bin in range(1, len(edges))]
    return np.sort(np.concatenate(chosen))


def _curve(
    transfer: Transfer,
    training: Training,
    seeds: int,
    asked: Second,
    *,
    axis: str,
    among: str,
    recipe: Recipe,
    file_of: Callable[[str], Path],
    place_of: Callable[[dict[str, np.ndarray]], np.ndarray],
    edges: Sequence[float],
) -> Curve:
    found, missed, n_single = [], [], 0
    for shape in asked.shapes:
        path = file_of(shape)
        scored = [transfer.score(training, seed, path) for seed in range(seeds)]
        with PatternSet.open(path) as patterns:
            truth = patterns.truth
        assert truth is not None  # we simulated it
        n_single += int(scored[0].rows[0]["n_single"])
        missed += [one.rows[0][MISSED] or 0.0 for one in scored]
        place = place_of(truth)
        of_oracle = first_of_each(place, edges, asked.oracle_shots).tolist()
        found.append(
            _Asked(
                place=place,
                second_photons=second_photons(truth),
                kept=np.array([_is_kept(transfer, training, seed, one) for seed, one in enumerate(scored)]),
                contests=_contests(transfer, of_shape(recipe, shape), of_oracle),
            )
        )
    # Where no single was lost, the rate is not 0: half a single stands for it.
    fnr = max(sum(missed) / len(missed), 0.5 / max(n_single, 1))
    bins = [_bin(found, low, high, fnr) for low, high in pairwise(edges)]
    return Curve(axis=axis, among=among, fnr=fnr, bins=[bin for bin in bins if bin is not None])


def _is_kept(transfer: Transfer, training: Training, seed: int, scored: Scored) -> np.ndarray:
    return scored.logits > transfer.train(training, seed)["at_fpr"]["1pct"]


def _contests(transfer: Transfer, recipe: Recipe, indices: list[int]) -> dict[int, Contest]:
    decides: dict[str, Any] = {
        "recipe": digest(dataclasses.asdict(recipe)),
        "indices": indices,
        "version": __version__,
    }
    if files := contents(recipe):
        decides["files"] = files
    path = transfer.out / "oracle" / f"{digest(decides)[:12]}.json"

    def compute() -> dict[str, Any]:
        transfer.progress(f"oracle on the {recipe.sample.shape}", 0.0)
        found = contests(recipe, TEST_SEED, indices)
        transfer.progress(f"oracle on the {recipe.sample.shape}", 1.0)
        return {"contests": [[*one.evidence, one.of_multiple, one.of_single] for one in found]}

    rows = step(path, decides, compute)["contests"]
    return {
        index: Contest(evidence=Evidence(*row[:4]), of_multiple=row[4], of_single=row[5])
        for index, row in zip(indices, rows, strict=True)
    }


def _bin(found: Sequence[_Asked], low: float, high: float, fnr: float) -> Bin | None:
    inside = [(one.place >= low) & (one.place < high) for one in found]
    n = int(sum(chosen.sum() for chosen in inside))
    if n == 0:
        return None
    places = np.concatenate([one.place[chosen] for one, chosen in zip(found, inside, strict=True)])
    photons = np.concatenate([one.second_photons[chosen] for one, chosen in zip(found, inside, strict=True)])
    by_seed = sum(one.kept[:, chosen].sum(axis=1) for one, chosen in zip(found, inside, strict=True)) / n
    rate = float(np.mean(by_seed))
    against = [
        contest
        for one, chosen in zip(found, inside, strict=True)
        for index, contest in one.contests.items()
        if chosen[index]
    ]
    return Bin(
        low=low,
        high=high,
        middle=float(np.median(places)),
        n=n,
        kept=Share(rate, *wilson(rate * n, n)),  # type: ignore[arg-type]  # means are no whole numbers
        least=float(np.min(by_seed)),
        most=float(np.max(by_seed)),
        n_oracle=len(against),
        physical=float(np.mean([one.kept(fnr) for one in against])) if against else None,
        preferred=float(np.mean([one.of_multiple <= 0.0 for one in against])) if against else None,
        rule=float(rule(photons, fnr).mean()),
    )


def _in_diameters(truth: dict[str, np.ndarray]) -> np.ndarray:
    """Separation over the diameter of the shot's largest particle; NaN without a second."""
    return truth["separation_nm"] / np.fmax.reduce(truth["diameter_nm"], axis=1, initial=0.0)


def _well_apart(truth: dict[str, np.ndarray]) -> np.ndarray:
    """Whether a multiple would be clear if its second particle were bright."""
    return clear_multiples(truth | {"runner_up_fraction": np.ones_like(truth["runner_up_fraction"])})
