"""Where the batches come from: files in memory, or patterns drawn as they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from xfelspi.errors import InputError
from xfelspi.patterns import LabelledFrames, PatternStream

from .chance import chance
from .data import Examples, Progress, split

_STANDARDIZED = 4096  # fresh patterns that give each pixel its mean and deviation


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """Labelled frames to validate with, never learned from.

    Attributes
    ----------
    frames : (k, size, size) float16
        Photons, `MASKED` where there is no measurement.
    labels : (k,) int64
        1 single, 0 not.
    clear : (k,) bool
        Clear multiples; all that is not single where the truth is not known.
    hidden : (k,) bool
        Multiples that are not clear.
    """

    frames: Tensor
    labels: Tensor
    clear: np.ndarray
    hidden: np.ndarray


class Supply(Protocol):
    """What a training asks of its patterns.

    Attributes
    ----------
    n : int
        Patterns to learn from in an epoch.
    held : HeldOut
        Patterns to validate with, never learned from.
    n_class : (2,) int64
        Of each class, others and singles, in a fair sample of what is learned from.
    """

    @property
    def n(self) -> int: ...  # noqa: D102

    @property
    def held(self) -> HeldOut: ...  # noqa: D102

    @property
    def n_class(self) -> Tensor: ...  # noqa: D102

    def batches(self, epoch: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield frames and labels of `n_batches` batches, all of one size."""
        ...

    def sample(self) -> Iterator[Tensor]:
        """Yield frames, some at a time, for each pixel's mean and deviation."""
        ...


def n_batches(n: int, size: int) -> int:
    """Whole batches among n patterns; where there is none, the few there are make one.

    Examples
    --------
    >>> n_batches(200, 64), n_batches(20, 64)
    (3, 1)
    """
    return max(1, n // size)


class FromExamples:
    """Examples in memory: every epoch all but those held out, in an order of its own."""

    def __init__(self, examples: Examples, fraction: float, seed: int) -> None:
        self._examples, self._seed = examples, seed
        self._learned, held = split(examples.pairs, fraction, seed)
        self.n = self._learned.size
        self.held = HeldOut(
            frames=examples.frames[held],
            labels=examples.labels[held],
            clear=examples.clear[held],
            hidden=examples.hidden[held],
        )
        labels = examples.labels[self._learned]
        for some, what in ((labels, "learn from"), (self.held.labels, "validate with")):
            if len(torch.unique(some)) < 2:
                raise InputError(
                    f"{len(examples.labels)} patterns are too few: the {len(some)} to {what} lack single "
                    "hits or lack others; add patterns."
                )
        self.n_class = torch.bincount(labels, minlength=2)

    def batches(self, epoch: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches in an order that seed and epoch decide."""
        order = torch.randperm(self.n, generator=chance(self._seed, epoch))
        for batch in torch.from_numpy(self._learned)[order].split(size)[: n_batches(self.n, size)]:
            yield self._examples.frames[batch], self._examples.labels[batch]

    def sample(self) -> Iterator[Tensor]:
        """Yield all frames to learn from."""
        for block in torch.from_numpy(self._learned).split(1024):
            yield self._examples.frames[block]


class FromStream:
    """Fresh patterns: epoch e learns from e·n to (e + 1)·n - 1 and sees none of them again.

    They are taken in the order drawn, in which shapes and classes take turns already.
    """

    def __init__(
        self, stream: PatternStream, n: int, fraction: float, progress: Progress | None = None
    ) -> None:
        self._stream, self.n = stream, n
        n_held = 2 * max(1, round(fraction * n / 2))
        blocks = []
        for block in stream.held_out(n_held):
            blocks.append(block)
            if progress is not None:
                progress("drawing patterns to validate with", sum(len(b.labels) for b in blocks) / n_held)
        self.held = HeldOut(
            frames=torch.from_numpy(np.concatenate([block.frames for block in blocks])),
            labels=torch.from_numpy(np.concatenate([block.labels for block in blocks])),
            clear=np.concatenate([block.clear for block in blocks]),
            hidden=np.concatenate([block.hidden for block in blocks]),
        )
        self.n_class = torch.bincount(self.held.labels, minlength=2)
        if not self.n_class.all():
            raise InputError(
                f"The {n_held} patterns drawn to validate with lack single hits or lack others; draw more "
                "an epoch, or let the recipe draw both."
            )

    def batches(self, epoch: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches as they come."""
        size = min(size, self.n)
        return _rebatch(self._stream.fresh(epoch * self.n, n_batches(self.n, size) * size), size)

    def once(self) -> Iterator[LabelledFrames]:
        """Yield the patterns of the first epoch as they come; patterns 2k and 2k + 1 are a pair."""
        return self._stream.fresh(0, self.n)

    def sample(self) -> Iterator[Tensor]:
        """Yield the first frames to learn from."""
        for block in self._stream.fresh(0, min(self.n, _STANDARDIZED)):
            yield torch.from_numpy(block.frames)


def _rebatch(blocks: Iterable[LabelledFrames], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut blocks of any length into batches of one."""
    frames: list[Tensor] = []
    labels: list[Tensor] = []
    for block in blocks:
        frames.append(torch.from_numpy(block.frames))
        labels.append(torch.from_numpy(block.labels))
        waiting = sum(map(len, labels))
        if waiting >= size:
            cuts = tuple(range(size, waiting + 1, size))
            *whole_frames, rest_frames = torch.cat(frames).tensor_split(cuts)
            *whole_labels, rest_labels = torch.cat(labels).tensor_split(cuts)
            yield from zip(whole_frames, whole_labels, strict=True)
            frames, labels = [rest_frames], [rest_labels]
