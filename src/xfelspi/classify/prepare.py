"""What a network is shown instead of photon counts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .framing import MASKED

_ANSCOMBE = 3 / 8


class SquareRoot(nn.Module):
    """Square root of the counts, over that of their mean: Poisson noise even, brightness gone.

    sqrt(c + 3/8) has a nearly constant variance for Poisson counts c (Anscombe 1948, Biometrika 35, 246);
    sqrt(3/8) is taken off again, so that no photon is 0. The mean is that of the good pixels of the frame.

    Examples
    --------
    >>> SquareRoot()(torch.tensor([[[0.0, 4.0], [MASKED, 8.0]]])).round(decimals=2)
    tensor([[[[0.0000, 0.7400],
              [0.0000, 1.1400]]]])
    """

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, 1, y, x), 0 there."""
        n_good = (frames >= 0).sum((1, 2), keepdim=True).clamp_min(1)
        counts = frames.clamp_min(0)
        mean = counts.sum((1, 2), keepdim=True) / n_good
        roots = (counts + _ANSCOMBE).sqrt_() - _ANSCOMBE**0.5
        return (roots * (mean + 1e-4).rsqrt())[:, None]


class Standardize(nn.Module):
    """Each pixel minus its mean over the training set, over its standard deviation: as published.

    Parameters
    ----------
    size : int
        Pixels along an edge. `learn` fills in the mean and the deviation.
    """

    mean: Tensor
    per_deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size, size))
        self.register_buffer("per_deviation", torch.zeros(size, size))

    def learn(self, blocks: Iterable[Tensor]) -> None:
        """Take mean and deviation from blocks of (n, y, x) frames; a pixel that never changes is ignored."""
        n = torch.zeros(self.mean.shape)
        total, squares = torch.zeros(self.mean.shape), torch.zeros(self.mean.shape)
        for frames in blocks:
            counts = frames.float()
            n += (counts >= 0).sum(0)
            counts.clamp_min_(0)
            total += counts.sum(0)
            squares += counts.square_().sum(0)
        n.clamp_min_(1)
        variance = squares / n - (total / n) ** 2
        self.mean.copy_(total / n)
        self.per_deviation.copy_(torch.where(variance > 1e-6, variance.clamp_min(1e-6).rsqrt(), 0.0))

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, 1, y, x), 0 there."""
        shown = (frames - self.mean) * self.per_deviation
        return shown.masked_fill_(frames == MASKED, 0.0)[:, None]
