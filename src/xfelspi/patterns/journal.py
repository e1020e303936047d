"""An append-only file of checksummed records, from which a killed run resumes.

    line       magic, format number
    line       JSON header: the run that writes it, and its CRC-32
    records    index, payload length, CRC-32 of the payload, CRC-32 of this head; payload

A record counts when it is whole. The first head that is not sound ends the journal: everything from
there on is the torn tail of a killed process and is cut off.
"""

from __future__ import annotations

import errno
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isal import isal_zlib

from xfelspi.errors import InputError

from .lock import open_locked

MAGIC = b"xfel journal 1\n"
_HEAD = struct.Struct("<IQI")  # index, payload length, CRC-32 of the payload
_CRC = struct.Struct("<I")


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
