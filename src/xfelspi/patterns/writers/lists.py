"""Lists of shots as other programs read them: events of CrystFEL, and the five files of Cheetah and OM."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ..events import event_lines, file_of_event
from .output import Output, source_digits
from .shots import Shots

CHEETAH_STATUS = "status.txt"
_WRITTEN_BY = "Written by: xfelspi "
_FRAMES_HEADER = b"# timestamp, event_id, hit, filename, index, num_peaks, ave_intensity, probability\n"


def write_events(shots: Shots, out: Output) -> list[str]:
    """Write CrystFEL's list of events."""
    out.file.write(b"".join(event_lines(shots.patterns.path, shots.indices)))
    return []


def events_of(shots: Shots, _: str) -> str:
    """Tell a list by what is in it: it has no room for anything else."""
    content = b"".join(event_lines(shots.patterns.path, shots.indices))
    return source_digits(shots.patterns.path) + hashlib.sha256(content).hexdigest()


def events_in(path: Path) -> str | None:
    """Tell the same of a list on disk; None if a line is no event, or there is none."""
    content = path.read_bytes()
    events = [file_of_event(line) for line in content.decode(errors="replace").splitlines()]
    files = [file for file in events if file is not None]
    if not events or len(files) < len(events):
        return None
    return source_digits(*files) + hashlib.sha256(content).hexdigest()


def plain(name: str) -> str:
    r"""Make a name out of a file fit for a table: it must not make two shots of one, nor two cells.

    Examples
    --------
    >>> plain("run 3, shot\n7")
    'run 3? shot?7'
    """
    return "".join(c if c.isprintable() and c != "," else "?" for c in name)


def cheetah_lists(shots: Shots) -> dict[str, Iterable[bytes]]:
    """Give frames.txt and cleaned.txt, a line a frame and a hit, events.lst and hits.lst, their identifiers.

    Columns are those of OM 2023 (CheetahListFilesWriter) and, after them, the probability of a single hit.
    Nobody looked for Bragg peaks, so there are none, and patterns carry no time: nan.
    """
    hit = shots.tags.get("kept", np.ones(len(shots), bool))
    probability = shots.scores.get("probability", np.full(len(shots), np.nan))
    events = list(zip(map(plain, shots.names), hit, shots.indices, probability, strict=True))

    def lines(only_hits: bool) -> Iterator[bytes]:
        yield _FRAMES_HEADER
        for name, is_hit, index, share in events:
            if is_hit or not only_hits:
                row = f"nan, {name}, {int(is_hit)}, {shots.patterns.path}, {index}, 0, 0.0, {share:.6f}\n"
                yield row.encode()

    def names(only_hits: bool) -> Iterator[bytes]:
        return (f"{name}\n".encode() for name, is_hit, _, _ in events if is_hit or not only_hits)

    return {
        "frames.txt": lines(False),
        "cleaned.txt": lines(True),
        "events.lst": names(False),
        "hits.lst": names(True),
    }


def write_cheetah_status(shots: Shots, out: Output) -> list[str]:
    """Write status.txt, after the lists: how many frames and hits there are."""
    hits = int(shots.tags["kept"].sum()) if "kept" in shots.tags else len(shots)
    now = time.time()
    minutes, seconds = divmod(int(now - out.began), 60)
    hours, minutes = divmod(minutes, 60)
    text = (
        "# Cheetah status\n"
        f"Update time: {time.ctime(now)}\n"
        f"Elapsed time: {hours}hr {minutes}min {seconds}sec\n"
        "Status: Finished\n"
        f"Frames processed: {len(shots)}\n"
        f"Number of hits: {hits}\n"
        f"{_WRITTEN_BY}{out.identity}\n"
    )
    out.file.write(text.encode())
    return []


def cheetah_identity(path: Path) -> str | None:
    """Tell which conversion wrote a status.txt; None if none did."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [line.removeprefix(_WRITTEN_BY) for line in lines if line.startswith(_WRITTEN_BY)]
    return found[0] if found else None
