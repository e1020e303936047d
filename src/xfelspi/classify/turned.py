"""A frame turned and mirrored is a frame of the same particles: eight opinions, averaged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class Turned:
    """Mean logit over the eight symmetries of the square, and the features of the frame as it lies.

    Parameters
    ----------
    see : callable
        (k, size, size) frames -> (k,) logits and (k, c) features.
    """

    def __init__(self, see: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
        self._see = see

    def __call__(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(k, size, size) photons, `MASKED` where unknown -> (k,) and (k, c)."""
        logits, features = zip(*(self._see(view) for view in symmetries(frames)), strict=True)
        return torch.stack(logits).mean(0), features[0]


def symmetries(frames: Tensor) -> list[Tensor]:
    """Return the frames as they are, and in the seven other ways to lay a square on itself."""
    quarters = [torch.rot90(frames, turn, (1, 2)) for turn in range(4)]
    return [view for quarter in quarters for view in (quarter, quarter.flip(2))]
