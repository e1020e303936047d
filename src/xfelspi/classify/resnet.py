"""ResNet(n, m): the network that was published for this task, whole, on one page."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution and batch normalization, which takes the place of its bias."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a way around them (He et al. 2016, CVPR, p. 770)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3)
        same = stride == 1 and inputs == outputs
        self.around = nn.Identity() if same else conv_norm(inputs, outputs, 1, stride)

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


class ResNet(nn.Module):
    """Stem 1 -> 16, n blocks of 32 channels, m blocks of 64, each stage at half the size; then two logits.

    Parameters
    ----------
    n, m : int
        Blocks at a quarter and at an eighth of the size; (2, 2) has 10 layers with weights.
    size : int
        Pixels along an edge of the image, a multiple of 16.
    pooling : {"flat", "mean"}
        What the last layer sees: averages of 2 x 2 as published, so that places keep their own weights, or
        the average of each channel over the image.
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

    def __init__(
        self, n: int, m: int, *, size: int = 128, pooling: str = "flat", dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.stem = conv_norm(1, 16, 3, stride=2)
        self.blocks = nn.Sequential(stage(n, 16, 32), stage(m, 32, 64))
        self.pool = nn.AvgPool2d(2) if pooling == "flat" else nn.AdaptiveAvgPool2d(1)
        self.dropout = Dropout(dropout)
        self.logits = nn.Linear(64 * (size // 16) ** 2 if pooling == "flat" else 64, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 1, size, size) -> (batch, 2): not single, single."""
        return self.decide(self.see(x))

    def see(self, x: Tensor) -> Tensor:
        """(batch, 1, size, size) -> (batch, 64, size / 8, size / 8): what the image is to the network."""
        return self.blocks(torch.relu(self.stem(x)))

    def decide(self, seen: Tensor) -> Tensor:
        """(batch, 64, size / 8, size / 8), as `see` returns -> (batch, 2): not single, single."""
        return self.logits(self.dropout(self.pool(seen).flatten(1)))
