"""How deep, and how many patterns? Training and test accuracy against blocks and size of the training set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xfelspi.classify.data import split

from .matrix import Mean
from .poster_declared import Depth
from .poster_scores import means
from .poster_work import HELD_FRACTION, Judged, Learner, PosterWork, opener, place, these
from .simulated import TEST_SEED


@dataclass(frozen=True, kw_only=True)
class DepthPoint:
    """A depth and a number of patterns, all seeds.

    Attributes
    ----------
    blocks : (n, m)
        Of the network.
    n_train : int
        Patterns in the training set, a fifth of which chooses epoch and threshold.
    epochs : int
        Rounds over it.
    training, test : Mean
        Accuracy on the patterns learned from, and on patterns of another seed, the same for all.
    """

    blocks: tuple[int, int]
    n_train: int
    epochs: int
    training: Mean
    test: Mean

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return {
            "blocks": list(self.blocks),
            "n_train": self.n_train,
            "epochs": self.epochs,
            "training": self.training._asdict(),
            "test": self.test._asdict(),
        }


def depth_study(work: PosterWork, asked: Depth) -> list[DepthPoint]:
    """Train networks of every depth on sets of every size."""
    recipe, seeds = work.declared.recipe(asked.recipe), range(work.declared.seeds)
    found: dict[tuple[tuple[int, int], int], list[tuple[Judged, Judged]]] = {}
    for seed in seeds:  # one seed of all before the second of any
        for n in asked.n_train:
            for blocks in asked.blocks:
                learner = Learner(network=asked.network, blocks=blocks, patterns_seen=asked.patterns_seen)
                name = f"depth/{asked.network}-{blocks[0]}-{blocks[1]}-{n}"
                path = work.simulated(recipe, asked.shape, n, seed)
                trained = work.learn(name, learner, seed, these(path), place(path))
                test = work.simulated(recipe, asked.shape, asked.n_test, TEST_SEED)
                on_test = work.judge(name, trained, "test", opener(test), place(test))
                on_own = work.judge(name, trained, "training", opener(path), place(path))
                learned, _ = split(np.arange(n) // 2, HELD_FRACTION, trained["split_seed"])
                own = Judged(above=on_own.above[learned], labels=on_own.labels[learned])
                found.setdefault((blocks, n), []).append((own, on_test))
    return [
        DepthPoint(
            blocks=blocks,
            n_train=n,
            epochs=Learner(network=asked.network, patterns_seen=asked.patterns_seen).epochs(n),
            training=means([own for own, _ in pairs])["accuracy"],
            test=means([test for _, test in pairs])["accuracy"],
        )
        for (blocks, n), pairs in found.items()
    ]
