"""Several models, trained with different seeds, asked together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class Ensemble:
    """Mean logit of several networks, and the features that the first one sees.

    Parameters
    ----------
    members : sequence of callable
        (k, size, size) frames -> (k,) logits and (k, c) features, each.
    """

    def __init__(self, members: Sequence[Callable[[Tensor], tuple[Tensor, Tensor]]]) -> None:
        self._members = members

    def __call__(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(k, size, size) photons, `MASKED` where unknown -> (k,) and (k, c)."""
        logits, features = zip(*(member(frames) for member in self._members), strict=True)
        return torch.stack(logits).mean(0), features[0]
