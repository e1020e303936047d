"""From the name of an architecture to a network with its preprocessing."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from xfelspi.errors import InputError

from .prepare import SquareRoot, Standardize
from .resnet import ResNet

NETWORKS = ("pooled", "resnet")


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is, without its weights.

    Attributes
    ----------
    network : {"pooled", "resnet"}
        `resnet` as published: flat, half of the last inputs dropped out, pixels standardized. `pooled`,
        the default: the same blocks, each channel averaged over the image, so that a cue counts wherever
        it shows; square roots of counts over their mean.
    blocks : (n, m)
        Residual blocks at a quarter and at an eighth of the size.
    size : int
        Pixels along an edge of a frame.

    Raises
    ------
    InputError
        If the name is unknown, or there is not a block or more in each stage.
    """

    network: str = "pooled"
    blocks: tuple[int, int] = (2, 2)
    size: int = 128

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise InputError(f"There is no network {self.network!r}; choose one of {', '.join(NETWORKS)}.")
        if len(self.blocks) != 2 or min(self.blocks) < 1 or max(self.blocks) > 20:
            given = ",".join(map(str, self.blocks))
            raise InputError(f"Blocks {given} are no network; give two numbers from 1 to 20, as in 2,2.")
        if self.size % 16 or not 32 <= self.size <= 1024:
            raise InputError(f"A frame of {self.size} pixels is not a multiple of 16 from 32 to 1024.")


class Classifier(nn.Module):
    """Frames as counted -> two logits: preparation and network."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        n, m = architecture.blocks
        self.prepare: SquareRoot | Standardize
        if architecture.network == "resnet":
            self.prepare = Standardize(architecture.size)
            self.network = ResNet(n, m, size=architecture.size)
        else:
            self.prepare = SquareRoot()
            self.network = ResNet(n, m, pooling="mean", dropout=0.0)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, size, size) photons, `MASKED` where unknown -> (batch, 2): not single, single."""
        return self.network(self.prepare(frames))
