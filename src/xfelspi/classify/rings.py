"""Mean counts that pixels are compared with: of the whole frame, or of their ring around the beam."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FrameMean(nn.Module):
    """Mean over the good pixels of the frame.

    Attributes
    ----------
    floor : float
        Added where something is divided by the mean: a frame without photons stays 0.
    """

    floor = 1e-4

    def forward(self, counts: Tensor, good: Tensor) -> Tensor:
        """(batch, y, x) photons, 0 where not good, and bool -> (batch, 1, 1)."""
        return counts.sum((1, 2), keepdim=True) / good.sum((1, 2), keepdim=True).clamp_min(1)


class RingMean(nn.Module):
    """Mean over the good pixels of the ring that a pixel lies on, one pixel wide, around the middle.

    Attributes
    ----------
    floor : float
        In photons, added where something is divided by the mean: on rings dimmer than that, lone photons
        would otherwise outshine all others.

    Examples
    --------
    >>> rings = RingMean(4)
    >>> counts = torch.tensor([[[9.0, 2, 2, 9], [2, 1, 3, 2], [2, 1, 3, 2], [9, 2, 2, 9]]])
    >>> rings(counts, counts > 0)[0, 1]
    tensor([2., 2., 2., 2.])
    """

    floor = 0.1
    ring: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("ring", radius(size).long().flatten(), persistent=False)
        self._n = int(self.ring.max()) + 1

    def forward(self, counts: Tensor, good: Tensor) -> Tensor:
        """(batch, y, x) photons, 0 where not good, and bool -> (batch, y, x)."""
        sums = (self._sum(counts), self._sum(good.to(counts.dtype)).clamp_min(1))
        return (sums[0] / sums[1]).index_select(1, self.ring).view_as(counts)

    def _sum(self, values: Tensor) -> Tensor:
        return values.new_zeros(len(values), self._n).index_add_(1, self.ring, values.flatten(1))


class RowMean(nn.Module):
    """Mean over the good pixels of a row: the ring of a frame in polar coordinates."""

    floor = RingMean.floor

    def forward(self, counts: Tensor, good: Tensor) -> Tensor:
        """(batch, radius, angle) photons, 0 where not good, and bool -> (batch, radius, 1)."""
        return counts.sum(2, keepdim=True) / good.sum(2, keepdim=True).clamp_min(1)


def radius(size: int) -> Tensor:
    """Distance of each pixel from the middle of the frame in pixels, (size, size)."""
    from_middle = torch.arange(size) - (size - 1) / 2
    return torch.hypot(from_middle[:, None], from_middle)
