"""How to train: every choice that decides what comes out, with its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from xfelspi.errors import InputError

from .augment import Augmentation
from .inputs import Inputs
from .networks import Architecture

PATTERNS_SEEN = 90_000
"""Patterns that a network sees in all its epochs unless told otherwise; a pattern counts every time."""

_EPOCHS = (3, 30)  # unless told otherwise, no fewer and no more
_AS_PUBLISHED = Augmentation(turns=False, shift_pixels=0, relief=0.0)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes
    ----------
    network, blocks, inputs, width, pooling, fusion
        See `Architecture`.
    reach : bool or None
        See `Architecture`; None is what goes with the network: not for `resnet`, as published.
    epochs : int or None
        Rounds over the patterns; None makes as many as let the network see `PATTERNS_SEEN`.
    batch_size : int
        Patterns per step.
    learning_rate : float
        At its highest: it rises over the first fifth of all steps and falls to nothing, both as a cosine.
    weight_decay : float
        Of AdamW, on all weights but offsets and normalizations.
    validation_fraction : float
        Share of the patterns held out, to choose the best epoch and the thresholds.
    seed : int
        Of weights, split, order and augmentation.
    augmentation : Augmentation or None
        None is what goes with the network: flips alone for `resnet` as published.

    Raises
    ------
    InputError
        If a value is out of bounds; `Architecture` checks its own.
    """

    network: str = "pooled"
    blocks: tuple[int, int] = (2, 2)
    inputs: Inputs = field(default_factory=Inputs)
    width: float = 1.0
    pooling: str = "mean"
    fusion: str = "early"
    reach: bool | None = None
    epochs: int | None = None
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    validation_fraction: float = 0.1
    seed: int = 0
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise InputError(f"{self.epochs} epochs are asked for; ask for 1 or more.")
        if self.batch_size < 2:
            raise InputError(f"The batch size is {self.batch_size}; normalization needs 2 or more.")
        if not 0 < self.learning_rate < 1:
            raise InputError(f"The learning rate is {self.learning_rate}; it must lie between 0 and 1.")
        if self.weight_decay < 0:
            raise InputError(f"The weight decay is {self.weight_decay}; it must be 0 or more.")
        if not 0 < self.validation_fraction < 1:
            raise InputError(
                f"The validation fraction is {self.validation_fraction}; it must lie between 0 and 1."
            )
        if not 0 <= self.seed < 2**63:
            raise InputError(f"The seed is {self.seed}; it must lie between 0 and 2^63 - 1.")

    def architecture(self) -> Architecture:
        """Return the network that is trained."""
        return Architecture(
            network=self.network,
            blocks=self.blocks,
            size=Architecture.size * self.inputs.reach,
            inputs=self.inputs,
            width=self.width,
            pooling=self.pooling,
            fusion=self.fusion,
            reach=self.network != "resnet" if self.reach is None else self.reach,
        )

    def resolved_augmentation(self) -> Augmentation:
        """Return the augmentation, that of the network if none was given."""
        if self.augmentation is not None:
            return self.augmentation
        return _AS_PUBLISHED if self.network == "resnet" else Augmentation()

    def resolved_epochs(self, n: int) -> int:
        """Return the number of epochs, each over `n` patterns."""
        return self.epochs or min(max(round(PATTERNS_SEEN / n), _EPOCHS[0]), _EPOCHS[1])
