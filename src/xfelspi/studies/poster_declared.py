"""What a poster study will do, declared in TOML before it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xfelspi.classify.networks import NETWORKS, Architecture
from xfelspi.errors import InputError
from xfelspi.shapes import SHAPES
from xfelspi.shapes.mesh import MESH_SUFFIXES
from xfelspi.simulate import Recipe

from .declaring import read_declaration, require_among, require_whole_numbers
from .protocols import Geometry, RecipeUse
from .simulated import studied_recipe

VGG16 = "vgg16"
"""Name of the network that takes its weights from photographs."""

_NUMBERS = {
    "seeds": (1, 100),
    "n_train": (40, 1_000_000),
    "vgg16_n_train": (40, 1_000_000),
    "n_test": (20, 1_000_000),
    "patterns_seen": (1, 100_000_000),
    "folds": (2, 100),
    "fold_patterns_seen": (1, 100_000_000),
    "n_mixed": (40, 1_000_000),
    "n_stand_in": (40, 1_000_000),
    "n_pool": (40, 1_000_000),
    "zero_n_train": (20, 1_000_000),
    "zero_epochs": (1, 1_000),
    "n": (20, 10_000_000),
    "vgg16_most": (0, 10_000_000),
    "n_each": (1, 8),
}


@dataclass(frozen=True, kw_only=True)
class Depth:
    """Accuracy against depth and size of the training set.

    Parameters
    ----------
    recipe, shape : str
        One of the study's recipes; of the particles.
    network : str
        Which network; see `Architecture`.
    blocks : tuple of (n, m)
        Residual blocks of either stage.
    n_train : tuple of int
        Sizes of the training set.
    patterns_seen : int
        Patterns that every network sees in all its epochs.
    n_test : int
        Patterns that the accuracy is of.
    """

    recipe: str
    shape: str = "icosahedron"
    network: str = "resnet"
    blocks: tuple[tuple[int, int], ...] = ((1, 1), (2, 2), (4, 4))
    n_train: tuple[int, ...] = (1_000, 4_000, 16_000)
    patterns_seen: int = 24_000
    n_test: int = 2_000

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        _require_part(self, "depth")
        for n, m in self.blocks:
            Architecture(network=self.network, blocks=(n, m))
        _require_sizes("depth.n_train", self.n_train, "n_train")
        if not self.blocks:
            raise InputError("The study's depth.blocks are empty; give pairs, as in [[1, 1], [2, 2]].")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Who learns from simulated and measured shots, and who is judged by them.

    Parameters
    ----------
    recipe, shape : str
        One of the study's recipes; of the particles.
    networks : tuple of str
        Beside VGG16, which takes part where there are weights.
    n_train, vgg16_n_train, n_test : int
        Simulated patterns to learn from, of VGG16 fewer, and to be judged by.
    patterns_seen, fold_patterns_seen : int
        In all epochs: simulated ones; those of a fold alone.
    folds : int
        Parts of the measured shots: each is judged by networks that learned from the others.
    n_mixed : int
        Simulated patterns beside those of a fold.
    n_stand_in : int
        Patterns simulated where none are measured.
    """

    recipe: str
    shape: str = "icosahedron"
    networks: tuple[str, ...] = ("resnet", "pooled")
    n_train: int = 10_000
    vgg16_n_train: int = 4_000
    patterns_seen: int = 40_000
    n_test: int = 2_000
    folds: int = 5
    fold_patterns_seen: int = 8_000
    n_mixed: int = 2_000
    n_stand_in: int = 500

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        _require_part(self, "table")
        require_among("table.networks", self.networks, NETWORKS, "networks")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What networks of the table are shown: patterns of each class, of its simulated test set."""

    n_each: int = 2

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "figures.", _NUMBERS)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Accuracy against the number of labels.

    Parameters
    ----------
    recipes : tuple of str
        Of the study's recipes; each is asked.
    shape : str
        Of the sample.
    network : str
        That learns from the labels, and from simulation without any.
    budgets : tuple of int
        Numbers of labels.
    n_pool, n_test : int
        Shots that may be looked at, and shots to sort beside them.
    patterns_seen : int
        By a network that learns from labels, in all epochs.
    zero_n_train, zero_epochs : int
        Fresh simulated patterns an epoch and epochs of the network that has no labels.
    """

    recipes: tuple[str, ...]
    shape: str = "soccer"
    network: str = "pooled"
    budgets: tuple[int, ...] = (50, 100, 200, 500, 1_000, 2_000)
    n_pool: int = 4_000
    n_test: int = 2_000
    patterns_seen: int = 16_000
    zero_n_train: int = 12_000
    zero_epochs: int = 4

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        _require_part(self, "labels")
        if not self.budgets or min(self.budgets) < 20 or max(self.budgets) > self.n_pool:
            raise InputError(
                f"The study's labels.budgets are {list(self.budgets)}; give numbers from 20 to n_pool, "
                f"{self.n_pool}."
            )


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds and memory.

    Parameters
    ----------
    recipe, shape : str
        One of the study's recipes; of the particles.
    n : int
        Images to compare all by.
    sizes : tuple of int
        Numbers of images that growth is seen at.
    vgg16_most : int
        The most images for VGG16.
    """

    recipe: str
    shape: str = "icosahedron"
    n: int = 7_000
    sizes: tuple[int, ...] = (1_000, 3_000, 7_000, 20_000, 50_000)
    vgg16_most: int = 7_000

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        _require_part(self, "speed")
        _require_sizes("speed.sizes", self.sizes, "n")
        if self.n not in self.sizes:
            raise InputError(
                f"The study's speed.n is {self.n}; it must be one of speed.sizes, {list(self.sizes)}."
            )


@dataclass(frozen=True, kw_only=True)
class QuickPoster:
    """What `--quick` does instead; the robustness study has a `quick` of its own."""

    seeds: int = 1
    n_train: int = 120
    vgg16_n_train: int = 40
    n_test: int = 40
    patterns_seen: int = 240
    blocks: tuple[tuple[int, int], ...] = ((1, 1), (2, 2))
    folds: int = 2
    n_mixed: int = 40
    n_stand_in: int = 50
    labels_recipes: tuple[str, ...] = ()  # all, without a name
    budgets: tuple[int, ...] = (40,)
    n_pool: int = 60
    sizes: tuple[int, ...] = (50, 200)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "quick.", _NUMBERS)


@dataclass(frozen=True, kw_only=True)
class Poster:
    """A poster study, before it runs. A part that is None is not asked for.

    Parameters
    ----------
    recipes : dict of str to RecipeUse
        By the names that the parts call them.
    seeds : int
        Trainings of everything; those of the robustness study are its own.
    depth, table, figures, labels, speed
        The parts; figures are of the table's networks.
    robustness : Geometry or None
        A whole geometry study.
    quick : QuickPoster
        For a look in three minutes.

    Raises
    ------
    InputError
        If a number is out of range, or a name is none; the sentence names the key.
    """

    recipes: dict[str, RecipeUse]
    seeds: int = 3
    depth: Depth | None = None
    table: Table | None = None
    figures: Figures | None = None
    robustness: Geometry | None = None
    labels: Labels | None = None
    speed: Speed | None = None
    quick: QuickPoster = field(default_factory=QuickPoster)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "", _NUMBERS)
        for name in ("depth", "table", "speed"):
            part = getattr(self, name)
            if part is not None:
                require_among(f"{name}.recipe", [part.recipe], self.recipes, "recipes")
        if self.labels is not None:
            require_among("labels.recipes", self.labels.recipes, self.recipes, "recipes")
        require_among("quick.labels_recipes", self.quick.labels_recipes, self.recipes, "recipes")
        if self.figures is not None and self.table is None:
            raise InputError("The study's figures are of the table's networks; declare [table] too.")
        if not any((self.depth, self.table, self.robustness, self.labels, self.speed)):
            raise InputError(
                "The study asks for nothing; declare [depth], [table], [robustness], [labels] or [speed]."
            )

    def recipe(self, name: str) -> Recipe:
        """Return one of the study's recipes.

        Raises
        ------
        InputError
            If it or its settings do not serve.
        """
        use = self.recipes[name]
        return studied_recipe(use.recipe, use.settings)

    def with_seeds(self, seeds: int) -> Poster:
        """Return the same study with another number of trainings."""
        robustness = self.robustness and dataclasses.replace(self.robustness, seeds=seeds)
        return dataclasses.replace(self, seeds=seeds, robustness=robustness)

    def as_quick(self) -> Poster:
        """Return the same study in small, as declared in its `quick`."""
        quick = self.quick
        n, seen = {"n_train": quick.n_train, "n_test": quick.n_test}, {"patterns_seen": quick.patterns_seen}
        sizes = (quick.n_train // 2, quick.n_train)
        folds = {"folds": quick.folds, "n_mixed": quick.n_mixed, "n_stand_in": quick.n_stand_in}
        learned = {"zero_n_train": quick.n_train, "zero_epochs": 2}
        pool = {"n_pool": quick.n_pool, "n_test": quick.n_test, "budgets": quick.budgets}
        asked = quick.labels_recipes or (self.labels.recipes if self.labels else ())
        most = min(quick.sizes)
        return dataclasses.replace(
            self,
            seeds=quick.seeds,
            depth=_changed(self.depth, n_test=quick.n_test, n_train=sizes, blocks=quick.blocks, **seen),
            table=_changed(
                self.table,
                **n,
                **seen,
                **folds,
                vgg16_n_train=quick.vgg16_n_train,
                fold_patterns_seen=quick.patterns_seen,
            ),
            robustness=self.robustness and self.robustness.as_quick(),
            labels=_changed(self.labels, recipes=asked, **pool, **seen, **learned),
            speed=_changed(self.speed, n=most, sizes=quick.sizes, vgg16_most=most),
            quick=QuickPoster(),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as TOML or JSON would hold them."""
        return dataclasses.asdict(self)


def load_poster(name_or_path: str) -> Poster:
    """Read a poster study by name or from a TOML file; see `read_declaration`.

    Examples
    --------
    >>> load_poster("poster").depth.blocks
    ((1, 1), (2, 2), (4, 4))
    """
    return read_declaration("poster", name_or_path, Poster)


def _changed(part: Any, **values: Any) -> Any:
    return None if part is None else dataclasses.replace(part, **values)


def _require_part(part: Any, where: str) -> None:
    """Refuse numbers out of range, and names of networks and shapes that are none."""
    numbers = {name: bounds for name, bounds in _NUMBERS.items() if isinstance(getattr(part, name, 0), int)}
    require_whole_numbers(part, f"{where}.", numbers)
    if part.shape not in SHAPES and Path(part.shape).suffix.lower() not in MESH_SUFFIXES:
        raise InputError(
            f"The study's {where}.shape is {part.shape!r}; there are {', '.join(SHAPES)}, and STL, OBJ or "
            "PLY files."
        )
    if hasattr(part, "network"):
        require_among(f"{where}.network", [part.network], NETWORKS, "networks")


def _require_sizes(key: str, sizes: Sequence[int], name: str) -> None:
    low, high = _NUMBERS[name]
    if not sizes or min(sizes) < low or max(sizes) > high:
        raise InputError(f"The study's {key} is {list(sizes)}; give numbers from {low} to {high}.")
