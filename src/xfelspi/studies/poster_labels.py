"""What labels are worth: accuracy against the number of shots that somebody looked at, way by way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.classify import (
    Extractor,
    diffusion_map,
    fit_logistic,
    frame_to_learn,
    label_with_budget,
    pattern_vectors,
    vgg16_features,
)
from xfelspi.classify.vectors import FEATURES
from xfelspi.patterns import PatternSet
from xfelspi.simulate import Recipe, StreamedPatterns
from xfelspi.simulate.scene import RANDOM

from .matrix import Mean
from .poster_declared import VGG16, Labels
from .poster_scores import majority, means
from .poster_work import Judged, Learner, PosterWork, place
from .simulated import TEST_SEED
from .steps import step
from .transfer import packed, unpacked

DIFFUSION = {"invariant": "diffusion map of rotation-invariant features", "pixels": "diffusion map of pixels"}
"""Names of the ways that look at clusters of a map, by its features."""

NO_LABELS, LARGER = "no labels: learned from simulation alone", "always the larger class"
"""Names of the ways that need none."""


@dataclass(frozen=True, kw_only=True)
class LabelPoint:
    """A way to sort, and a number of labels, all seeds.

    Attributes
    ----------
    recipe, way : str
        Of the shots; how they were sorted.
    n_labels : int
        Asked for; a map spends up to that many.
    scores : dict of str to Mean
        On the shots that nobody looked at.
    """

    recipe: str
    way: str
    n_labels: int
    scores: dict[str, Mean]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        plain = {name: mean._asdict() for name, mean in self.scores.items()}
        return {"recipe": self.recipe, "way": self.way, "n_labels": self.n_labels, "scores": plain}


def labels_study(work: PosterWork, asked: Labels) -> list[LabelPoint]:
    """Spend every budget in every way, on every recipe; beside them what needs no label."""
    found = []
    for name in asked.recipes:
        found += _Pool(work, asked, name, work.declared.recipe(name)).points()
    return found


@dataclass(frozen=True)
class _Pool:
    """Shots of one recipe: some that may be looked at, then some that are only sorted."""

    work: PosterWork
    asked: Labels
    name: str
    recipe: Recipe

    def points(self) -> list[LabelPoint]:
        ways: dict[str, Callable[[int, int], Judged]] = {
            DIFFUSION[features]: self._by_map(features) for features in FEATURES
        }
        if self.work.weights is not None:
            ways["VGG16 + logistic regression"] = self._by_vgg16()
        ways["ResNet on these labels"] = self._by_network
        seeds = range(self.work.declared.seeds)
        found = []
        for way, judge in ways.items():
            for budget in self.asked.budgets:
                scores = means([judge(budget, seed) for seed in seeds])
                found.append(LabelPoint(recipe=self.name, way=way, n_labels=budget, scores=scores))
            self.work.tell(f"labels, {self.name}: {way}, accuracy {scores['accuracy'].value:.3f} at the most")
        for way, all_judged in (
            (NO_LABELS, [self._by_simulation(seed) for seed in seeds]),
            (LARGER, [majority(self.truth)]),
        ):
            found.append(LabelPoint(recipe=self.name, way=way, n_labels=0, scores=means(all_judged)))
        return found

    @property
    def file(self) -> Path:
        """All shots: first the pool, then those only sorted."""
        n = self.asked.n_pool + self.asked.n_test
        return self.work.simulated(self.recipe, self.asked.shape, n, TEST_SEED)

    @property
    def all_labels(self) -> np.ndarray:
        with PatternSet.open(self.file) as patterns:
            assert patterns.labels is not None  # they are in the truth
            return patterns.labels

    @property
    def truth(self) -> np.ndarray:
        """Labels of the shots that nobody looks at."""
        return self.all_labels[self.asked.n_pool :]

    def drawn(self, budget: int, seed: int) -> np.ndarray:
        """Return which shots of the pool are looked at: random ones, and 4 of each class or more."""
        pool = self.all_labels[: self.asked.n_pool]
        order = np.random.default_rng(seed).permutation(pool.size)
        sure = np.concatenate([order[pool[order] == value][:4] for value in (0, 1)])
        rest = order[~np.isin(order, sure)]
        return np.sort(np.concatenate([sure, rest])[:budget])

    def kept(self, way: str, budget: int, seed: int, above: Callable[[], np.ndarray]) -> Judged:
        """Return what a way says about the shots that nobody looked at, found once."""
        path = self.work.out / "labels" / f"{self.name}-{way}-{budget}-seed{seed}.json"
        decides = [place(self.file), self.asked.n_pool]
        if way == VGG16 and self.work.weights is not None:
            decides.append(self.work.weights.sha256)
        result = step(path, {"shots": decides}, lambda: {"above": packed(above())})
        return Judged(above=unpacked(result["above"]), labels=self.truth)

    def _by_map(self, features: str) -> Callable[[int, int], Judged]:
        made: list[np.ndarray] = []

        def coordinates() -> np.ndarray:
            if not made:
                with PatternSet.open(self.file) as patterns:
                    vectors = pattern_vectors(patterns, features, self.work.progress)
                made.append(diffusion_map(vectors, progress=self.work.progress).coordinates)
            return made[0]

        def judge(budget: int, seed: int) -> Judged:
            def above() -> np.ndarray:
                seen = self.all_labels.copy()
                seen[self.asked.n_pool :] = -1  # not to be looked at
                found = label_with_budget(coordinates(), seen, budget, np.random.default_rng(seed))
                # A cluster that nobody could be asked about is not kept.
                return np.where(found.labels[self.asked.n_pool :] == 1, 1.0, -1.0)

            return self.kept(f"map-{features}", budget, seed, above)

        return judge

    def _by_vgg16(self) -> Callable[[int, int], Judged]:
        made: list[np.ndarray] = []

        def features() -> np.ndarray:
            assert self.work.weights is not None
            if not made:
                with PatternSet.open(self.file) as patterns:
                    frame = frame_to_learn(128, [patterns.geometry])
                    extractor = Extractor(self.work.weights)
                    made.append(vgg16_features(extractor, patterns, self.work.progress, frame=frame))
            return made[0]

        def judge(budget: int, seed: int) -> Judged:
            def above() -> np.ndarray:
                chosen = self.drawn(budget, seed)
                fitted = fit_logistic(features()[chosen], self.all_labels[chosen], seed=seed)
                return fitted.logits(features()[self.asked.n_pool :])

            return self.kept(VGG16, budget, seed, above)

        return judge

    def _by_network(self, budget: int, seed: int) -> Judged:
        name = f"labels/{self.name}-{self.asked.network}-{budget}"
        chosen = self.drawn(budget, seed)

        def data() -> list[Path]:
            labels = self.all_labels[chosen]
            subset = f"looked-at-{self.name}-{budget}-{seed}"
            return [self.work.subset(subset, lambda: PatternSet.open(self.file), chosen, labels)]

        learner = Learner(network=self.asked.network, patterns_seen=self.asked.patterns_seen)
        decides = [place(self.file), self.asked.n_pool]
        trained = self.work.learn(name, learner, seed, data, decides)
        return self._only_sorted(self.work.judge(name, trained, "all", self._open, decides))

    def _by_simulation(self, seed: int) -> Judged:
        """Judge by a network that learned from the random family, which the sample is not one of."""
        name = f"labels/{self.name}-no-labels"
        n, epochs = self.asked.zero_n_train, self.asked.zero_epochs

        def data() -> StreamedPatterns:
            return StreamedPatterns(self.recipe, [RANDOM], n=n, seed=seed, progress=self.work.progress)

        learner = Learner(network=self.asked.network)
        # Any file of the recipe tells which it is.
        trained = self.work.learn(name, learner, seed, data, [place(self.file), n], epochs=epochs)
        return self._only_sorted(self.work.judge(name, trained, "all", self._open, place(self.file)))

    def _open(self) -> PatternSet:
        return PatternSet.open(self.file)

    def _only_sorted(self, judged: Judged) -> Judged:
        begin = self.asked.n_pool
        return Judged(above=judged.above[begin:], labels=judged.labels[begin:])
