"""Steps of a study on disk: what is finished is not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xfelspi.errors import InputError
from xfelspi.patterns import write_whole

DECLARED = "declared.json"
"""In a study's folder: what was asked."""


def step(path: Path, decides: dict[str, Any], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a step: from its file if that came from the same, else computed and kept there.

    Parameters
    ----------
    path : Path
        The step's JSON.
    decides : dict
        All that the result depends on, JSON-able.
    compute : callable
        Makes the result, a JSON-able dict.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    decides = json.loads(json.dumps(decides))
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["decides"] == decides:
            return kept["result"]
    except (OSError, ValueError, KeyError, TypeError):  # none, or none of ours: it is made anew
        pass
    text = json.dumps({"decides": decides, "result": compute()}, indent=1)
    write_whole(path, text.encode() + b"\n")
    return json.loads(text)["result"]


def take_folder(out: Path, question: dict[str, Any], overwrite: bool) -> None:
    """Write down what is asked before anything is known; refuse a folder where something else was asked."""
    require_question(out, question, overwrite)
    write_whole(out / DECLARED, (json.dumps(question, indent=1) + "\n").encode())


def require_question(out: Path, question: dict[str, Any], overwrite: bool) -> None:
    """Refuse a folder where something else was asked, as far as the question is known yet; write nothing."""
    path = out / DECLARED
    if overwrite or not path.exists():
        return
    try:
        asked = json.loads(path.read_text("utf-8"))
        same = all(asked[name] == part for name, part in json.loads(json.dumps(question)).items())
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise InputError(
            f"{out} holds another study, or this one as it was declared before; choose another --out, or add "
            "--overwrite: the report is replaced, finished steps that still serve are used."
        )


def digest(decides: Any) -> str:
    """Return the hash of something JSON-able."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
