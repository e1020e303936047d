"""VGG16, whole, on one page, under torchvision's names."""

from __future__ import annotations

from itertools import accumulate

import torch
from torch import Tensor, nn

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of each 3 x 3 convolution; every stage ends by halving the size."""

STAGE_ENDS = tuple(end - 2 for end in accumulate(2 * len(stage) + 1 for stage in STAGES))
"""Indices in `features` of the last rectified convolution of each stage; the next one halves the size."""

_POOLED = 7  # pixels along an edge of what the classifier sees, whatever the size of the image
_HIDDEN, _CLASSES = 4096, 1000


class Vgg16(nn.Module):
    """Configuration D of Simonyan & Zisserman (2015, ICLR): 13 convolutions, then 3 layers on all of it.

    Parameters
    ----------
    whole : bool
        With the 3 layers, which hold 9 in 10 of the weights.

    Examples
    --------
    >>> network = Vgg16(whole=False)
    >>> network.features(torch.zeros(1, 3, 128, 128)).shape
    torch.Size([1, 512, 4, 4])
    >>> sum(weights.numel() for weights in network.parameters())
    14714688
    """

    def __init__(self, *, whole: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stage in STAGES:
            for wider in stage:
                layers += [nn.Conv2d(channels, wider, 3, padding=1), nn.ReLU()]
                channels = wider
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(_POOLED)
        if whole:
            self.classifier = nn.Sequential(
                *(nn.Linear(channels * _POOLED**2, _HIDDEN), nn.ReLU(), nn.Dropout()),
                *(nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU(), nn.Dropout()),
                nn.Linear(_HIDDEN, _CLASSES),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3, y, x) -> (batch, 1000) logits of ImageNet's classes; `whole` alone has them."""
        return self.classifier(self.pooled(self.features(x)))

    def hidden(self, seen: Tensor, depth: int) -> Tensor:
        """Return the rectified outputs, (batch, 4096), of layer `depth` (1 or 2) on top of `features`."""
        return self.classifier[: 3 * depth - 1](self.pooled(seen))

    def pooled(self, seen: Tensor) -> Tensor:
        """Average what `features` returns over 7 x 7 fields -> (batch, 25088)."""
        return torch.flatten(self.avgpool(seen), 1)
