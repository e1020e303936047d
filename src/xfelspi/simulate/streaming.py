"""Patterns drawn while a network learns from them: nothing on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import LABELS, Geometry, LabelledFrames, clear_negatives, gather

from .chance import hash64
from .readout import file_mask
from .recipe import Recipe
from .run import Experiment, Progress
from .workers import Workers

_FRESH, _HELD_OUT = 1, 2  # the seed of each is hashed: no run of xfel simulate has it by accident


class StreamedPatterns:
    """Fresh patterns of one or several shapes without end; a `PatternSource`.

    Pattern i is pattern i of `xfel simulate` with the seed in `describe`, of the shape whose turn it is:
    shapes change from pair to pair, so that each has its singles and its multiples.

    Parameters
    ----------
    recipe : Recipe
        What to draw from.
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
    >>> source.n, source.shape, source.describe()["shapes"]
    (100, (256, 256), ['icosahedron', 'sphere'])
    """

    def __init__(
        self,
        recipe: Recipe,
        shapes: Sequence[str] = (),
        *,
        n: int,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if n < 2:
            raise InputError(f"{n} patterns an epoch were asked for; ask for 2 or more with -n.")
        recipes = [replace(recipe, sample=replace(recipe.sample, shape=shape)) for shape in shapes] or [
            recipe
        ]
        # The user's seed goes in first, which refuses what is out of bounds.
        experiments = [Experiment(one, seed, progress) for one in recipes]
        self.n, self.seed = n, seed
        self._fresh, self._held_out = (
            [experiment.with_seed(hash64(seed, which) >> 1) for experiment in experiments]
            for which in (_FRESH, _HELD_OUT)
        )
        self._workers = workers

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of a frame."""
        return self._fresh[0].recipe.detector.shape

    @property
    def mask(self) -> np.ndarray:
        """(rows, columns) bool, True = bad."""
        recipe = self._fresh[0].recipe
        return file_mask(recipe.detector, recipe.readout) != 0

    @property
    def geometry(self) -> Geometry:
        """Where the detector stands."""
        return self._fresh[0].geometry

    def describe(self) -> dict[str, Any]:
        """Return all that decides the patterns, JSON-able."""
        return {
            "n": self.n,
            "shapes": [experiment.shape for experiment in self._fresh],
            "solid_sha256": [experiment.solid_sha256 for experiment in self._fresh],
            "recipe": self._fresh[0].recipe.as_dict(),
            "seed": self.seed,
            "fresh_seed": self._fresh[0].seed,
            "held_out_seed": self._held_out[0].seed,
            "version": __version__,
        }

    @contextmanager
    def stream(self, look: Callable[[np.ndarray], np.ndarray]) -> Iterator[Stream]:
        """Keep workers drawing, a few blocks ahead of who takes them.

        Parameters
        ----------
        look : callable
            Applied to (k, ny, nx) uint16 frames in the worker, so that no more than the learner sees
            travels; it can be pickled.
        """
        work = _Drawing(self._fresh, self._held_out, look)
        with Workers(work, self._workers, beside_torch=True) as workers:
            yield Stream(workers, self._fresh[0].block_size)


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
    """What a worker does: shapes take turns from pair to pair."""

    fresh: list[Experiment]
    held_out: list[Experiment]
    look: Callable[[np.ndarray], np.ndarray]

    def __call__(self, job: _Job) -> LabelledFrames:
        experiments = self.held_out if job.is_held_out else self.fresh
        drawn = [
            experiments[index // 2 % len(experiments)].pattern(index) for index in range(job.first, job.stop)
        ]
        block = gather([b""] * len(drawn), [truth for _, truth in drawn])
        width = block.most_particles
        names = ("label", "diameter_nm", "runner_up_fraction", "separation_nm")
        truth = {name: block.column(name, width) for name in names}
        return LabelledFrames(
            frames=self.look(np.stack([frame for frame, _ in drawn])),
            labels=(truth["label"] == LABELS.index("single")).astype(np.int64),
            clear=clear_negatives(truth),
        )
