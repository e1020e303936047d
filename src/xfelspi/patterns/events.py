"""Shots by name, `FILE //INDEX` as CrystFEL writes events: in lists, and in a column of our tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

EVENT = "event"
"""The column of a table."""

_EVENT = re.compile(r"(.+?)\s+\S*//(\d+)\s*")


def event_cells(path: Path, n: int) -> Iterator[str]:
    """Give the cells of the column `event` in a table of all shots."""
    name = str(path)
    if any(c in name for c in ',"\r\n'):
        name = name.replace('"', '""')
        return (f'"{name} //{index}"' for index in range(n))
    return (f"{name} //{index}" for index in range(n))


def event_lines(path: Path, indices: Iterable[int]) -> Iterator[bytes]:
    """Give a line `FILE //INDEX` for each shot, as CrystFEL writes events."""
    return (f"{path} //{index}\n".encode() for index in indices)


def read_events(path: Path, of: Path, n: int) -> np.ndarray:
    """Read the indices of one file's shots from a list of events: (k,) int64, ascending.

    Parameters
    ----------
    path : Path
        The list.
    of : Path
        The file that the shots are in. A list made where it had another folder serves, one of another file
        does not.
    n : int
        Shots in that file.

    Raises
    ------
    InputError
        If the list cannot be read, or a line is of another file or beyond the last shot.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"The list {path} cannot be read ({error.strerror}); check the name.") from None
    indices: set[int] = set()
    names: set[str] = set()  # that serve: each is looked up once
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _EVENT.fullmatch(line)
        is_known = found is not None and (found[1] in names or serves(Path(found[1]), of))
        if found is None or not is_known or int(found[2]) >= n:
            raise InputError(
                f"{path}, line {number}, reads {line[:80]!r}; needed is {of.name} //INDEX, with an index "
                f"below {n}."
            )
        names.add(found[1])
        indices.add(int(found[2]))
    return np.array(sorted(indices), np.int64)


def require_about(path: Path, of: Path) -> None:
    """Refuse a list or table that is there and is about the shots of another file: it would be lost.

    One of a file of the same name serves, unless that file is still there and another one. Tables have a
    column `event`; one without, and an empty list, are about nothing that could be told.

    Raises
    ------
    InputError
        If it is.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            header = file.readline()
            first = next(csv.DictReader(chain([header], file)), {}).get(EVENT) or ""
    except (OSError, csv.Error):  # nothing there, or what reading and writing will say more of
        return
    named = file_of_event(header.rstrip("\r\n")) or file_of_event(first)
    if named is not None and _is_other(named, of):
        raise InputError(f"{path} is about shots of {named}, not of {of}; choose another name.")


def require_renewable(table: Path, lists: Iterable[Path], header: str, by: str, of: Path) -> None:
    """Refuse to write a table, which begins with `header`, and lists beside it where others would be lost.

    Raises
    ------
    InputError
        If one is there that did not come from the command `by`, or is about another file.
    """
    try:
        with table.open(encoding="utf-8", errors="replace") as file:
            is_ours = file.readline().startswith(header)
    except OSError:
        is_ours = False
    for path in (table, *lists):
        if path.exists() and not is_ours:
            raise InputError(f"{path} exists and did not come from {by}; choose another --out.")
        require_about(path, of)


def file_of_event(event: str) -> Path | None:
    """Return the file that an event names; None if it is no event."""
    found = _EVENT.fullmatch(event)
    return None if found is None else Path(found[1])


def serves(named: Path, of: Path) -> bool:
    """Tell whether what was said of a file may be read for another: for the same one, moved or copied."""
    copied = named.is_file() and of.is_file() and named.stat().st_size == of.stat().st_size
    return named.name == of.name and (copied or not _is_other(named, of))


def _is_other(named: Path, of: Path) -> bool:
    """Tell whether a file named somewhere is another: of another name, or still there and not the same."""
    return named.name != of.name or (named.exists() and of.exists() and not named.samefile(of))
