"""ResNet(n, m): the network that was published for this task, whole, on one page."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution and batch normalization, which takes the place of its bias."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Thinned(nn.Conv2d):
    """1 x 1 convolution of every `step`-th place, which is one with that stride.

    Done in two steps, for the backward pass of a strided one from 8 channels writes beyond its memory where
    vectors have 512 bits (torch 2.13 with oneDNN 3.12). A pooling over one place each picks them: gradients
    of slices have their channels first, which makes slow whatever they are added to.
    """

    def __init__(self, inputs: int, outputs: int, step: int) -> None:
        super().__init__(inputs, outputs, 1, bias=False)
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, y, x) -> (batch, outputs, y / step, x / step)."""
        return super().forward(functional.avg_pool2d(x, 1, self.step))


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a way around them (He et al. 2016, CVPR, p. 770)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3)
        same = stride == 1 and inputs == outputs
        self.around: nn.Module = nn.Identity()
        if not same:
            self.around = nn.Sequential(Thinned(inputs, outputs, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, y, x) -> (batch, outputs, y / stride, x / stride)."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.around(x))


def stage(n_blocks: int, inputs: int, outputs: int) -> nn.Sequential:
    """Blocks in a row; the first halves the size."""
    rest = [Block(outputs, outputs, 1) for _ in range(n_blocks - 1)]
    return nn.Sequential(Block(inputs, outputs, 2), *rest)


class Dropout(nn.Module):
    """Leaves out a share of its inputs in training.

    Chance comes from `generator`, which every thread that learns sets for itself: torch's own is one for
    all, so that who draws first would decide.
    """

    generator: torch.Generator | None = None

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return what stays, enlarged so that the mean is kept."""
        if not self.training or self.share == 0:
            return x
        stays = torch.rand(x.shape, generator=self.generator) >= self.share
        return x * stays.to(x.device) / (1 - self.share)


class Pool(nn.Module):
    """The average of each channel over the image, and its highest value beside it if asked for."""

    def __init__(self, highest: bool) -> None:
        super().__init__()
        self.highest = highest

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, y, x) -> (batch, channels), or (batch, 2 channels)."""
        mean = x.mean((2, 3))
        return torch.cat([mean, x.amax((2, 3))], dim=1) if self.highest else mean


class Trunk(nn.Module):
    """Stem to 16 channels, n blocks of 32, m blocks of 64, each stage at half the size; then the pooling.

    Parameters
    ----------
    n, m : int
        Blocks at a quarter and at an eighth of the size.
    size : int
        Pixels along an edge of the image, a multiple of 16.
    pooling : {"flat", "mean", "mean+max"}
        What comes out: averages of 2 x 2 as published, so that places keep their own weights; the average
        of each channel over the image; or that and its highest value.
    n_views : int
        Channels of the image.
    width : float
        Factor on all numbers of channels, which are brought to multiples of 8.

    Attributes
    ----------
    n_features : int
        What comes out of an image.
    """

    def __init__(
        self, n: int, m: int, *, size: int = 128, pooling: str = "flat", n_views: int = 1, width: float = 1.0
    ) -> None:
        super().__init__()
        few, some, many = (max(8, 8 * round(channels * width / 8)) for channels in (16, 32, 64))
        self.stem = conv_norm(n_views, few, 3, stride=2)
        self.blocks = nn.Sequential(stage(n, few, some), stage(m, some, many))
        self.pool = nn.AvgPool2d(2) if pooling == "flat" else Pool(pooling == "mean+max")
        self.n_features = many * {"flat": (size // 16) ** 2, "mean": 1, "mean+max": 2}[pooling]

    def see(self, x: Tensor) -> Tensor:
        """(batch, n_views, size, size) -> (batch, channels, size / 8, size / 8): what an image is to it."""
        return self.blocks(torch.relu(self.stem(x)))

    def features(self, seen: Tensor) -> Tensor:
        """Pool what `see` returns -> (batch, n_features)."""
        return self.pool(seen).flatten(1)


class ResNet(Trunk):
    """A trunk and two logits.

    Parameters
    ----------
    n, m, **trunk
        See `Trunk`; (2, 2) has 10 layers with weights.
    dropout : float
        Share of the last layer's inputs left out in training.

    Examples
    --------
    >>> network = ResNet(2, 2)
    >>> network(torch.zeros(3, 1, 128, 128)).shape
    torch.Size([3, 2])
    >>> sum(weights.numel() for weights in network.parameters())
    173170
    """

    def __init__(self, n: int, m: int, *, dropout: float = 0.5, **trunk: Any) -> None:
        super().__init__(n, m, **trunk)
        self.dropout = Dropout(dropout)
        self.logits = nn.Linear(self.n_features, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_views, size, size) -> (batch, 2): not single, single."""
        return self.decide(self.see(x))

    def decide(self, seen: Tensor) -> Tensor:
        """Judge what `see` returns -> (batch, 2): not single, single."""
        return self.logits(self.dropout(self.features(seen)))
