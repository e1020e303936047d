"""Patterns drawn while a network learns from them, of one recipe or of several: nothing on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import (
    LABELS,
    Geometry,
    LabelledFrames,
    Look,
    View,
    clear_multiples,
    gather,
    hidden_multiples,
)

from .chance import hash64
from .readout import file_mask
from .recipe import Recipe
from .run import Experiment, Progress
from .workers import Workers

_FRESH, _HELD_OUT = 1, 2  # the seed of each is hashed: no run of xfel simulate has it by accident


class StreamedPatterns:
    """Fresh patterns without end, of one or several recipes and shapes; a `PatternSource`.

    Pattern i is pattern i of `xfel simulate` with the seed in `describe`, of the recipe and shape whose turn
    it is: they change from pair to pair, so that each has its singles and its multiples, and every batch has
    some of all. Each recipe keeps its own detector.

    Parameters
    ----------
    recipe : Recipe or sequence of Recipe
        What to draw from. Several take turns; one that is named twice has two turns in a round.
    shapes : sequence of str
        Shapes that take turns, in place of the recipe's; empty for the recipe's own.
    n : int
        Patterns that count as an epoch.
    seed : int
        From 0 to 2⁶³ - 1; decides every pattern, with recipe, shapes and index.
    workers : int, optional
        Processes; by default one per core. The patterns do not depend on it. A script that streams needs
        the usual ``if __name__ == "__main__":``, because workers import it.
    progress : callable, optional
        Told about tables of form factors when they have to be computed.

    Raises
    ------
    InputError
        If a shape is unknown or unusable, the detector does not sample it, or a number is out of bounds.

    Examples
    --------
    >>> from xfelspi.simulate import load_recipe
    >>> source = StreamedPatterns(load_recipe("benchmark"), ["icosahedron", "sphere"], n=100, seed=0)
    >>> source.n, source.describe()["shapes"]
    (100, ['icosahedron', 'sphere'])
    """

    def __init__(
        self,
        recipe: Recipe | Sequence[Recipe],
        shapes: Sequence[str] = (),
        *,
        n: int,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if n < 2:
            raise InputError(f"{n} patterns an epoch were asked for; ask for 2 or more with -n.")
        self._recipes = [recipe] if isinstance(recipe, Recipe) else list(recipe)
        if not self._recipes:
            raise InputError("There is no recipe to draw from; give one or more.")
        turns = [
            replace(one, sample=replace(one.sample, shape=shape))
            for one in self._recipes
            for shape in shapes or [one.sample.shape]
        ]
        # The user's seed goes in first, which refuses what is out of bounds.
        experiments: list[Experiment] = []
        for one in turns:
            twin = next((earlier for earlier in experiments if earlier.recipe == one), None)
            experiments.append(twin or Experiment(one, seed, progress))
        self.n, self.seed = n, seed
        self._fresh, self._held_out = (
            [experiment.with_seed(hash64(seed, which) >> 1) for experiment in experiments]
            for which in (_FRESH, _HELD_OUT)
        )
        self._workers = workers

    @property
    def geometries(self) -> list[Geometry]:
        """How the recipes' detectors stand."""
        return [experiment.geometry for experiment in self._fresh]

    def describe(self) -> dict[str, Any]:
        """Return all that decides the patterns, JSON-able."""
        files = [experiment.files_sha256 for experiment in self._fresh]
        return {
            "n": self.n,
            "shapes": [experiment.shape for experiment in self._fresh],
            "solid_sha256": [experiment.solid_sha256 for experiment in self._fresh],
            **({"files_sha256": files} if any(files) else {}),
            "recipes": [recipe.as_dict() for recipe in self._recipes],
            "seed": self.seed,
            "fresh_seed": self._fresh[0].seed,
            "held_out_seed": self._held_out[0].seed,
            "version": __version__,
        }

    @contextmanager
    def stream(self, look_at: Callable[[View], Look]) -> Iterator[Stream]:
        """Keep workers drawing, a few blocks ahead of who takes them; all recipes share them.

        Parameters
        ----------
        look_at : callable
            What it makes of a detector is applied to that detector's frames in the worker, so that no more
            than the learner sees travels.
        """
        looks = [look_at(_view(experiment)) for experiment in self._fresh]
        work = _Drawing(self._fresh, self._held_out, looks)
        with Workers(work, self._workers, beside_torch=True) as workers:
            yield Stream(workers, min(experiment.block_size for experiment in self._fresh))


def _view(experiment: Experiment) -> View:
    detector, readout = experiment.recipe.detector, experiment.recipe.readout
    mask = file_mask(detector, readout) != 0
    return View(shape=detector.shape, mask=mask, geometry=experiment.geometry)


@dataclass(frozen=True)
class _Job:
    """Patterns `first` up to `stop`."""

    first: int
    stop: int
    is_held_out: bool


class Stream:
    """Patterns on order; see `PatternStream`."""

    def __init__(self, workers: Workers[_Job, LabelledFrames], block_size: int) -> None:
        self._workers, self._block_size = workers, block_size

    def fresh(self, first: int, n: int) -> Iterator[LabelledFrames]:
        """Yield patterns `first` to `first + n - 1` to learn from, in order."""
        return self._draw(first, first + n, is_held_out=False)

    def held_out(self, n: int) -> Iterator[LabelledFrames]:
        """Yield the first `n` patterns to validate with."""
        return self._draw(0, n, is_held_out=True)

    def _draw(self, first: int, stop: int, *, is_held_out: bool) -> Iterator[LabelledFrames]:
        size = self._block_size
        begins = range(first, stop, size)
        return self._workers(_Job(begin, min(begin + size, stop), is_held_out) for begin in begins)


@dataclass(frozen=True)
class _Drawing:
    """What a worker does: recipes and shapes take turns from pair to pair."""

    fresh: list[Experiment]
    held_out: list[Experiment]
    looks: list[Look]

    def __call__(self, job: _Job) -> LabelledFrames:
        experiments = self.held_out if job.is_held_out else self.fresh
        frames, truths = [], []
        for index in range(job.first, job.stop):
            turn = index // 2 % len(experiments)
            frame, of_shot = experiments[turn].pattern(index)
            frames.append(self.looks[turn](frame[None]))
            truths.append(of_shot)
        block = gather([b""] * len(truths), truths)
        width = block.most_particles
        names = ("label", "diameter_nm", "runner_up_fraction", "separation_nm")
        truth = {name: block.column(name, width) for name in names}
        return LabelledFrames(
            frames=np.concatenate(frames),
            labels=(truth["label"] == LABELS.index("single")).astype(np.int64),
            clear=clear_multiples(truth),
            hidden=hidden_multiples(truth),
        )
