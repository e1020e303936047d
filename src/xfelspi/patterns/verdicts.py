"""What was said about the patterns of a file, from the table that `xfel classify` writes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .events import EVENT, file_of_event, serves

_NOT_VERDICTS = ("index", "label")


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdicts:
    """Scores and tags of all patterns of a file.

    Attributes
    ----------
    scores : dict of str to (n,) float64
        Numbers, by name; NaN where one is missing.
    tags : dict of str to (n,) bool
        What is either so or not, by name; `kept` is always among them.
    """

    scores: dict[str, np.ndarray]
    tags: dict[str, np.ndarray]

    @property
    def kept(self) -> np.ndarray:
        """Indices of the patterns to keep: (k,) int64, ascending."""
        return np.flatnonzero(self.tags["kept"])


def read_verdicts(path: Path, of: Path, n: int) -> Verdicts:
    """Read a table about a file: a line for each of `n` patterns, columns `index` and `kept` and any others.

    A column of nothing but 0 and 1 is a tag, any other a score. Where a column `event` names the file, it
    must be that one.

    Raises
    ------
    InputError
        If it is no such table, or not about that file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
    except (OSError, csv.Error) as error:
        raise InputError(f"The table {path} cannot be read ({error}); check the name.") from None
    if "index" not in header or "kept" not in header:
        raise InputError(
            f"{path} has no columns index and kept; give the table that xfel classify wrote, NAME.csv."
        )
    if EVENT in header:
        column = header.index(EVENT)
        header.pop(column)
        events = [row.pop(column) for row in rows if len(row) > column]
        named = file_of_event(events[0]) if events else None
        if named is not None and not serves(named, of):
            raise InputError(
                f"{path} is about {named}, not about {of}; classify {of}, or give its own table."
            )
    columns = _columns(path, header, rows)
    if not np.array_equal(columns["index"], np.arange(n)):
        raise InputError(
            f"{path} does not have a line for each of the {n} patterns in order; classify them again."
        )
    written = dict(zip(header, zip(*rows, strict=True), strict=True))
    is_tag = {name: set(values) <= {"0", "1"} for name, values in written.items()}
    if not is_tag["kept"]:
        raise InputError(f"The column kept of {path} holds more than 0 and 1; classify the patterns again.")
    said = {name: values for name, values in columns.items() if name not in _NOT_VERDICTS}
    return Verdicts(
        scores={name: values for name, values in said.items() if not is_tag[name]},
        tags={name: values.astype(bool) for name, values in said.items() if is_tag[name]},
    )


def _columns(path: Path, header: list[str], rows: list[list[str]]) -> dict[str, np.ndarray]:
    """Numbers of every column; an empty cell is NaN."""
    try:
        table = np.array([[float(cell or "nan") for cell in row] for row in rows]).reshape(-1, len(header))
    except ValueError:
        raise InputError(f"{path} has cells that are no numbers; classify the patterns again.") from None
    return dict(zip(header, table.T, strict=True))
