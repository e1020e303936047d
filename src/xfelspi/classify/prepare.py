"""What a network is shown instead of photon counts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .framing import MASKED
from .rings import FrameMean, RingMean, RowMean

_ANSCOMBE = 3 / 8


class Scaled(nn.Module):
    """Counts over their mean: brightness gone.

    Parameters
    ----------
    mean : FrameMean, RingMean or RowMean
        Which pixels the mean is taken over.
    """

    def __init__(self, mean: FrameMean | RingMean | RowMean | None = None) -> None:
        super().__init__()
        self.mean = mean or FrameMean()

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, 1, y, x), 0 there."""
        counts = frames.clamp_min(0)
        return self.scale(counts, self.mean(counts, frames >= 0) + self.mean.floor)[:, None]

    def scale(self, counts: Tensor, mean: Tensor) -> Tensor:
        """Return what is shown of counts, from what they are compared with; no photons are 0."""
        return counts / mean


class SquareRoot(Scaled):
    """Square root of the counts, over that of their mean: Poisson noise even, brightness gone.

    sqrt(c + 3/8) has a nearly constant variance for Poisson counts c (Anscombe 1948, Biometrika 35, 246);
    sqrt(3/8) is taken off again, so that no photon is 0. The mean is that of the good pixels of the frame.

    Examples
    --------
    >>> SquareRoot()(torch.tensor([[[0.0, 4.0], [MASKED, 8.0]]])).round(decimals=2)
    tensor([[[[0.0000, 0.7400],
              [0.0000, 1.1400]]]])
    """

    def scale(self, counts: Tensor, mean: Tensor) -> Tensor:  # noqa: D102
        return ((counts + _ANSCOMBE).sqrt_() - _ANSCOMBE**0.5) * mean.rsqrt()


class Logarithm(Scaled):
    """Logarithm of 1 and the counts over their mean: ratios count alike where there is light."""

    def scale(self, counts: Tensor, mean: Tensor) -> Tensor:  # noqa: D102
        return (counts / mean).log1p_()


SCALINGS = {"sqrt": SquareRoot, "log": Logarithm, "raw": Scaled}
"""By the name of the transform."""


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
