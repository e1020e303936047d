"""Patterns of any format that is read -> a format that is written: in blocks, whole or not at all."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xfelspi import __version__
from xfelspi.errors import InputError

from ..reader import PatternSet
from ..replacing import replacing
from ..verdicts import Verdicts
from ..whole import write_whole
from ..writer import AlreadyComplete
from .output import OF_SOURCE, Output, source_digits
from .shots import Shots
from .table import Target, target_for


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What was written.

    Attributes
    ----------
    path : Path
        The file, or the folder of lists.
    beside : list of Path
        Files that go with it.
    n : int
        Patterns in it.
    lost : list of str
        A sentence for each thing that the format could not hold, or that had to be changed.
    """

    path: Path
    beside: list[Path]
    n: int
    lost: list[str]


def convert(
    patterns: PatternSet,
    path: Path,
    *,
    to: str | None = None,
    only: np.ndarray | None = None,
    verdicts: Verdicts | None = None,
    rounding: bool = False,
    overwrite: bool = False,
    renew: bool = False,
) -> Converted:
    """Write patterns in another format.

    Parameters
    ----------
    patterns : PatternSet
        What to write.
    path : Path
        The file to write; a folder for Cheetah's lists.
    to : str, optional
        Name of the format, one of `TARGETS`; by default the ending tells.
    only : (k,) int64, optional
        Patterns to write, ascending; by default all.
    verdicts : Verdicts, optional
        What was said about the patterns, all of them: scores and tags to write with them.
    rounding : bool
        Round pixels where the format holds whole photons only.
    overwrite : bool
        Replace files that something else wrote. They stay until the new ones are whole.
    renew : bool
        Replace what a conversion of this source wrote, but nothing else.

    Raises
    ------
    AlreadyComplete
        If this very conversion is there.
    InputError
        If nothing is to be written, the format cannot hold it, something else stands in the way, another
        process writes there, or the disk is full. Under the final name is then what was there before.
    """
    target = target_for(path, to)
    chosen = np.arange(patterns.n) if only is None else only
    if not len(chosen):
        raise InputError(f"No pattern of {patterns.path} is chosen, so nothing is written to {path}.")
    shots = Shots(
        patterns=patterns,
        indices=chosen,
        scores={} if verdicts is None else {name: v[chosen] for name, v in verdicts.scores.items()},
        tags={} if verdicts is None else {name: v[chosen] for name, v in verdicts.tags.items()},
    )
    identity = target.identity_of(shots, _identity(shots, target, rounding))
    main, beside = target.main(path), target.beside(shots, path)
    left = [place for place in target.companions(path) if place not in beside]
    began = time.time()
    # What lies beside a part that a killed process left is of that process.
    is_begun = main.with_name(main.name + ".part").exists()

    def check() -> None:
        there = _identity_in(main, target)
        # Wherever the source lay then: its digits do not count.
        is_same = there is not None and there[OF_SOURCE:] == identity[OF_SOURCE:]
        if is_same and all(place.exists() for place in beside):
            raise AlreadyComplete(path)
        is_renewed = renew and there is not None and there[:OF_SOURCE] == identity[:OF_SOURCE]
        may_replace = overwrite or is_renewed
        or_else = "" if renew else ", or add --overwrite"
        _require_free(main, patterns, may_replace or is_same, or_else)
        for place in beside:
            _require_free(place, patterns, may_replace or is_same or is_begun, or_else)
        for place in left:
            _require_free(place, patterns, may_replace or is_begun, or_else)

    with replacing(main, check) as file:
        said = target.write(shots, Output(main, file, identity, rounding, began))
        for other, content in beside.items():
            write_whole(other, content)
        for place in left:
            place.unlink(missing_ok=True)
    return Converted(path=path, beside=list(beside), n=len(shots), lost=target.lost(shots) + said)


def left_before(patterns: PatternSet, path: Path) -> list[Path]:
    """Name what an earlier conversion of these patterns left under a name: what may be renewed.

    Raises
    ------
    InputError
        If something else has the name.
    """
    target = target_for(path)
    main = target.main(path)
    if not main.exists() and not main.is_symlink():
        return []
    there = _identity_in(main, target)
    may_replace = there is not None and there[:OF_SOURCE] == source_digits(patterns.path)
    _require_free(main, patterns, may_replace, "")
    return [place for place in (main, *target.companions(path)) if place.exists()]


def _require_free(place: Path, patterns: PatternSet, may_replace: bool, or_else: str) -> None:
    """Refuse to replace a folder, what is read, or, unless it may be, any other file."""
    if place.is_dir():
        raise InputError(f"{place} is a folder; name a file to write.")
    if not place.exists():
        return
    if patterns.is_read_from(place):
        raise InputError(f"{place} is the file that is read, or goes with it; choose another output.")
    if not may_replace:
        raise InputError(
            f"{place} exists and did not come from this very conversion; choose another output{or_else}."
        )


def _identity_in(path: Path, target: Target) -> str | None:
    try:
        return target.identity_in(path) if path.is_file() else None
    except (InputError, OSError, ValueError):  # whatever it is, it is not ours
        return None


def _identity(shots: Shots, target: Target, rounding: bool) -> str:
    decides = f"{shots.fingerprint()} {target.name} {rounding} {__version__}"
    everything = hashlib.sha256(decides.encode()).hexdigest()
    return source_digits(shots.patterns.path) + everything[: 16 - OF_SOURCE]
