"""The work of a poster study: simulate, train, judge, each a step that is done once."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.classify import (
    Model,
    Predictor,
    TrainConfig,
    TransferConfig,
    Vgg16Weights,
    load_model,
    load_vgg16,
    train,
    train_transfer,
)
from xfelspi.classify.data import split
from xfelspi.classify.model import weights_path
from xfelspi.classify.vgg_weights import VARIABLE, fetched
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, PatternSource, find_pattern_files, write_subset
from xfelspi.simulate import Recipe

from .poster_declared import VGG16, Poster
from .simulated import Progress, contents, of_shape, simulated_file
from .steps import digest, step
from .transfer import packed, unpacked

HELD_FRACTION = 0.2
"""Of the patterns of a training: for thresholds, and to choose the best epoch."""

MOST_EPOCHS = 200
"""Of a network that has few patterns to learn from."""

_TRIES = 1_000  # seeds among which one parts few patterns so that both sides have both classes

Open = Callable[[], PatternSet]


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A way to learn.

    Attributes
    ----------
    network : str
        "vgg16", or one of `Architecture`.
    blocks : (n, m)
        Of the latter.
    patterns_seen : int
        In all epochs, to the nearest epoch; VGG16 sees each pattern once.
    """

    network: str
    blocks: tuple[int, int] = (2, 2)
    patterns_seen: int = 0

    def epochs(self, n: int) -> int:
        """Return the number of rounds over n patterns, of which `HELD_FRACTION` are not learned from."""
        return min(max(round(self.patterns_seen / (n * (1 - HELD_FRACTION))), 1), MOST_EPOCHS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A classifier on labelled patterns.

    Attributes
    ----------
    above : (n,) float32
        Logits of being single, above the classifier's own threshold: positive is kept.
    labels : (n,) int8
        1 single, 0 not; patterns with another label are not among them.
    """

    above: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class PosterWork:
    """The steps of a study in its folder."""

    out: Path
    study: str
    declared: Poster
    weights: Vgg16Weights | None
    command: str
    progress: Progress
    tell: Callable[[str], None]
    _ready: dict[Path, tuple[Model, Predictor]] = field(default_factory=dict)

    def networks(self, some: Sequence[str]) -> list[str]:
        """Return these networks, and VGG16 where there are weights."""
        return [*some, *([VGG16] if self.weights is not None else [])]

    def simulated(self, recipe: Recipe, shape: str, n: int, seed: int) -> Path:
        """Return a simulated file, made if it is not there yet."""
        bare, chosen = dataclasses.asdict(of_shape(recipe, "")), of_shape(recipe, shape)
        folder = self.out / "patterns" / f"{digest([bare, __version__, *contents(chosen)])[:8]}-{n}-{seed}"
        return simulated_file(folder, chosen, n, seed, self.command, self.progress)

    def subset(self, name: str, source: Open, indices: np.ndarray, labels: np.ndarray) -> Path:
        """Return a file of some labelled patterns, single hits and others in turns as far as they go."""
        order = in_turns(labels)
        with source() as patterns:
            return write_subset(
                self.out / "patterns" / f"{name}.h5", patterns, indices[order].tolist(), labels[order]
            )

    def learn(
        self,
        name: str,
        learner: Learner,
        seed: int,
        data: Callable[[], Sequence[Path] | PatternSource],
        decides: Any,
        *,
        epochs: int | None = None,
    ) -> dict[str, Any]:
        """Train a classifier, once.

        Parameters
        ----------
        name : str
            Of its folder, under which every seed has its model.
        learner : Learner
            How.
        seed : int
            Of weights, order and split.
        data : callable
            Makes what is learned from, when it is needed.
        decides : JSON-able
            What tells these data from others.
        epochs : int, optional
            In place of the learner's number.
        """
        everything = {
            "learner": asdict(learner),
            "seed": seed,
            "data": decides,
            "epochs": epochs,
            "vgg16": self.weights.sha256 if learner.network == VGG16 and self.weights else None,
            "version": __version__,
        }
        identity = digest(everything)[:12]
        return step(
            self.out / name / f"seed{seed}-trained.json",
            everything,
            lambda: self._learn(name, learner, seed, data(), identity, epochs),
        )

    def judge(
        self,
        name: str,
        trained: dict[str, Any],
        on: str,
        open_set: Open,
        decides: Any,
        note: Callable[[Judged], None] = lambda _: None,
    ) -> Judged:
        """Score a classifier on the labelled patterns of a set, once.

        Parameters
        ----------
        name : str
            Of the classifier's folder.
        trained : dict
            What `learn` returned.
        on : str
            What to call the set.
        open_set : callable
            Opens it.
        decides : JSON-able
            What tells it from others.
        note : callable, optional
            Told what came out, before it is kept.
        """

        def compute() -> dict[str, Any]:
            model, predictor = self.model(name, trained)
            with open_set() as patterns:
                assert patterns.labels is not None  # simulated, or asked for them
                labels = patterns.labels
                above = predictor(patterns, self.progress).logits - np.float32(model.thresholds.balanced)
            judged = Judged(above=above[labels >= 0], labels=labels[labels >= 0])
            note(judged)
            return {"above": packed(judged.above), "labels": judged.labels.tolist()}

        found = step(
            self.out / name / f"seed{trained['seed']}-{on}.json",
            {"model": trained["identity"], "set": decides},
            compute,
        )
        return Judged(above=unpacked(found["above"]), labels=np.array(found["labels"], np.int8))

    def model(self, name: str, trained: dict[str, Any]) -> tuple[Model, Predictor]:
        """Return a trained classifier, ready to work."""
        path = self.out / name / trained["model"]
        if path not in self._ready:
            self._ready.clear()  # one after the other: VGG16 is large
            model = load_model(path)
            self._ready[path] = model, Predictor(model)
        return self._ready[path]

    def _learn(
        self,
        name: str,
        learner: Learner,
        seed: int,
        data: Sequence[Path] | PatternSource,
        identity: str,
        epochs: int | None,
    ) -> dict[str, Any]:
        start = time.perf_counter()
        is_stream = isinstance(data, PatternSource)
        n = data.n if isinstance(data, PatternSource) else sum(_n(path) for path in data)
        fraction = 0.1 if is_stream else HELD_FRACTION
        chosen = seed if isinstance(data, PatternSource) else _parting_seed(data, fraction, seed)
        common: dict[str, Any] = {
            "out": self.out / name,
            "name": f"seed{seed}-{identity}",
            "command": self.command,
            "progress": self.progress,
        }
        if learner.network == VGG16:
            assert self.weights is not None  # `networks` names it only then
            how = TransferConfig(seed=chosen, validation_fraction=fraction)
            path = train_transfer(data, self.weights, how, **common)
        else:
            config = TrainConfig(
                network=learner.network,
                blocks=learner.blocks,
                epochs=epochs or learner.epochs(n),
                seed=chosen,
                validation_fraction=fraction,
            )
            path = train(data, config, **common)
        seconds = time.perf_counter() - start
        self.tell(f"{name}, seed {seed}: trained, {seconds:.0f} s")
        return {
            "identity": identity,
            "model": weights_path(path).name,
            "seed": seed,
            "n": n,
            "split_seed": chosen,
            "seconds": round(seconds, 1),
        }


def weights_at_hand(path: Path | None, progress: Progress) -> Vgg16Weights | None:
    """Return VGG16's weights where they are given, named or fetched before; None where nothing is said.

    Raises
    ------
    InputError
        If what is given is not VGG16's.
    """
    if path is None and not os.environ.get(VARIABLE) and not fetched().exists():
        return None
    return load_vgg16(path, progress=progress)


def opener(path: Path) -> Open:
    """Return what opens one of our own files."""
    return lambda: PatternSet.open(path)


def these(*paths: Path) -> Callable[[], Sequence[Path]]:
    """Return what gives files that are there already."""
    return lambda: paths


def place(path: Path) -> str:
    """Return what tells a file of the study from its others, wherever the study lies."""
    return "/".join(path.parts[-2:])


def in_turns(labels: np.ndarray) -> np.ndarray:
    """Return an order in which single hits and others take turns, until one of them is used up.

    Consecutive patterns are kept together when some are held out: so few of them hold both classes.

    Examples
    --------
    >>> in_turns(np.array([0, 0, 0, 1, 1])).tolist()
    [3, 0, 4, 1, 2]
    """
    rank = np.empty(labels.size, int)
    for value in (0, 1):
        of_class = labels == value
        rank[of_class] = np.arange(of_class.sum())
    return np.lexsort((-labels, rank))


def _n(path: Path) -> int:
    with PatternSet.open(path) as patterns:
        return patterns.n


def _parting_seed(files: Sequence[Path], fraction: float, seed: int) -> int:
    """Return the first of some seeds whose split leaves both classes on both sides.

    Raises
    ------
    InputError
        If none of many does.
    """
    labels, pairs, begin = [], [], 0
    for path in find_pattern_files(files):  # in the order in which a training takes them
        with PatternSet.open(path) as patterns:
            assert patterns.labels is not None  # simulated, or a subset that was given them
            labels.append(patterns.labels)
            pairs.append(begin + np.arange(patterns.n) // 2)
            begin += patterns.n
    known, together = np.concatenate(labels), np.concatenate(pairs)
    for other in range(_TRIES):
        chosen = seed + 1_000 * other
        if all(np.unique(known[side]).size == 2 for side in split(together, fraction, chosen)):
            return chosen
    raise InputError(
        f"Of {known.size} patterns to learn from, {int((known == 1).sum())} are single hits; a study needs a "
        "few more of each class."
    )
