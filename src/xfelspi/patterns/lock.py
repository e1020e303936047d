"""One writer at a time: locks that go with their process."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xfelspi.errors import InputError

_locked: weakref.WeakSet[io.FileIO] = weakref.WeakSet()


def _forget_in_child() -> None:
    """Close what was inherited: a worker that outlives a killed parent must not keep its locks."""
    for file in list(_locked):
        file.close()


os.register_at_fork(after_in_child=_forget_in_child)


def open_locked(path: Path) -> io.FileIO:
    """Open for reading and writing, make it if need be, and lock it for this process until it is closed.

    Raises
    ------
    InputError
        If another process holds the lock.
    OSError
        If it cannot be opened.
    """
    while True:
        file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+")
        try:
            _lock(file)
            # The process that held the lock may have finished and removed the file meanwhile.
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                _locked.add(file)
                return file
            file.close()
        except BlockingIOError:
            file.close()
            output = path.with_suffix("")
            raise InputError(
                f"Another process is writing {output}; wait for it, or choose another output."
            ) from None
        except BaseException:
            file.close()
            raise


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Keep other processes from writing `path` meanwhile; `path`.lock stands beside it so long.

    Raises
    ------
    InputError
        If another process claims it, or its folder cannot be written to.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = open_locked(lock)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise InputError(
            f"{path} cannot be written ({reason}); mend that, or choose another place."
        ) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        file.close()


def _lock(file: io.FileIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some cluster file systems have no locks at all: better an unguarded run than none.
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
