"""Which of the arrays of a file are the frames, and whether an array can be frames at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from xfelspi.errors import InputError

from .stack import MOST_PIXELS

_USUAL_NAMES = ("patterns", "data", "frames", "images", "photons", "intensities")


class ArrayLike(Protocol):
    """What is known of an array before it is read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    @property
    def dtype(self) -> np.dtype:
        """Type of its values."""


def only_name(path: Path, found: Mapping[str, ArrayLike], listing: str, most_dims: int = 3) -> str:
    """Choose the only (n, ny, nx), else the only one with a usual name; else the same among (ny, nx).

    With more than 3 dimensions, (n, modules, ny, nx) come first.

    Raises
    ------
    InputError
        If there are several, or none.
    """
    numeric = {
        name: item for name, item in found.items() if item.dtype.kind in "uif" and not name.endswith("mask")
    }
    for ndim in range(most_dims, 1, -1):
        candidates = {name: item for name, item in numeric.items() if len(item.shape or ()) == ndim}
        usual = [name for name in candidates if name.rpartition("/")[2] in _USUAL_NAMES]
        for choice in (list(candidates), usual):
            if len(choice) == 1:
                return choice[0]
        if candidates:
            raise InputError(
                f"{path} has several datasets that could be the patterns: {listed(candidates)}; "
                "choose one with --dataset."
            )
    raise InputError(f"{path} holds no patterns, which have 3 dimensions (n, ny, nx); it has {listing}.")


def require_stack(where: str, item: ArrayLike, others: Callable[[], str], most_dims: int = 3) -> None:
    """Refuse what cannot be frames; `others` says, when asked, what else there is.

    Raises
    ------
    InputError
        If it is not numbers, not (n, ny, nx) or (ny, nx), empty, or of frames larger than any detector. With
        more than 3 dimensions it is (n, modules, ny, nx).
    """
    if item.dtype.kind not in "uif":
        raise InputError(f"{where} holds {item.dtype}, not numbers; choose another with --dataset.")
    if not 2 <= len(item.shape or ()) <= most_dims:
        raise InputError(
            f"{where} has shape {item.shape}; patterns are (n, ny, nx) or one (ny, nx): {others()}."
        )
    if 0 in item.shape:
        raise InputError(f"{where} has shape {item.shape}: no patterns in it; simulate or choose another.")
    frame = item.shape[1:] if len(item.shape) > 2 else item.shape
    if math.prod(frame) > MOST_PIXELS:
        raise InputError(f"{where} has frames of {frame} pixels, more than any detector; it is damaged.")


def listed(found: Mapping[str, ArrayLike], limit: int = 12) -> str:
    """Say what arrays there are: `mask (128, 128) uint8, patterns (50, 128, 128) uint16`."""
    lines = [f"{name} {item.shape} {item.dtype}" for name, item in found.items()]
    more = f" and {len(lines) - limit} more" if len(lines) > limit else ""
    return ", ".join(lines[:limit]) + more if lines else "no datasets"
