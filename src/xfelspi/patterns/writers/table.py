"""What patterns are written as: one entry a format, and what each of them cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from xfelspi.errors import InputError

from .cxi import cxi_identity, write_cxi
from .dragonfly import blacklist, class_list, detector_file
from .emc import emc_hdf5_identity, emc_identity, write_emc, write_emc_hdf5
from .lists import (
    CHEETAH_STATUS,
    cheetah_identity,
    cheetah_lists,
    events_in,
    events_of,
    write_cheetah_status,
    write_events,
)
from .output import Output
from .shots import Shots

Content = bytes | Iterable[bytes]


class Target(NamedTuple):
    """A format to write.

    `write` puts the main file, `main(path)`, together and says what it had to change. `beside` gives files
    to go with it, and `companions` all that might lie there: what another conversion left would be believed.
    `lost` says in a sentence each what the format cannot hold of these shots. A file says
    which conversion it came from: `identity_in` reads it, None for a file of any other origin. Where it has
    no room to say so, `identity_of` puts what it will hold in the place of the conversion. A format that
    `needs_centre` says at which momentum transfer each pixel is.
    """

    name: str
    endings: tuple[str, ...]
    write: Callable[[Shots, Output], list[str]]
    identity_in: Callable[[Path], str | None]
    identity_of: Callable[[Shots, str], str] = lambda shots, identity: identity  # noqa: ARG005
    main: Callable[[Path], Path] = lambda path: path
    beside: Callable[[Shots, Path], Mapping[Path, Content]] = lambda shots, path: {}  # noqa: ARG005
    lost: Callable[[Shots], list[str]] = lambda shots: []  # noqa: ARG005
    companions: Callable[[Path], tuple[Path, ...]] = lambda path: ()  # noqa: ARG005
    needs_centre: bool = False


_OF_EMC = ("_det.h5", "_classes.txt", "_blacklist.txt")


def _companions_of_emc(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.stem + ending) for ending in _OF_EMC)


def _beside_emc(shots: Shots, path: Path) -> Mapping[Path, Content]:
    geometry = shots.patterns.geometry
    contents = (
        None if geometry is None else detector_file(geometry, shots.patterns.mask),
        class_list(shots),
        blacklist(shots),
    )
    found = zip(_companions_of_emc(path), contents, strict=True)
    return {place: content for place, content in found if content is not None}


def _lost_in_cxi(shots: Shots) -> list[str]:
    patterns, said = shots.patterns, []
    if patterns.labels_given and patterns.truth is not None:
        said.append("Labels were given, so the copy has these in place of the truth.")
    if patterns.has_scores and not (shots.scores or shots.tags):
        said.append("Scores and tags in the file are not in the copy; --selection NAME.csv writes them.")
    if patterns.has_own_masks:
        said.append(
            "Each frame has a mask of its own; what it hides is NaN in the copy, and frames are float32."
        )
    return said


def _lost_in_emc(shots: Shots) -> list[str]:
    patterns, said = shots.patterns, []
    gone = [
        name
        for name, there in (
            ("the truth", patterns.truth is not None),
            ("the recipe", patterns.run is not None),
            ("identifiers of the shots", patterns.ids is not None),
            ("scores", bool(shots.scores)),
        )
        if there
    ]
    if gone:
        said.append(f"EMC does not hold {', '.join(gone)}.")
    if patterns.geometry is None:
        said.append(
            "The file says no geometry, so there is no detector file, and mask and layout of the pixels "
            "are not kept."
        )
    elif (patterns.bits[patterns.mask] != 0x80).any():
        said.append("A detector file says which pixels are bad, not why.")
    return said


def _lost_in_lists(_: Shots) -> list[str]:
    return ["A list names the shots and holds no frames."]


TARGETS = (
    Target("cxi", (".cxi", ".h5", ".hdf5"), write_cxi, cxi_identity, lost=_lost_in_cxi),
    Target(
        "emc",
        (".emc",),
        write_emc,
        emc_identity,
        needs_centre=True,
        beside=_beside_emc,
        lost=_lost_in_emc,
        companions=_companions_of_emc,
    ),
    Target(
        "emc-h5",
        (".emc.h5",),
        write_emc_hdf5,
        emc_hdf5_identity,
        needs_centre=True,
        beside=_beside_emc,
        lost=_lost_in_emc,
        companions=_companions_of_emc,
    ),
    Target("lst", (".lst",), write_events, events_in, events_of, lost=_lost_in_lists),
    Target(
        "cheetah",
        (),
        write_cheetah_status,
        cheetah_identity,
        main=lambda path: path / CHEETAH_STATUS,
        beside=lambda shots, path: {path / name: lines for name, lines in cheetah_lists(shots).items()},
        lost=_lost_in_lists,
    ),
)
"""Formats to write, by name and ending; of several endings that fit the longest counts."""


def target_for(path: Path, name: str | None = None) -> Target:
    """Choose the format by its name, else by the ending of the file.

    Raises
    ------
    InputError
        If there is none.
    """
    if name is not None:
        for target in TARGETS:
            if target.name == name:
                return target
        known = ", ".join(target.name for target in TARGETS)
        raise InputError(f"There is no format {name!r}; choose one of {known}.")
    by_ending = {ending: target for target in TARGETS for ending in target.endings}
    fitting = [ending for ending in by_ending if path.name.lower().endswith(ending)]
    if not fitting:
        raise InputError(
            f"{path} has no ending that tells the format ({', '.join(by_ending)}); give one of these."
        )
    return by_ending[max(fitting, key=len)]
