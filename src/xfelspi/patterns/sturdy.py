"""A file that HDF5 can always close."""

from __future__ import annotations

import io
from typing import Any


class SturdyFile(io.FileIO):
    """Takes every write, and keeps the first one's error that failed in `error`.

    When a disk is full, HDF5 fails to close the file and the process crashes later, as its handles
    are released. So HDF5 never hears of it: look at `error` between blocks, and after closing.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of it, or note why not."""
        rest = memoryview(data)
        size = len(rest)
        try:
            while self.error is None and rest:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        """Set the length, or note why not."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return self.tell()

    def require_written(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.error is not None:
            raise self.error
