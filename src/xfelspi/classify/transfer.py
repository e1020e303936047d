"""VGG16, trained on photographs, with a logistic regression on top of it that knows patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xfelspi.errors import InputError

from .logistic import Logistic
from .picture import TRANSFORMS
from .vgg import STAGES, Vgg16
from .vgg_weights import CONVENTIONS, Vgg16Weights

LAYERS = ("conv5", "fc6", "fc7")
_AT_ONCE = 4  # images that go through together: more of them leave the cache

BORROWED = "network.vgg."
"""How the names of weights begin that a model takes from VGG16's file and does not keep itself."""


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What a transfer classifier is, without any weights.

    Attributes
    ----------
    layer : {"conv5", "fc6", "fc7"}
        Whose outputs the regression weighs: those of the last convolutional stage after its pooling, 8,192
        numbers for 128 x 128 pixels; or 4,096 of the first or second layer on top of them.
    transform : {"log", "sqrt"}
        How counts become grey, see `Picture`.
    convention : {"bgr", "rgb"}
        What images the weights take.
    sha256 : str
        Of the file of weights.
    size : int
        Pixels along an edge of a frame.

    Raises
    ------
    InputError
        If a name is unknown, or the size is no multiple of 32.
    """

    layer: str = "conv5"
    transform: str = "log"
    convention: str
    sha256: str
    size: int = 128
    network: str = "vgg16"

    def __post_init__(self) -> None:
        for what, name, known in (
            ("network", self.network, ("vgg16",)),
            ("layer", self.layer, LAYERS),
            ("transform", self.transform, TRANSFORMS),
            ("convention", self.convention, CONVENTIONS),
        ):
            if name not in known:
                raise InputError(f"There is no {what} {name!r} of VGG16; choose one of {', '.join(known)}.")
        if self.size % 32 or not 32 <= self.size <= 1024:
            raise InputError(f"A frame of {self.size} pixels is not a multiple of 32 from 32 to 1024.")

    @property
    def depth(self) -> int:
        """Layers on top of the convolutions that take part."""
        return LAYERS.index(self.layer)

    @property
    def n_features(self) -> int:
        """Numbers that the regression weighs."""
        return 4096 if self.depth else STAGES[-1][-1] * (self.size // 32) ** 2

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Transfer:
        """Undo `dataclasses.asdict`."""
        return cls(**values)


class TransferNetwork(nn.Module):
    """VGG16 up to a layer, and two logits: none for not single, the regression's for single."""

    def __init__(self, transfer: Transfer) -> None:
        super().__init__()
        self._depth = transfer.depth
        with torch.device("meta"):  # without weights until it borrows some
            self.vgg = Vgg16(whole=transfer.depth > 0)
        self.logits = nn.Linear(transfer.n_features, 2)

    def borrow(self, weights: Vgg16Weights) -> None:
        """Take VGG16's weights; they stay as they are.

        Raises
        ------
        InputError
            If the file has no layers on top of the convolutions and these are needed.
        """
        self.vgg = weights.network(whole=self._depth > 0)

    def take(self, logistic: Logistic) -> None:
        """Take a regression for the last layer."""
        weight = torch.from_numpy(logistic.weight)
        with torch.no_grad():
            self.logits.weight.copy_(torch.stack([torch.zeros_like(weight), weight]))
            self.logits.bias.copy_(torch.tensor([0.0, logistic.offset]))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, 2): not single, single."""
        return self.decide(self.see(x))

    def see(self, x: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, 512, size / 32, size / 32): what an image is to it."""
        return torch.cat([self.vgg.features(part) for part in x.split(_AT_ONCE)])

    def features(self, seen: Tensor) -> Tensor:
        """Return what the regression weighs of what `see` returns -> (batch, n_features)."""
        return self.vgg.hidden(seen, self._depth) if self._depth else torch.flatten(seen, 1)

    def decide(self, seen: Tensor) -> Tensor:
        """Judge what `see` returns -> (batch, 2): not single, single."""
        return self.logits(self.features(seen))
