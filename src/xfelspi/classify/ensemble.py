"""Several models, trained with different seeds, asked together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class Ensemble:
    """Mean logit of several networks.

    Parameters
    ----------
    members : sequence of callable
        (k, size, size) frames -> (k,) logits, each.
    """

    def __init__(self, members: Sequence[Callable[[Tensor], Tensor]]) -> None:
        self._members = members

    def __call__(self, frames: Tensor) -> Tensor:
        """(k, size, size) photons, `MASKED` where unknown -> (k,)."""
        return torch.stack([member(frames) for member in self._members]).mean(0)
