"""From the name of an architecture to a network with its preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from xfelspi.errors import InputError

from .inputs import Inputs
from .picture import Picture
from .prepare import Scaled, Standardize
from .reach import Reach
from .resnet import ResNet
from .towers import Towers
from .transfer import Transfer, TransferNetwork
from .views import Views, pattern_view

NETWORKS = ("pooled", "resnet")
POOLINGS = ("mean", "mean+max")
FUSIONS = ("early", "late")

NETWORK_SHARE = 0.5
"""What the network's logits count beside those of `Reach`: of shapes that are new to it, it is too sure."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is, without its weights.

    Attributes
    ----------
    network : {"pooled", "resnet"}
        `resnet` as published: flat, half of the last inputs dropped out, pixels standardized. `pooled`,
        the default: the same blocks, each channel averaged over the image, so that a cue counts wherever
        it shows; square roots of counts over their mean. What follows `size` is for `pooled`.
    blocks : (n, m)
        Residual blocks at a quarter and at an eighth of the size.
    size : int
        Pixels along an edge of a frame.
    inputs : Inputs
        What the network is shown.
    width : float
        Factor on all numbers of channels.
    pooling : {"mean", "mean+max"}
        What the last layer sees of each channel.
    fusion : {"early", "late"}
        Several views are channels of one image, or each has a network of its own up to the last layer.
    reach : bool
        Whether `Reach` is asked as well.

    Raises
    ------
    InputError
        If a name is unknown, there is not a block or more in each stage, or a setting does not belong to
        the network.
    """

    network: str = "pooled"
    blocks: tuple[int, int] = (2, 2)
    size: int = 128
    inputs: Inputs = field(default_factory=Inputs)
    width: float = 1.0
    pooling: str = "mean"
    fusion: str = "early"
    reach: bool = False

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise InputError(f"There is no network {self.network!r}; choose one of {', '.join(NETWORKS)}.")
        if len(self.blocks) != 2 or min(self.blocks) < 1 or max(self.blocks) > 20:
            given = ",".join(map(str, self.blocks))
            raise InputError(f"Blocks {given} are no network; give two numbers from 1 to 20, as in 2,2.")
        if self.size % 16 or not 32 <= self.size <= 1024:
            raise InputError(f"A frame of {self.size} pixels is not a multiple of 16 from 32 to 1024.")
        for what, name, known in (("pooling", self.pooling, POOLINGS), ("fusion", self.fusion, FUSIONS)):
            if name not in known:
                raise InputError(f"There is no {what} {name!r}; choose one of {', '.join(known)}.")
        if not 0.25 <= self.width <= 8:
            raise InputError(f"A width of {self.width} is no network; give a factor from 0.25 to 8.")
        free = (self.inputs, self.width, self.pooling, self.fusion, self.reach)
        if self.network == "resnet" and free != (Inputs(), 1.0, "mean", "early", False):
            raise InputError(
                "The network resnet is as published; to set inputs, width, pooling, fusion or reach, "
                "take pooled."
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Architecture:
        """Undo `dataclasses.asdict` and JSON, which knows no tuples."""
        blocks, inputs = tuple(values["blocks"]), Inputs.from_dict(values["inputs"])
        return cls(**values | {"blocks": blocks, "inputs": inputs})


class Classifier(nn.Module):
    """Frames as counted -> two logits: preparation and network, and `reach` where it is asked as well.

    The two see different things and learn on their own, so that on a shape that is new to the one the other
    still has a say, see `together`.
    """

    def __init__(self, architecture: Architecture | Transfer) -> None:
        super().__init__()
        self.architecture = architecture
        self.prepare: Scaled | Standardize | Views | Picture
        self.network: ResNet | Towers | TransferNetwork
        self.reach: Reach | None = None
        if isinstance(architecture, Transfer):
            self.prepare = Picture(architecture.transform, architecture.convention)
            self.network = TransferNetwork(architecture)
            return
        self.reach = Reach(architecture.size) if architecture.reach else None
        n, m = architecture.blocks
        inputs, size = architecture.inputs, architecture.size
        if architecture.network == "resnet":
            self.prepare = Standardize(size)
            self.network = ResNet(n, m, size=size)
            return
        n_views = len(inputs.views)
        self.prepare = pattern_view(inputs, size) if inputs.views == ("pattern",) else Views(inputs, size)
        kind: dict[str, Any] = {"pooling": architecture.pooling, "width": architecture.width}
        if architecture.fusion == "late":
            self.network = Towers(n_views, n, m, **kind)
        else:
            self.network = ResNet(n, m, n_views=n_views, dropout=0.0, **kind)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, size, size) photons, `MASKED` where unknown -> (batch, 2): not single, single."""
        logits = self.network(self.prepare(frames))
        return logits if self.reach is None else together(logits, self.reach(frames))

    def opinions(self, changed: Tensor, frames: Tensor, generator: torch.Generator) -> list[Tensor]:
        """Return what each of the two says, (batch, 2), to learn from.

        `changed` are augmented frames for the network; the Patterson function would be widened by them, and
        is stretched instead. All chance comes from the generator.
        """
        assert not isinstance(self.network, TransferNetwork)  # which does not learn this way
        self.network.dropout.generator = generator
        logits = [self.network(self.prepare(changed))]
        return logits if self.reach is None else [*logits, self.reach.stretched(frames, generator)]


def together(network: Tensor, reach: Tensor) -> Tensor:
    """Add logits as log-odds of independent evidence are, the network's times `NETWORK_SHARE`."""
    return NETWORK_SHARE * network + reach
