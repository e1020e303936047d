"""What a geometry study will do, declared in TOML before it runs."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xfelspi.classify.networks import NETWORKS
from xfelspi.errors import InputError
from xfelspi.shapes import SHAPES, shape_name
from xfelspi.shapes.mesh import MESH_SUFFIXES
from xfelspi.simulate.scene import RANDOM

from .declaring import read_declaration, require_among, require_whole_numbers

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
_WHOLE_NUMBERS = {
    "n_train": (20, 1_000_000),
    "n_test": (20, 1_000_000),
    "n_many": (20, 10_000_000),
    "epochs": (1, 1_000),
    "seeds": (1, 100),
    "n": (20, 1_000_000),
    "n_second": (20, 1_000_000),
    "n_noise": (20, 1_000_000),
    "oracle_shots": (1, 10_000),
}


@dataclass(frozen=True, kw_only=True)
class RecipeUse:
    """A recipe, by name or path, and the values that the study changes in it."""

    recipe: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What is trained on.

    Parameters
    ----------
    name, title : str
        Short, and in words.
    recipe : str
        One of the study's recipes, for training and test.
    settings : dict
        Changes to it in training alone.
    train : tuple of str
        Shapes that take turns in training; "random" is the family of `Body`.
    one_group_out : bool
        Instead, a network for each group, trained on the shapes of all others.
    many : tuple of str
        Shapes tested on `n_many` patterns.
    network : str
        That is trained; see `Architecture`.
    """

    name: str
    recipe: str
    title: str = ""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    train: tuple[str, ...] = ()
    one_group_out: bool = False
    many: tuple[str, ...] = ()
    network: str = "pooled"

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"The study has a protocol called {self.name!r}; the name becomes a folder: up to 40 of "
                "a-z, A-Z, 0-9 and -, no - first."
            )
        require_among(f"protocol {self.name}: network", [self.network], NETWORKS, "networks")
        if bool(self.train) == self.one_group_out:
            raise InputError(
                f"The study's protocol {self.name} is to train on {list(self.train)}, and one_group_out is "
                f"{str(self.one_group_out).lower()}; name shapes in train, or set one_group_out = true."
            )


@dataclass(frozen=True, kw_only=True)
class Second:
    """Where the second particle is asked about.

    Parameters
    ----------
    protocol : str
        Whose networks are asked.
    shapes : tuple of str
        Of the particles.
    n : int
        Patterns of a shape with faint second particles.
    settings : dict
        What makes them faint: changes to the protocol's recipe.
    oracle_shots : int
        Multiple hits in each bin for which the physical limit is computed.
    """

    protocol: str
    shapes: tuple[str, ...]
    n: int = 6_000
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    oracle_shots: int = 25

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "second.", _WHOLE_NUMBERS)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One value of the recipe, changed; a range with equal ends is drawn at that value."""

    name: str
    setting: str
    values: tuple[Any, ...]

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if len(self.setting.split(".")) != 2:
            raise InputError(
                f"The study's sweep {self.name!r} sets {self.setting!r}; write section.name, as in "
                "sample.diameter_nm."
            )
        if not self.values:
            raise InputError(f"The study's sweep {self.name!r} has no values; give one or more.")
        for value in self.values:
            if not isinstance(value, float | int) and not (isinstance(value, list) and len(value) == 2):
                raise InputError(
                    f"The study's sweep {self.name!r} has the value {value!r}; give numbers, or ranges such "
                    "as [1e3, 1e3]."
                )

    @property
    def places(self) -> list[float]:
        """Where each value stands on the axis."""
        return [float(value[0] if isinstance(value, list) else value) for value in self.values]

    def settings(self, value: Any) -> dict[str, dict[str, Any]]:
        """Return one value as a change to a recipe."""
        section, name = self.setting.split(".")
        return {section: {name: value}}


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How small and how dim a particle may be: whose networks, which shapes, patterns a point, sweeps."""

    protocol: str
    shapes: tuple[str, ...]
    sweep: tuple[Sweep, ...]
    n: int = 1_000

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "noise.", _WHOLE_NUMBERS)


@dataclass(frozen=True, kw_only=True)
class QuickLook:
    """What `--quick` does instead; empty shapes or protocols are all of them."""

    n_train: int = 1_000
    n_test: int = 200
    n_many: int = 400
    epochs: int = 2
    shapes: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    n_second: int = 400
    n_noise: int = 60

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "quick.", _WHOLE_NUMBERS)


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A geometry study, before it runs.

    Parameters
    ----------
    recipes : dict of str to RecipeUse
        By the names that protocols call them.
    groups : dict of str to tuple of str
        The shapes to test on, each in one group.
    protocol : tuple of Protocol
        What to train on.
    second : Second or None
        What to ask about the second particle.
    noise : Noise or None
        What to ask about noise.
    n_train : int
        Fresh patterns an epoch.
    epochs, seeds : int
        Of each training, and trainings of everything.
    n_test : int
        Patterns of a shape to score on.
    n_many : int
        Patterns that thresholds are fixed on, and of the shapes that a protocol tests on many.
    quick : QuickLook
        For a look in a few minutes.

    Raises
    ------
    InputError
        If a number is out of range, or a name is none; the sentence names the key.
    """

    recipes: dict[str, RecipeUse]
    groups: dict[str, tuple[str, ...]]
    protocol: tuple[Protocol, ...]
    second: Second | None = None
    noise: Noise | None = None
    n_train: int = 20_000
    epochs: int = 4
    seeds: int = 3
    n_test: int = 5_000
    n_many: int = 50_000
    quick: QuickLook = field(default_factory=QuickLook)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "", _WHOLE_NUMBERS)
        self._require_shapes()
        names = [protocol.name for protocol in self.protocol]
        if not names or len(set(names)) < len(names):
            raise InputError(
                f"The study's protocols are {', '.join(names) or 'none'}; give one or more, each a name."
            )
        for protocol in self.protocol:
            where = f"protocol {protocol.name}"
            require_among(f"{where}: recipe", [protocol.recipe], self.recipes, "recipes")
            require_among(f"{where}: many", protocol.many, self.shapes, "shapes in groups")
            if protocol.one_group_out and len(self.groups) < 2:
                raise InputError(
                    f"The study's {where} leaves one group out, and there is {len(self.groups)}; "
                    "give two or more under [groups]."
                )
        for asked, where in ((self.second, "second"), (self.noise, "noise")):
            if asked is not None:
                single = [protocol.name for protocol in self.protocol if not protocol.one_group_out]
                require_among(f"{where}.protocol", [asked.protocol], single, "protocols of one network")
                require_among(f"{where}.shapes", asked.shapes, self.shapes, "shapes in groups")
                if not asked.shapes:
                    raise InputError(f"The study's {where}.shapes are empty; name one or more.")
        require_among("quick.shapes", self.quick.shapes, self.shapes, "shapes in groups")
        require_among("quick.protocols", self.quick.protocols, names, "protocols")

    def _require_shapes(self) -> None:
        for name in self.groups:
            if not _NAME.fullmatch(name.replace(" ", "-")):
                raise InputError(
                    f"The study has a group called {name!r}; the name becomes part of a folder's: up to 40 "
                    "of a-z, A-Z, 0-9, - and blanks."
                )
        for key, shapes in (
            *((f"groups.{name}", shapes) for name, shapes in self.groups.items()),
            *((f"protocol {p.name}: train", p.train) for p in self.protocol),
        ):
            for shape in shapes:
                is_family = shape == RANDOM and key not in [f"groups.{name}" for name in self.groups]
                if not (is_family or shape in SHAPES or Path(shape).suffix.lower() in MESH_SUFFIXES):
                    raise InputError(
                        f"The study's {key} has the shape {shape!r}; there are {', '.join(SHAPES)}, and "
                        f"STL, OBJ or PLY files{'' if key.startswith('groups') else f', and {RANDOM!r}'}."
                    )
        if not self.shapes:
            raise InputError("The study's groups hold no shape; name some to test on.")
        for shape in self.shapes:
            if self.shapes.count(shape) > 1:
                raise InputError(f"The study's groups have {shape!r} twice; a shape is in one group.")
        named: dict[str, str] = {}
        for shape in (*self.shapes, *(shape for p in self.protocol for shape in p.train)):
            other = named.setdefault(shape_name(shape), shape)
            if other != shape:
                raise InputError(
                    f"The study's shapes {other!r} and {shape!r} would have files of one name; rename one."
                )

    @property
    def shapes(self) -> list[str]:
        """All shapes to test on, group by group."""
        return [shape for shapes in self.groups.values() for shape in shapes]

    def group_of(self, shape: str) -> str:
        """Return the group that a shape is in."""
        return next(name for name, shapes in self.groups.items() if shape in shapes)

    def as_quick(self) -> Geometry:
        """Return the same study in small, as declared in its `quick`."""
        quick = self.quick
        shapes = quick.shapes or tuple(self.shapes)
        names = quick.protocols or tuple(protocol.name for protocol in self.protocol)
        groups = {name: tuple(s for s in inside if s in shapes) for name, inside in self.groups.items()}
        second, noise = self.second, self.noise
        if second is not None:
            kept = tuple(shape for shape in second.shapes if shape in shapes)
            asked = second.protocol in names and bool(kept)
            second = dataclasses.replace(second, shapes=kept, n=quick.n_second) if asked else None
        if noise is not None:
            kept = tuple(shape for shape in noise.shapes if shape in shapes)
            asked = noise.protocol in names and bool(kept)
            noise = dataclasses.replace(noise, shapes=kept, n=quick.n_noise) if asked else None
        return dataclasses.replace(
            self,
            groups={name: inside for name, inside in groups.items() if inside},
            protocol=tuple(
                dataclasses.replace(protocol, many=tuple(s for s in protocol.many if s in shapes))
                for protocol in self.protocol
                if protocol.name in names
            ),
            second=second,
            noise=noise,
            n_train=quick.n_train,
            n_test=quick.n_test,
            n_many=quick.n_many,
            epochs=quick.epochs,
            seeds=1,
            quick=QuickLook(),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as TOML or JSON would hold them."""
        return dataclasses.asdict(self)


def load_geometry(name_or_path: str) -> Geometry:
    """Read a geometry study by name or from a TOML file; see `read_declaration`.

    Examples
    --------
    >>> [protocol.name for protocol in load_geometry("geometry").protocol]
    ['A', 'B', 'B-realistic', 'C']
    """
    return read_declaration("geometry", name_or_path, Geometry)
