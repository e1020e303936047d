"""Small files beside the patterns, whole or not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .replacing import replacing


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file under another name and rename it, so that it is whole or as it was.

    Content that does not fit into memory comes in parts.

    Raises
    ------
    InputError
        If it cannot be written, or another process is writing it.
    """
    with replacing(path) as file:
        file.writelines([content] if isinstance(content, bytes) else content)
