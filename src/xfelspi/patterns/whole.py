"""Small files beside the patterns, whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from xfelspi.errors import InputError


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file under another name and rename it, so that it is whole or as it was.

    Content that does not fit into memory comes in parts.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    part = path.with_name(f"{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); mend that, or choose another place."
        ) from None
