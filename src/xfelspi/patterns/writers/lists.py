"""Lists of shots as other programs read them: events of CrystFEL, and the five files of Cheetah and OM."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .output import Output, source_digits
from .shots import Shots

CHEETAH_STATUS = "status.txt"
_EVENT = re.compile(r"(.+?)\s+\S*//(\d+)\s*")
_WRITTEN_BY = "Written by: xfelspi "
_FRAMES_HEADER = b"# timestamp, event_id, hit, filename, index, num_peaks, ave_intensity, probability\n"


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
        The file that the shots are in. A list made where it had another folder serves, one that names another
        file of it does not.
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
    indices = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _EVENT.fullmatch(line)
        if found is None or Path(found[1]).name != of.name or int(found[2]) >= n:
            raise InputError(
                f"{path}, line {number}, reads {line[:80]!r}; needed is {of.name} //INDEX, with an index "
                f"below {n}."
            )
        indices.add(int(found[2]))
    return np.array(sorted(indices), np.int64)


def require_list_of(path: Path, of: Path) -> None:
    """Refuse a list that is there and names the shots of another file: it would be lost.

    A list of a file of the same name serves, unless that file is still there and another one.

    Raises
    ------
    InputError
        If it does.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            found = _EVENT.fullmatch(file.readline().rstrip("\n"))
    except OSError:  # nothing there, or what writing will say more of
        return
    if found is None:
        return
    named = Path(found[1])
    is_other = named.exists() and of.exists() and not named.samefile(of)
    if named.name != of.name or is_other:
        raise InputError(f"{path} lists shots of {named}, not of {of}; choose another --out.")


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
    events = [_EVENT.fullmatch(line) for line in content.decode(errors="replace").splitlines()]
    files = [Path(event[1]) for event in events if event is not None]
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
