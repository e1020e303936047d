"""The folder that is written into."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from xfelspi.errors import InputError


def nearest(folder: Path) -> Path:
    """Find the folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def require_writable(folder: Path) -> None:
    """Refuse a place where nothing can be written.

    Raises
    ------
    InputError
        If it lies below a file, or there is no permission.
    """
    above = nearest(folder)
    if not above.is_dir():
        raise InputError(f"{above} is a file, so nothing can be written below it; choose another output.")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"No permission to write in {above}; choose another output.")


def flush_folder(folder: Path) -> None:
    """Make a rename outlast a power cut, where the folder can be read and its file system knows how."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
