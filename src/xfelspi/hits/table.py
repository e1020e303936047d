"""Hits on disk: a table of every shot, and the list of those to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xfelspi.patterns import PatternSet, event_cells, event_lines, plain, require_renewable, write_whole

from .find import Hits

_HEADER = "index,id,score,threshold,hit,kept_as_miss,event"


class HitFiles(NamedTuple):
    """What was written."""

    table: Path
    kept: Path


def hit_files(stem: Path, of: Path) -> HitFiles:
    """Name the files of hits in a file: STEM-hits.csv and STEM-hits.lst.

    Raises
    ------
    InputError
        If one is there that is not ours, or is of another file.
    """
    files = HitFiles(*(stem.with_name(f"{stem.name}-hits{ending}") for ending in (".csv", ".lst")))
    require_renewable(files.table, [files.kept], _HEADER, "xfel hits", of)
    return files


def write_hits(patterns: PatternSet, hits: Hits, stem: Path) -> HitFiles:
    """Write STEM-hits.csv, every shot with its score, and STEM-hits.lst, hits and the misses kept beside.

    The list has a line `FILE //INDEX` for each, as CrystFEL writes events.

    Raises
    ------
    InputError
        If something else has one of the names, or they cannot be written.
    """
    files = hit_files(stem, patterns.path)
    ids = patterns.ids

    def lines() -> Iterator[bytes]:
        yield f"{_HEADER}\n".encode()
        for i, event in enumerate(event_cells(patterns.path, patterns.n)):
            name = "" if ids is None else plain(str(ids[i]))
            yield (
                f"{i},{name},{hits.score[i]:.6g},{hits.threshold[i]:.6g},"
                f"{int(hits.hit[i])},{int(hits.kept_as_miss[i])},{event}\n"
            ).encode()

    write_whole(files.table, lines())
    chosen = np.flatnonzero(hits.hit | hits.kept_as_miss)
    write_whole(files.kept, event_lines(patterns.path, chosen))
    return files
