"""What a poster study found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import published
from .matrix import Cell
from .noise import Swept
from .poster_declared import Poster
from .poster_depth import DepthPoint
from .poster_figures import Shown
from .poster_labels import LabelPoint
from .poster_speed import SpeedCurve
from .poster_table import TableRow
from .provenance import Provenance
from .reference import Reference
from .trainings import Training


@dataclass(frozen=True, kw_only=True, eq=False)
class Robustness:
    """The geometry study within: its networks, what they do on every shape, and where noise stops them."""

    plan: list[Training]
    cells: dict[tuple[str, str], Cell]
    noise: list[Swept]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return {
            "titles": {training.name: training.protocol.title for training in self.plan},
            "cells": [cell.as_dict() for cell in self.cells.values()],
            "noise": [swept.as_dict() for swept in self.noise],
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class PosterFindings:
    """A whole study; a part that was not asked for is None.

    Attributes
    ----------
    declared : Poster
        What was declared before the run.
    reference : Reference or None
        The measured shots, or what stands in for them.
    vgg16 : str or None
        Name and hash of the file of weights, if there was one.
    depth, table, shown, robustness, labels, speed
        The parts.
    looks : list of dict
        Every look at this measured set so far; none for a stand-in.
    made : Provenance
        How, where and with what.
    """

    declared: Poster
    reference: Reference | None
    vgg16: str | None
    depth: list[DepthPoint] | None
    table: list[TableRow] | None
    shown: Shown | None
    robustness: Robustness | None
    labels: list[LabelPoint] | None
    speed: list[SpeedCurve] | None
    looks: list[dict[str, Any]]
    made: Provenance

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able; the published numbers are in it."""
        reference = self.reference
        lists = {
            name: None if part is None else [one.as_dict() for one in part]
            for name, part in (
                ("depth", self.depth),
                ("table", self.table),
                ("labels", self.labels),
                ("speed", self.speed),
            )
        }
        return {
            **asdict(self.made),
            "declared": self.declared.as_dict(),
            "reference": reference
            and {
                "kind": reference.kind,
                "file": reference.path.name,
                "frames_sha256": reference.frames_sha256,
                "n_single": int((reference.known == 1).sum()),
                "n_other": int((reference.known == 0).sum()),
            },
            "vgg16": self.vgg16,
            "published": {
                "table": [[*key, value] for key, value in published.TABLE.items()],
                "majority": published.MAJORITY,
                "missed": published.MISSED,
                "kept": published.KEPT,
                "speed": published.SPEED,
            },
            **lists,
            "figures": self.shown and {"indices": self.shown.indices, "networks": list(self.shown.insides)},
            "robustness": self.robustness and self.robustness.as_dict(),
            "looks": self.looks,
        }
