"""Simulated and measured shots, each learned from and judged by: the published table, made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.simulate import Recipe

from .looks import note_look
from .matching import match
from .matrix import Mean
from .poster_declared import VGG16, Table
from .poster_scores import learn_counts, majority, means, pooled, row
from .poster_work import Judged, Learner, PosterWork, opener, place, these
from .reference import Reference
from .simulated import TEST_SEED, changed
from .steps import digest

PROTOCOLS = {
    "sim/sim": "learned from simulated, judged by simulated",
    "exp/exp": "learned from measured, judged by measured",
    "sim/exp": "learned from simulated, judged by measured",
    "mixed/exp": "learned from both, judged by measured",
}
"""By their names, in the order of the table."""

MAJORITY, COUNTS = "majority", "total counts"
"""Classifiers that look at nothing: always the larger class, and a cut in the photons of a frame."""


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One way to learn, in one protocol.

    Attributes
    ----------
    protocol : str
        One of `PROTOCOLS`.
    network : str
        Who learned; `MAJORITY` and `COUNTS` are beside.
    n_trainings : int
        Seeds, or folds, of which each judged shots of its own; none of what looks at nothing.
    n_single, n_other : int
        Shots judged.
    scores : dict of str to Mean
        See `poster_scores.SCORES`.
    """

    protocol: str
    network: str
    n_trainings: int
    n_single: int
    n_other: int
    scores: dict[str, Mean]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        plain = {name: mean._asdict() for name, mean in self.scores.items()}
        names = ("protocol", "network", "n_trainings", "n_single", "n_other")
        return {name: getattr(self, name) for name in names} | {"scores": plain}


def table_recipe(work: PosterWork, asked: Table, judge: Reference | None) -> Recipe:
    """Return the recipe to simulate, brought to measured frames where there are some."""
    recipe = work.declared.recipe(asked.recipe)
    if judge is None or not judge.is_measured:
        return recipe
    with judge.open() as patterns:
        return changed(recipe, match(recipe, patterns, work.out / "mask", work.progress).settings)


def require_folds(asked: Table, judge: Reference) -> None:
    """Raise an `InputError` if a class has fewer shots than there are folds."""
    fewest = min(int((judge.known == value).sum()) for value in (0, 1))
    if fewest < max(asked.folds, 4):
        raise InputError(
            f"{judge.path} has {fewest} labelled shots of its rarer class; the study's table.folds is "
            f"{asked.folds}: so many are needed of each class, and 4 at the least."
        )


@dataclass(frozen=True)
class TableWork:
    """The steps of the table."""

    work: PosterWork
    asked: Table
    recipe: Recipe
    judge: Reference | None

    def simulated(self, n: int, seed: int) -> Path:
        """Return simulated patterns."""
        return self.work.simulated(self.recipe, self.asked.shape, n, seed)

    @property
    def test(self) -> Path:
        """Simulated patterns to judge by."""
        return self.simulated(self.asked.n_test, TEST_SEED)

    def trained_on_simulation(self, network: str, seed: int) -> tuple[str, dict[str, Any]]:
        """Return the folder of a network, and what is known of its training."""
        n = self.asked.vgg16_n_train if network == VGG16 else self.asked.n_train
        path = self.simulated(n, seed)
        name = f"table/sim-{network}"
        learner = Learner(network=network, patterns_seen=self.asked.patterns_seen)
        return name, self.work.learn(name, learner, seed, these(path), place(path))

    def on_simulated(self, network: str) -> list[Judged]:
        """Judge networks that learned from simulation by simulation, all seeds."""
        found = []
        for seed in range(self.work.declared.seeds):
            name, trained = self.trained_on_simulation(network, seed)
            found.append(self.work.judge(name, trained, "simulated", opener(self.test), place(self.test)))
        return found

    def on_measured(self, network: str, judge: Reference) -> list[Judged]:
        """Judge the same networks by measured shots."""
        found = []
        for seed in range(self.work.declared.seeds):
            name, trained = self.trained_on_simulation(network, seed)
            note = self.noting(judge, "sim/exp", network, trained)
            found.append(self.work.judge(name, trained, "judged", judge.open, judge.sha256, note))
        return found

    def cross_validated(self, network: str, judge: Reference, n_simulated: int) -> list[Judged]:
        """Judge each fold of the measured shots by a network that learned from the others.

        Beside these, it learned from `n_simulated` patterns.
        """
        protocol = "mixed/exp" if n_simulated else "exp/exp"
        seen = self.asked.patterns_seen if n_simulated else self.asked.fold_patterns_seen
        found = []
        for fold, (learned, left_out) in enumerate(folds(judge.known, self.asked.folds)):
            name = f"table/{protocol.partition('/')[0]}-{network}"
            key = digest([judge.sha256, learned.tolist()])[:8]

            def data(fold: int = fold, key: str = key, learned: np.ndarray = learned) -> Sequence[Path]:
                shots = self.work.subset(f"folds-{key}/learned", judge.open, learned, judge.known[learned])
                return [shots] if not n_simulated else [self.simulated(n_simulated, fold), shots]

            def left(key: str = key, left_out: np.ndarray = left_out) -> PatternSet:
                labels = judge.known[left_out]
                return PatternSet.open(
                    self.work.subset(f"folds-{key}/left-out", judge.open, left_out, labels)
                )

            decides = [key, n_simulated, place(self.test) if n_simulated else None]
            learner = Learner(network=network, patterns_seen=seen)
            trained = self.work.learn(name, learner, fold, data, decides)
            note = self.noting(judge, protocol, network, trained)
            found.append(self.work.judge(name, trained, "left-out", left, key, note))
        return found

    def noting(
        self, judge: Reference, protocol: str, network: str, trained: dict[str, Any]
    ) -> Callable[[Judged], None]:
        """Return what writes a look at measured shots down; looks at a stand-in are not counted."""

        def note(judged: Judged) -> None:
            scores = row(judged)
            note_look(
                {
                    "study": self.work.study,
                    "rung": f"{protocol}, {network}",
                    "seed": trained["seed"],
                    "model": trained["identity"],
                    "file": judge.path.name,
                    "frames_sha256": judge.frames_sha256,
                    "auc": scores["auc"],
                    "balanced_accuracy": scores["balanced_accuracy"],
                }
            )

        return note if judge.is_measured else lambda _: None


def folds(labels: np.ndarray, n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield indices to learn from and to be judged by, n times; each labelled shot is judged once.

    Classes have the same share in every fold; shots with an unknown label are in none.
    """
    from sklearn.model_selection import StratifiedKFold

    known = np.flatnonzero(labels >= 0)
    for learned, left_out in StratifiedKFold(n, shuffle=True, random_state=0).split(known, labels[known]):
        yield known[learned], known[left_out]


def table_study(table: TableWork) -> list[TableRow]:
    """Train and judge; rows that need measured shots are left out where there are none."""
    return list(_rows(table))


def _rows(table: TableWork) -> Iterator[TableRow]:
    networks = table.work.networks(table.asked.networks)
    simulated = Reference(path=table.test, kind="simulated")
    learned = Reference(path=table.simulated(table.asked.n_train, 0), kind="simulated")
    counts = learn_counts(learned.counts, learned.known)
    for network in networks:
        yield _row("sim/sim", network, table.on_simulated(network))
    yield _row("sim/sim", MAJORITY, [majority(simulated.known)], 0)
    yield _row("sim/sim", COUNTS, [counts.judge(simulated.counts, simulated.known)], 0)
    judge = table.judge
    if judge is None:
        return
    known = judge.known >= 0
    labels, photons = judge.known[known], judge.counts[known]
    for protocol, n_simulated in (("exp/exp", 0), ("sim/exp", None), ("mixed/exp", table.asked.n_mixed)):
        for network in networks:
            if n_simulated is None:
                yield _row(protocol, network, table.on_measured(network, judge))
            else:
                parts = table.cross_validated(network, judge, n_simulated)
                yield _row(protocol, network, [pooled(parts)], len(parts))
        yield _row(protocol, MAJORITY, [majority(labels)], 0)
        if n_simulated is None:
            yield _row(protocol, COUNTS, [counts.judge(photons, labels)], 0)
        elif not n_simulated:
            yield _row(protocol, COUNTS, [_counts_cross_validated(judge, table.asked.folds)], 0)


def _counts_cross_validated(judge: Reference, n: int) -> Judged:
    return pooled(
        [
            learn_counts(judge.counts[learned], judge.known[learned]).judge(
                judge.counts[left_out], judge.known[left_out]
            )
            for learned, left_out in folds(judge.known, n)
        ]
    )


def _row(protocol: str, network: str, judged: Sequence[Judged], n_trainings: int | None = None) -> TableRow:
    labels = judged[0].labels
    return TableRow(
        protocol=protocol,
        network=network,
        n_trainings=len(judged) if n_trainings is None else n_trainings,
        n_single=int((labels == 1).sum()),
        n_other=int((labels == 0).sum()),
        scores=means(judged),
    )
