"""A batch learned from in parts, side by side: no core waits for another inside a small convolution."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from .compute import cores
from .networks import Classifier

SHARD = 32
"""Frames of a batch that are normalized and learned from together, whatever the number of cores."""


class Shards:
    """Replicas of a network that share its weights, one for each part of a batch.

    Normalization sees its own part alone, and the network keeps the averages of the first.

    Parameters
    ----------
    network : Classifier
        Gets the gradients.
    n : int
        Parts.
    """

    def __init__(self, network: Classifier, n: int) -> None:
        self._replicas = [network, *(_share_weights(network) for _ in range(n - 1))]
        threads = max(1, cores() // n)
        self._pool = ThreadPoolExecutor(
            min(n, cores()), initializer=torch.set_num_threads, initargs=(threads,)
        )

    def learn(self, loss: Callable[[Classifier, int], Tensor]) -> float:
        """Add the gradients of the mean loss over all parts to the network; return that loss.

        Parameters
        ----------
        loss : callable
            Called with a replica and the number of its part, from several threads.
        """
        n = len(self._replicas)

        def work(part: int) -> float:
            value = loss(self._replicas[part], part) / n
            value.backward()
            return value.item()

        total = sum(self._pool.map(work, range(n)))
        self._gather()
        return total

    def _gather(self) -> None:
        first, *others = (list(replica.parameters()) for replica in self._replicas)
        for other in others:
            for into, weight in zip(first, other, strict=True):
                if into.grad is None:
                    into.grad = weight.grad
                elif weight.grad is not None:
                    into.grad += weight.grad
                weight.grad = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def parts_of(size: int) -> int:
    """Return into how many parts of about `SHARD` a batch is cut."""
    return max(1, round(size / SHARD))


def _share_weights(network: Classifier) -> Classifier:
    replica = copy.deepcopy(network)
    for own, shared in zip(replica.parameters(), network.parameters(), strict=True):
        own.data = shared.data
    return replica
