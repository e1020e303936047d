"""How small and how dim a particle may be: one value of the recipe changed at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xfelspi.simulate import Recipe

from .matrix import KEPT, MISSED, Mean, over_rows
from .protocols import Noise, Sweep
from .simulated import TEST_SEED, changed
from .trainings import Training
from .transfer import Transfer

BEARABLE = 0.05
"""Share of singles lost, and of clear multiples kept, up to which a network counts as working."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value: singles lost and clear multiples kept at the transferred threshold for 1 %."""

    place: float
    missed: Mean | None
    kept: Mean | None

    @property
    def works(self) -> bool:
        """Whether both are bearable, as far as they are known."""
        known = [mean for mean in (self.missed, self.kept) if mean is not None]
        return bool(known) and all(mean.value <= BEARABLE for mean in known)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """One sweep, a curve for each shape."""

    name: str
    setting: str
    curves: dict[str, list[Point]]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return {
            "name": self.name,
            "setting": self.setting,
            "curves": {
                shape: [
                    {
                        "place": point.place,
                        MISSED: point.missed and point.missed._asdict(),
                        KEPT: point.kept and point.kept._asdict(),
                    }
                    for point in points
                ]
                for shape, points in self.curves.items()
            },
        }


def sweep_recipes(training: Training, asked: Noise) -> dict[str, list[Recipe]]:
    """Return the recipes of all points, by the name of the sweep.

    Raises
    ------
    InputError
        If there is no such setting, or a value does not serve.
    """
    return {
        sweep.name: [changed(training.recipe, sweep.settings(value)) for value in sweep.values]
        for sweep in asked.sweep
    }


def sweep_noise(transfer: Transfer, training: Training, asked: Noise, seeds: int) -> list[Swept]:
    """Score a protocol's networks, with their thresholds unchanged, on every point of every sweep."""
    recipes = sweep_recipes(training, asked)
    return [_sweep(transfer, training, asked, seeds, sweep, recipes[sweep.name]) for sweep in asked.sweep]


def _sweep(
    transfer: Transfer, training: Training, asked: Noise, seeds: int, sweep: Sweep, recipes: list[Recipe]
) -> Swept:
    curves: dict[str, list[Point]] = {}
    for shape in asked.shapes:
        for place, recipe in zip(sweep.places, recipes, strict=True):
            path = transfer.file(recipe, shape, asked.n, TEST_SEED, "noise")
            rows = [transfer.score(training, seed, path).rows[0] for seed in range(seeds)]
            means = over_rows(rows)
            point = Point(place=place, missed=means.get(MISSED), kept=means.get(KEPT))
            curves.setdefault(shape, []).append(point)
    return Swept(name=sweep.name, setting=sweep.setting, curves=curves)
