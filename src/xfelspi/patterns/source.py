"""Patterns without a file: the seam between who draws them and who learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .geometry import Geometry

Look = Callable[[np.ndarray], np.ndarray]
"""What a learner makes of (k, ny, nx) uint16 frames where they are drawn; it can be pickled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What has to be known of a detector to look at its frames.

    Attributes
    ----------
    shape : (ny, nx)
        Of a frame.
    mask : (ny, nx) bool
        True = bad.
    geometry : Geometry
        Where the detector stands.
    """

    shape: tuple[int, int]
    mask: np.ndarray
    geometry: Geometry


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledFrames:
    """Consecutive patterns of a stream.

    Attributes
    ----------
    frames : (k, ...)
        What the learner's `look` made of the detector's frames.
    labels : (k,) int64
        1 single, 0 not.
    clear : (k,) bool
        Clear multiples, see `clear_multiples`.
    hidden : (k,) bool
        Multiples that are not.
    """

    frames: np.ndarray
    labels: np.ndarray
    clear: np.ndarray
    hidden: np.ndarray


class PatternStream(Protocol):
    """A source at work; pattern i is the same whenever it is asked for."""

    def fresh(self, first: int, n: int) -> Iterator[LabelledFrames]:
        """Yield patterns `first` to `first + n - 1` to learn from, in order, some at a time."""
        ...

    def held_out(self, n: int) -> Iterator[LabelledFrames]:
        """Yield the first `n` patterns of another seed, which `fresh` never yields."""
        ...


@runtime_checkable
class PatternSource(Protocol):
    """Labelled patterns without end, from one detector or from several.

    Attributes
    ----------
    n : int
        Patterns in what counts as an epoch.
    """

    @property
    def n(self) -> int: ...  # noqa: D102

    @property
    def geometries(self) -> Sequence[Geometry]:
        """How its detectors stand."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return all that decides the patterns, JSON-able; `shapes` names those of the particles."""
        ...

    def stream(self, look_at: Callable[[View], Look]) -> AbstractContextManager[PatternStream]:
        """Start drawing.

        Parameters
        ----------
        look_at : callable
            Asked once for each detector: what it returns is applied to the frames where they are drawn,
            which may be another process. All looks give frames of one size.
        """
        ...
