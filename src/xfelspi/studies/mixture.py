"""What a model of several recipes learns from, declared in TOML before it is trained."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

from xfelspi.classify import Augmentation, TrainConfig
from xfelspi.errors import InputError
from xfelspi.simulate import Recipe

from .declaring import read_declaration, require_whole_numbers
from .matching import lengths_in_pixels
from .simulated import changed, studied_recipe

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_BOUNDS = {"n": (20, 1_000_000), "epochs": (1, 1_000), "turns": (1, 16), "binned": (1, 16)}


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """A recipe of the mixture.

    Parameters
    ----------
    name : str
        What people call it.
    recipe : str
        A name, or the path of a TOML file.
    turns : int
        Pairs of patterns that it gives in every round.
    binned : int
        Pixels of the recipe's detector, along each axis, that make one; lengths in pixels keep their angle.
        Whole numbers of pixels and the electronics stay as they are: set them.
    settings : dict
        Values that differ from recipe and mixture, as in ``{"sample": {"diameter_nm": 40.0}}``.
    """

    name: str
    recipe: str
    turns: int = 1
    binned: int = 1
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"The study has an ingredient called {self.name!r}; a name is up to 40 of a-z, 0-9 and -, "
                "no - first."
            )
        require_whole_numbers(self, f"ingredient {self.name}: ", _BOUNDS)


@dataclass(frozen=True, kw_only=True)
class MixtureNetwork:
    """The network of a mixture; see `Architecture`."""

    blocks: tuple[int, int] = (2, 2)
    width: float = 1.0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class QuickMixture:
    """What `--quick` does instead."""

    n: int = 400
    epochs: int = 2

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "quick.", _BOUNDS)


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A training on several recipes, before it runs.

    Parameters
    ----------
    ingredient : tuple of Ingredient
        Recipes that take turns.
    n : int
        Fresh patterns an epoch, over all of them.
    epochs : int
        Of the training.
    seed : int
        Of weights, order, augmentation and patterns.
    validation_fraction : float
        Of n: patterns drawn beside the epochs, to choose the best of these and the thresholds.
    network : MixtureNetwork
        What is trained.
    augmentation : dict
        Settings of `Augmentation`; those not named are the network's own.
    settings : dict
        Values that differ from every recipe.
    quick : QuickMixture
        To see in a minute that it runs.

    Raises
    ------
    InputError
        If a number is out of range or a setting unknown; the sentence names the key.
    """

    ingredient: tuple[Ingredient, ...]
    n: int = 20_000
    epochs: int = 28
    seed: int = 0
    validation_fraction: float = 0.1
    network: MixtureNetwork = field(default_factory=MixtureNetwork)
    augmentation: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    quick: QuickMixture = field(default_factory=QuickMixture)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "", _BOUNDS)
        names = [one.name for one in self.ingredient]
        if not names:
            raise InputError("The study has no [[ingredient]]; give one recipe or more.")
        if len(set(names)) < len(names):
            raise InputError(f"The study's ingredients are {', '.join(names)}; give each a name of its own.")
        self.train_config().architecture()

    def as_quick(self) -> Mixture:
        """Return the same mixture in small."""
        return dataclasses.replace(self, n=self.quick.n, epochs=self.quick.epochs)

    def train_config(self) -> TrainConfig:
        """Return how to train."""
        known = [one.name for one in dataclasses.fields(Augmentation)]
        for name in self.augmentation:
            if name not in known:
                raise InputError(
                    f"The study has no key augmentation.{name}; its keys are {', '.join(known)}."
                )
        return TrainConfig(
            blocks=self.network.blocks,
            width=self.network.width,
            epochs=self.epochs,
            seed=self.seed,
            validation_fraction=self.validation_fraction,
            augmentation=Augmentation(**self.augmentation),
        )

    def recipe_of(self, one: Ingredient) -> Recipe:
        """Return the whole recipe of an ingredient.

        Raises
        ------
        InputError
            If there is no such recipe, a setting is unknown or out of range, or brightness would be a cue.
        """
        recipe = studied_recipe(one.recipe, self.settings)
        return changed(recipe if one.binned == 1 else _binned(recipe, one.binned), one.settings)

    def recipes(self) -> list[Recipe]:
        """Return a round: the recipes in their turns, those with more turns again at its end."""
        whole = {one.name: self.recipe_of(one) for one in self.ingredient}
        most = max(one.turns for one in self.ingredient)
        return [whole[one.name] for turn in range(most) for one in self.ingredient if one.turns > turn]


def load_mixture(name_or_path: str) -> Mixture:
    """Read a mixture by name or from a TOML file; see `read_declaration`.

    Examples
    --------
    >>> [one.name for one in load_mixture("model").ingredient]
    ['benchmark', 'amo', 'amo-binned', 'amo-halved', 'amo-near', 'amo-small', 'amo-large']
    """
    return read_declaration("model", name_or_path, Mixture)


def _binned(recipe: Recipe, by: int) -> Recipe:
    """Return the recipe with `by` x `by` pixels made one."""
    detector = recipe.detector
    wider = {
        "rows": detector.rows // by,
        "columns": detector.columns // by,
        "pixel_size_m": detector.pixel_size_m * by,
    }
    return changed(recipe, lengths_in_pixels(recipe, by) | {"detector": wider})
