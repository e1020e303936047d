"""Studies are declared in TOML before they run: reading a declaration, and saying by key what is wrong."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from xfelspi.errors import InputError

Declared = TypeVar("Declared")

_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")  # pydantic's words for it
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")


def shipped(question: str) -> list[str]:
    """Return the names of the studies of one question that come with the package."""
    folder = resources.files("xfelspi.studies") / "declared"
    names = (item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))
    return sorted(name for name in names if name.startswith(question))


def read_declaration(question: str, name_or_path: str, kind: type[Declared]) -> Declared:
    """Read a study by name or from a TOML file.

    Parameters
    ----------
    question : str
        What all names of its kind begin with.
    name_or_path : str
        One of `shipped(question)`, or the path of a TOML file.
    kind : type
        Dataclass to make of it.

    Raises
    ------
    InputError
        If there is none, the TOML is malformed, a key is unknown or missing, or a value does not serve.
    """
    if name_or_path in shipped(question):
        text = (resources.files("xfelspi.studies") / "declared" / f"{name_or_path}.toml").read_text("utf-8")
    else:
        try:
            text = Path(name_or_path).read_text("utf-8")
        except (OSError, ValueError):  # ValueError: not UTF-8, or a name no file can have
            raise InputError(
                f"There is no study {name_or_path!r}; choose one of {', '.join(shipped(question))}, "
                "or give the path of a TOML file."
            ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The study {name_or_path} is not valid TOML: {error}.") from None
    return _from_dict(values, kind)


def require_whole_numbers(owner: Any, prefix: str, bounds: Mapping[str, tuple[int, int]]) -> None:
    """Raise an `InputError` for the first attribute that is out of its bounds; those it lacks are skipped."""
    for name, (low, high) in bounds.items():
        value = getattr(owner, name, None)
        if value is not None and not low <= value <= high:
            raise InputError(f"The study's {prefix}{name} is {value}; it must lie between {low} and {high}.")


def require_among(key: str, chosen: Collection[str], known: Collection[str], what: str) -> None:
    """Raise an `InputError` for the first name that is none of those known."""
    for name in chosen:
        if name not in known:
            raise InputError(f"The study's {key} names {name!r}; the {what} are {', '.join(known)}.")


def require_seeds(seeds: int | None) -> None:
    """Raise an `InputError` if a number of trainings is none."""
    if seeds is not None and not 1 <= seeds <= 100:
        raise InputError(f"--seeds is {seeds}; it must lie between 1 and 100.")


def _from_dict(values: dict[str, Any], kind: type[Declared]) -> Declared:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the first is what can be seen in the file.
        first = min(error.errors(), key=lambda one: one["type"] not in _UNKNOWN)
        where = _place(first["loc"])
        known = ", ".join(field.name for field in dataclasses.fields(_owner(kind, first["loc"])))
        if first["type"] in _UNKNOWN:
            raise InputError(f"The study has no key {where}; its keys are {known}.") from None
        if first["type"] in _MISSING:
            raise InputError(f"The study lacks {where}; its keys are {known}.") from None
        raise InputError(f"The study's {where} is {first['input']!r}: {first['msg'].lower()}.") from None


def _place(loc: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "declaration"


def _owner(kind: Any, loc: tuple[int | str, ...]) -> Any:
    """Return the dataclass in which a key stands, or should."""
    is_name = False  # the next part is a name that the user gave, not a field
    for part in loc[:-1]:
        if is_name or isinstance(part, int):
            is_name = False
            continue
        hint = get_type_hints(kind).get(part)
        inner = next((one for one in _within(hint) if dataclasses.is_dataclass(one)), None)
        if inner is None:
            break
        kind, is_name = inner, get_origin(hint) is dict
    return kind


def _within(hint: Any) -> Iterator[Any]:
    """Yield a type and all that it is made of."""
    yield hint
    for inner in get_args(hint):
        yield from _within(inner)
