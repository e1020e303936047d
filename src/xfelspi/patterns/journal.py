"""An append-only file of checksummed records, from which a killed run resumes.

    line       magic, format number
    line       JSON header: the run that writes it, and its CRC-32
    records    index, payload length, CRC-32 of the payload, CRC-32 of this head; payload

A record counts when it is whole. The first head that is not sound ends the journal: everything from
there on is the torn tail of a killed process and is cut off.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import struct
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isal import isal_zlib

from xfelspi.errors import InputError

MAGIC = b"xfel journal 1\n"
_HEAD = struct.Struct("<IQI")  # index, payload length, CRC-32 of the payload
_CRC = struct.Struct("<I")

_open_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


def _forget_in_child() -> None:
    """Close inherited journals: a worker that outlives a killed parent must not keep its lock."""
    for journal in list(_open_journals):
        journal.close()


os.register_at_fork(after_in_child=_forget_in_child)


class Journal:
    """The journal at `path`, locked for this process until `close`.

    Raises
    ------
    InputError
        If another process holds the lock, the file is not a journal, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: dict[str, Any] | None = None
        self._at: dict[int, tuple[int, int, int]] = {}  # index -> payload offset, length, CRC-32
        self._end = 0
        try:
            self._file = open_locked(path)
        except OSError as error:
            raise InputError(f"Cannot write {path}: {os.strerror(error.errno or 0)}.") from None
        _open_journals.add(self)
        try:
            self._read_header()
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._at)

    def recover(self) -> Iterator[tuple[int, bytes]]:
        """Go through the records that are whole, and cut off what follows the last sound head."""
        total = os.fstat(self._file.fileno()).st_size
        while self._end + _HEAD.size + _CRC.size <= total:
            head = self._read(self._end, _HEAD.size + _CRC.size)
            index, length, crc = _HEAD.unpack_from(head)
            start = self._end + len(head)
            if _CRC.unpack_from(head, _HEAD.size)[0] != isal_zlib.crc32(head[: _HEAD.size]):
                break
            if start + length > total:
                break
            self._end = start + length
            payload = self._read(start, length)
            if isal_zlib.crc32(payload) == crc:
                self._at[index] = start, length, crc
                yield index, payload
        self._file.truncate(self._end)

    def begin(self, header: dict[str, Any]) -> None:
        """Empty the journal and write its header."""
        self._file.truncate(0)
        self._at.clear()
        self._end = 0
        line = json.dumps(header, sort_keys=True).encode()
        self._append(MAGIC + line + f" {isal_zlib.crc32(line):08x}\n".encode())
        self.header = json.loads(line)

    def append(self, index: int, payload: bytes) -> None:
        """Add a record, whole or not at all."""
        crc = isal_zlib.crc32(payload)
        head = _HEAD.pack(index, len(payload), crc)
        head += _CRC.pack(isal_zlib.crc32(head))
        start = self._end + len(head)
        self._append(head + payload)
        self._at[index] = start, len(payload), crc

    def read(self, index: int) -> bytes:
        """One record's payload.

        Raises
        ------
        OSError
            If the disk no longer gives back what was written.
        """
        start, length, crc = self._at[index]
        payload = self._read(start, length)
        if isal_zlib.crc32(payload) != crc:
            raise OSError(errno.EIO, f"record {index} reads back damaged")
        return payload

    def remove(self) -> None:
        """Delete the file and release the lock."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Release the lock; what was appended stays."""
        _open_journals.discard(self)
        self._file.close()

    def _append(self, data: bytes) -> None:
        try:
            self._file.seek(self._end)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            # Disk full, or Ctrl-C half way: the next record must not follow half a one.
            self._file.truncate(self._end)
            raise
        self._end += len(data)

    def _read(self, start: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, start)

    def _read_header(self) -> None:
        """Set `header`; None for a journal killed before its header was whole."""
        size = os.fstat(self._file.fileno()).st_size
        if self._read(0, min(size, len(MAGIC))) != MAGIC[:size]:
            raise InputError(
                f"{self.path} is in the way and is not a journal of xfel; move it, or choose another output."
            )
        self._file.seek(len(MAGIC))
        text = self._file.readline()
        line, _, crc = text.rpartition(b" ")
        if text.endswith(b"\n") and crc.strip() == f"{isal_zlib.crc32(line):08x}".encode():
            self.header = json.loads(line)
            self._end = len(MAGIC) + len(text)


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


def _lock(file: io.FileIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some cluster file systems have no locks at all: better an unguarded run than none.
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
