"""A file written beside its place and renamed into it: complete or as it was, and one writer at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from xfelspi.errors import InputError

from .folder import flush_folder, require_writable
from .journal import MAGIC
from .lock import open_locked
from .sturdy import SturdyFile


@contextmanager
def replacing(path: Path, check: Callable[[], None] = lambda: None) -> Iterator[SturdyFile]:
    """Give an empty file to write; it takes the place of `path` when the block ends without an error.

    It is `path`.part until then, locked for this process; one that a killed process left is written anew.

    Parameters
    ----------
    path : Path
        The file to be; its folder is made if need be.
    check : callable
        Raises if `path` must not be replaced; by default it may. Asked twice: before anything is touched, and
        with the lock, for another process may have finished meanwhile.

    Raises
    ------
    InputError
        If another process writes `path`, an unfinished run of another kind stands there, or the disk is full,
        fails, or is not to be written to. Nothing is left behind then.
    """
    check()
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file that could be replaced; choose another output.")
    require_writable(path.parent)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open_locked(part)
    except OSError as error:
        raise _failure(path, error) from None
    try:
        if lock.read(len(MAGIC)) == MAGIC:
            raise InputError(
                f"{part} holds an unfinished simulation; finish it, remove it, or choose another output."
            )
        try:
            check()
            lock.truncate(0)
            with SturdyFile(lock.fileno(), "r+", closefd=False) as file:
                file.seek(0)
                yield file
                file.require_written()
            os.fsync(lock.fileno())
            part.replace(path)
        except BaseException as error:
            part.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _failure(path, error) from None
            raise
        flush_folder(path.parent)
    finally:
        lock.close()


def _failure(path: Path, error: OSError) -> InputError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return InputError(f"{path} cannot be written ({reason}); mend that, or choose another place.")
