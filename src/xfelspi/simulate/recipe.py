"""A recipe: the settings of every part, to and from TOML; it owns none of them itself."""

import dataclasses
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xfelspi.errors import InputError

from .background import Background
from .beam import Beam
from .body import Body
from .company import Company
from .detector import Detector
from .fluctuation import Fluctuation
from .readout import ReadOut
from .scene import Sample

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An experiment: beam, sample, body, company, background, fluctuation, detector and read-out."""

    beam: Beam = field(default_factory=Beam)
    sample: Sample = field(default_factory=Sample)
    body: Body = field(default_factory=Body)
    company: Company = field(default_factory=Company)
    background: Background = field(default_factory=Background)
    fluctuation: Fluctuation = field(default_factory=Fluctuation)
    detector: Detector = field(default_factory=Detector)
    readout: ReadOut = field(default_factory=ReadOut)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def as_dict(self) -> dict[str, Any]:
        """Return nested dictionaries of plain values, as TOML or JSON would hold them."""
        return dataclasses.asdict(self)


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = resources.files("xfelspi.simulate") / "recipes"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe by name or from a TOML file, with single values changed.

    Parameters
    ----------
    name_or_path : str
        One of `recipe_names()`, or the path of a TOML file.
    settings : sequence of str
        Changes such as ``"sample.diameter_nm=40"``; values are written as in TOML.

    Raises
    ------
    InputError
        If there is no such recipe, the TOML is malformed, a key is unknown or a value out of range.

    Examples
    --------
    >>> load_recipe("benchmark", ["sample.diameter_nm=40"]).sample.diameter_nm
    40.0
    """
    if name_or_path in recipe_names():
        text = (resources.files("xfelspi.simulate") / "recipes" / f"{name_or_path}.toml").read_text()
    else:
        try:
            text = Path(name_or_path).read_text(encoding="utf-8")
        except (OSError, ValueError):  # ValueError: not UTF-8, or a name no file can have
            raise InputError(
                f"There is no recipe {name_or_path!r}; choose one of {', '.join(recipe_names())}, "
                "or give the path of a TOML file."
            ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The recipe {name_or_path} is not valid TOML: {error}.") from None
    for setting in settings:
        _change(values, setting)
    return recipe_from_dict(values)


@cache
def _door() -> "TypeAdapter[Recipe]":
    from pydantic import TypeAdapter

    return TypeAdapter(Recipe)


def recipe_from_dict(values: dict[str, Any]) -> Recipe:
    """Build a recipe from nested dictionaries; the inverse of `Recipe.as_dict`.

    Raises
    ------
    InputError
        If a key is unknown or a value has the wrong type or range; the sentence names it.
    """
    from pydantic import ValidationError

    try:
        return _door().validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        # pydantic places tuple items and unions below the field: what the user wrote are the names.
        names = [str(part) for part in first["loc"] if isinstance(part, str)][:2]
        where = ".".join(names) or "recipe"
        if first["type"] == "unexpected_keyword_argument" or first["type"] == "extra_forbidden":
            owner = getattr(Recipe(), names[0], None) if len(names) > 1 else Recipe()
            known = [f.name for f in dataclasses.fields(owner)] if dataclasses.is_dataclass(owner) else []
            raise InputError(f"The recipe has no setting {where}; there are {', '.join(known)}.") from None
        raise InputError(f"The recipe's {where} is {first['input']!r}: {first['msg'].lower()}.") from None


def _change(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or len(path) < 2 or not all(path):
        raise InputError(
            f"{setting!r} is not a setting; write section.name=value, as in sample.diameter_nm=40."
        )
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a bare word is a string
    section = values
    for part in path[:-1]:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            raise InputError(f"{key.strip()} cannot be set: {part} is a single value.")
    section[path[-1]] = value
