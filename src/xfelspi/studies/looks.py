"""The log of looks: every time a model was scored on a measured set, kept for good.

Who scores many models on one small measured set and tells of the best has learned from the set. So each
look is written down where no study's folder is, under the set's content, and reports show all of them.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xfelspi.errors import InputError


def log_path() -> Path:
    """Return the log: `looks.jsonl` in `XFELSPI_STATE`, or in the platform's folder for a user's state."""
    from platformdirs import user_state_path

    return Path(os.environ.get("XFELSPI_STATE") or user_state_path("xfelspi")) / "looks.jsonl"


def note_look(look: dict[str, Any]) -> None:
    """Append one line to the log, with the time; it is on disk when this returns.

    Raises
    ------
    InputError
        If the log cannot be written: then nobody may look.
    """
    path = log_path()
    line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **look})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            is_cut = file.tell() > 0 and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
            file.write((b"\n" if is_cut else b"") + line.encode() + b"\n")  # appends, wherever it read
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"The log of looks at measured shots, {path}, cannot be written ({error.strerror}); "
            "set XFELSPI_STATE to a folder that can."
        ) from None


def looks_at(frames_sha256: str) -> list[dict[str, Any]]:
    """Return all looks at one measured set, oldest first; a line that a crash cut short is left out.

    Raises
    ------
    InputError
        If the log cannot be read.
    """
    path = log_path()
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"The log of looks at measured shots, {path}, cannot be read ({error.strerror}); mend that, or "
            "set XFELSPI_STATE to another folder."
        ) from None
    looks = []
    for line in lines:
        try:
            look = json.loads(line)
        except ValueError:
            continue
        if isinstance(look, dict) and look.get("frames_sha256") == frames_sha256:
            looks.append(look)
    return looks
