"""How long and how much memory sorting takes, way by way, and how both grow with the number of images."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.classify.model import weights_path

from .poster_clock import MAP, Timed, clock
from .poster_declared import VGG16, Speed
from .poster_work import Learner, PosterWork, place, these
from .provenance import machine, versions
from .simulated import TEST_SEED
from .steps import step

N_WARM, N_LEARNED = 16, 40
"""Images to begin with; patterns that the classifiers learned from, since what they learn costs no time."""

NETWORK = "resnet"
"""Published, as its speed was."""


@dataclass(frozen=True, kw_only=True)
class SpeedCurve:
    """One way to sort.

    Attributes
    ----------
    way : str
        "resnet", "vgg16" or the map.
    points : tuple of Timed
        By rising numbers of images.
    """

    way: str
    points: tuple[Timed, ...]

    @property
    def growth(self) -> float | None:
        """Power of n that the time grows with, between the two largest numbers; None with fewer."""
        if len(self.points) < 2:
            return None
        before, last = self.points[-2:]
        return float(np.log(last.seconds / before.seconds) / np.log(last.n / before.n))

    def at(self, n: int) -> Timed | None:
        """Return what n images took, if they were tried."""
        return next((point for point in self.points if point.n == n), None)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return {
            "way": self.way,
            "growth": self.growth,
            "points": [dataclasses.asdict(point) for point in self.points],
        }


def speed_study(work: PosterWork, asked: Speed) -> list[SpeedCurve]:
    """Measure every way at every number of images, one process after the other."""
    recipe = work.declared.recipe(asked.recipe)
    warm = work.simulated(recipe, asked.shape, N_WARM, TEST_SEED)
    curves = []
    for way in (*work.networks([NETWORK]), MAP):
        program, identity = MAP, MAP
        if way != MAP:
            learned = work.simulated(recipe, asked.shape, N_LEARNED, 0)
            name = f"speed/{way}"
            learner = Learner(network=way, patterns_seen=N_LEARNED)
            trained = work.learn(name, learner, 0, these(learned), place(learned))
            program, identity = str(weights_path(work.out / name / trained["model"])), trained["identity"]
        points = []
        for n in sorted(asked.sizes):
            if way == VGG16 and n > asked.vgg16_most:
                continue
            file = work.simulated(recipe, asked.shape, n, TEST_SEED)
            work.progress(f"clocking {way}", 0.0)
            result = step(
                work.out / "speed" / f"{way.replace(' ', '-')}-{n}.json",
                {"way": identity, "file": place(file), "on": [machine(), versions()]},
                functools.partial(_clocked, program, file, warm),
            )
            work.progress(f"clocking {way}", 1.0)
            points.append(Timed(**result))
            work.tell(f"speed: {way}, {n:,} images in {points[-1].seconds:.1f} s")
        curves.append(SpeedCurve(way=way, points=tuple(points)))
    return curves


def _clocked(program: str, file: Path, warm: Path) -> dict[str, Any]:
    return dataclasses.asdict(clock(program, file, warm))
