"""The words of CrystFEL's `.geom` files: statements, numbers with units, steps along axes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xfelspi.constants import HC_EV_NM
from xfelspi.errors import InputError

LENGTHS = {"m": 1.0, "mm": 1e-3}  # to m
ENERGIES = {"ev": 1.0, "kev": 1e3}  # to eV
WAVELENGTHS = {"m": 1e9, "a": 0.1}  # to nm
_STEP = re.compile(r"([+-]?)\s*(\d*\.?\d*(?:[eE][+-]?\d+)?)\s*([xyz])")


class Quantity(NamedTuple):
    """A number, or the place in the data file where it stands; what to multiply it by, and then to add."""

    number: float | None
    location: str | None
    scale: float
    is_wavelength: bool = False
    offset: float = 0.0

    def of(self, stands: float | None) -> float | None:
        """Return the value, `stands` being what the data file has at `location`."""
        number = stands if self.number is None else self.number
        value = math.nan if number is None else number * self.scale + self.offset
        if not 0 < value < np.inf:
            return None
        return HC_EV_NM / value if self.is_wavelength else value


@dataclass
class Statements:
    """Statements, sorted: those for all, by panel and by bad region.

    A panel takes over what was said for all before it was first mentioned.
    """

    everywhere: dict[str, str] = field(default_factory=dict)
    panels: dict[str, dict[str, str]] = field(default_factory=dict)
    bad: dict[str, dict[str, str]] = field(default_factory=dict)

    def take(self, name: str | None, key: str, value: str, where: str) -> None:
        """Sort in one more.

        Raises
        ------
        InputError
            If it is about a panel without a name.
        """
        if name is None:
            self.everywhere[key] = value
        elif name.startswith("bad"):
            self.bad.setdefault(name, {})[key] = value
        elif not name:
            raise InputError(f"{where}: {key} belongs to a panel without a name; mend that line.")
        else:
            self.panels.setdefault(name, dict(self.everywhere))[key] = value


def read_statements(text: str, path: Path) -> Statements:
    """Sort the statements of a file; `path` is for errors.

    Raises
    ------
    InputError
        If a line is not key = value.
    """
    said = Statements()
    for number, name, key, value in _lines(text, path):
        said.take(name, key, value, f"{path}, line {number}")
    return said


def _lines(text: str, path: Path) -> Iterator[tuple[int, str | None, str, str]]:
    """Line number, panel, key and value of each line that says anything."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition(";")[0].strip()
        if not line:
            continue
        left, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not left:
            raise InputError(f"{path}, line {number} reads {line[:60]!r}; needed is key = value.")
        if left.startswith(("rigid_group", "group_")):
            continue
        name, slash, key = left.rpartition("/")
        yield number, name if slash else None, key, value


def quantity(text: str | None, units: Mapping[str, float], unit: str, where: str) -> Quantity | None:
    """Read "0.5 m", "/place/in/file mm", "9.3keV"; `unit` where none is given; None for nothing.

    `units` are those that such a quantity may have, by name, with what to multiply by.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if text is None:
        return None
    words = text.split()
    if text.startswith("/"):
        scale = units.get((words[1] if len(words) > 1 else unit).lower())
        if scale is not None:
            return Quantity(None, words[0], scale)
    else:
        match = re.fullmatch(r"([-+\d.eE]*[\d.])\s*([A-Za-z]*)", text)
        if match is not None:
            scale = units.get((match[2] or unit).lower())
            if scale is not None:
                return Quantity(number_of(match[1], where), None, scale)
    raise InputError(
        f"{where} is {text!r}; needed is a number with its unit ({', '.join(units)}), or a place in the "
        "data file."
    )


def step(text: str | None, where: str) -> np.ndarray:
    """Read "+0.99x -0.01y": (2,) along x and y.

    A panel leaning along z is taken as flat.

    Raises
    ------
    InputError
        If it is missing or no step.

    Examples
    --------
    >>> step("+0.99x -0.01y", "a/fs").tolist()
    [0.99, -0.01]
    """
    if text is None:
        raise InputError(f"{where} is missing; needed is a step such as +1.0x +0.0y.")
    rest = _STEP.sub("", text).strip()
    found = _STEP.findall(text)
    if rest or not found:
        raise InputError(f"{where} is {text!r}; needed is a step such as +1.0x +0.0y.")
    along = {"x": 0.0, "y": 0.0, "z": 0.0}
    for sign, size, axis in found:
        along[axis] = number_of(f"{sign}{size or '1'}", where)
    return np.array([along["x"], along["y"]])


def number_of(text: str | None, where: str) -> float:
    """Read a finite number.

    Raises
    ------
    InputError
        If it is missing or none.
    """
    try:
        value = float(text) if text is not None else np.nan
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"{where} is {'missing' if text is None else repr(text)}; needed is a number.")
    return value


def whole(text: str | None, where: str) -> int:
    """Read a whole number from 0.

    Raises
    ------
    InputError
        If it is missing or none.
    """
    value = number_of(text, where)
    if value != int(value) or value < 0:
        raise InputError(f"{where} is {text!r}; needed is a whole number from 0.")
    return int(value)
