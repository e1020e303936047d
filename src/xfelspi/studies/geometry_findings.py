"""What a geometry study found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .matrix import MISSED, Cell
from .noise import Swept
from .protocols import Geometry, Protocol
from .provenance import Provenance
from .second import Curve
from .trainings import Training


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """A group of shapes that a network was not trained on: the mean over its shapes, and the worst of them.

    Attributes
    ----------
    training : Training
        The network.
    missed, least, most : float
        Singles lost at the threshold for 1 %: mean over shapes and seeds, and of any seed, over shapes.
    worst : Cell
        The shape of most.
    """

    training: Training
    missed: float
    least: float
    most: float
    worst: Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class GeometryFindings:
    """A whole study.

    Attributes
    ----------
    declared : Geometry
        What was declared before the run.
    plan : list of Training
        The networks.
    trained : dict of str to list of dict
        Of each, every seed: identity, seconds, thresholds.
    cells : dict of (training, shape) to Cell
        The matrix.
    second : list of Curve
        False positives along separation and photons of the second particle.
    noise : list of Swept
        False negatives along what makes particles hard to see.
    made : Provenance
        How, where and with what.
    """

    declared: Geometry
    plan: list[Training]
    trained: dict[str, list[dict[str, Any]]]
    cells: dict[tuple[str, str], Cell]
    second: list[Curve]
    noise: list[Swept]
    made: Provenance

    def networks(self, protocol: Protocol) -> list[Training]:
        """Return the networks of a protocol."""
        return [training for training in self.plan if training.protocol.name == protocol.name]

    def judged(self, training: Training) -> list[Cell]:
        """Return the cells that a network is judged by: shapes it has not seen, of the group left out."""
        cells = [self.cells[training.name, shape] for shape in self.declared.shapes]
        unseen = [cell for cell in cells if cell.seen == "no"]
        return [cell for cell in unseen if training.left_out in (None, cell.group)] or cells

    def worst(self, protocol: Protocol) -> Cell:
        """Return the shape that a protocol's networks lose most of, among those they are judged by."""
        cells = [cell for training in self.networks(protocol) for cell in self.judged(training)]
        return max(cells, key=lambda cell: cell.scores[MISSED].value)

    def groups(self, protocol: Protocol) -> list[Group]:
        """Return what networks of a protocol that leave a group out do on it, the worst first."""
        found = []
        for training in self.networks(protocol):
            missed = [cell.scores[MISSED] for cell in self.judged(training)]
            found.append(
                Group(
                    training=training,
                    missed=sum(mean.value for mean in missed) / len(missed),
                    least=sum(mean.least for mean in missed) / len(missed),
                    most=sum(mean.most for mean in missed) / len(missed),
                    worst=max(self.judged(training), key=lambda cell: cell.scores[MISSED].value),
                )
            )
        return sorted(found, key=lambda group: -group.missed)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return {
            **asdict(self.made),
            "declared": self.declared.as_dict(),
            "trainings": [
                {
                    "name": training.name,
                    "protocol": training.protocol.name,
                    "shapes": training.shapes,
                    "left_out": training.left_out,
                    "recipe": training.recipe.as_dict(),
                    "taught": training.taught.as_dict(),
                    "folder": training.folder,
                    "seeds": [
                        {name: value for name, value in seed.items() if name != "negatives"}
                        for seed in self.trained[training.name]
                    ],
                }
                for training in self.plan
            ],
            "cells": [cell.as_dict() for cell in self.cells.values()],
            "groups": [
                {
                    "protocol": protocol.name,
                    "left_out": group.training.left_out,
                    MISSED: {"value": group.missed, "least": group.least, "most": group.most},
                    "worst": group.worst.shape,
                }
                for protocol in self.declared.protocol
                if protocol.one_group_out
                for group in self.groups(protocol)
            ],
            "second": [curve.as_dict() for curve in self.second],
            "noise": [swept.as_dict() for swept in self.noise],
        }
