"""What every writer is given: some patterns of a file, and what was said about them."""

from __future__ import annotations

import glob
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from ..reader import PatternSet

_BLOCK_BYTES = 1 << 24  # frames in memory at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Shots:
    """The patterns to write, in order.

    Attributes
    ----------
    patterns : PatternSet
        Where they come from.
    indices : (k,) int64
        Which of its patterns, ascending.
    scores : dict of str to (k,) float64
        Numbers that each of them was given, by name.
    tags : dict of str to (k,) bool
        What each of them was marked as, by name.
    """

    patterns: PatternSet
    indices: np.ndarray
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    tags: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices)

    @cached_property
    def dtype(self) -> np.dtype:
        """Type of a pixel, as it is in the file, in this machine's order of bytes."""
        return self.patterns.raw(0, 1).dtype.newbyteorder("=")

    @property
    def n_pixels(self) -> int:
        """Pixels of a frame."""
        return int(np.prod(self.patterns.shape))

    @property
    def names(self) -> np.ndarray:
        """What identifies each shot, (k,) str; where nobody says, the file and the place in it."""
        if self.patterns.ids is not None:
            return self.patterns.ids[self.indices]
        return np.array([f"{self.patterns.path.name}:{index}" for index in self.indices])

    @property
    def labels(self) -> np.ndarray | None:
        """1 single, 0 not, -1 unknown: (k,) int8; None where nobody knows."""
        return None if self.patterns.labels is None else self.patterns.labels[self.indices]

    @property
    def truth(self) -> dict[str, np.ndarray] | None:
        """The fields of `TRUTH_FIELDS`, one row per shot; None where nobody knows."""
        truth = None if self.patterns.labels_given else self.patterns.truth
        return None if truth is None else {name: values[self.indices] for name, values in truth.items()}

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Go through the frames: place of the first, and (j, ny, nx) as they are in the file.

        Raises
        ------
        InputError
            If a frame, a picture say, is of a type whose numbers that of the first cannot hold.
        """
        size = max(1, _BLOCK_BYTES // (self.dtype.itemsize * self.n_pixels))
        for start in range(0, len(self), size):
            frames = self._read(self.indices[start : start + size])
            if not np.can_cast(frames.dtype, self.dtype, "safe"):
                raise InputError(
                    f"{self.patterns.path} has frames of {self.dtype} and others of {frames.dtype}, which do "
                    "not fit in there; save all of them as one type."
                )
            yield start, frames.astype(self.dtype, copy=False)

    def fingerprint(self) -> str:
        """Tell these shots, and what was said about them, from others; not where the file lies.

        The first and the last frame stand for all: a file may hold several sets, or be opened in several
        ways.
        """
        path, patterns = self.patterns.path, self.patterns
        found = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in _files(path)]
        crc = zlib.crc32(self.indices.astype(np.int64).tobytes())
        for name, values in sorted({**self.scores, **self.tags}.items()):
            crc = zlib.crc32(values.tobytes(), zlib.crc32(name.encode(), crc))
        crc = zlib.crc32(patterns.bits.tobytes(), crc)
        for index in (int(self.indices[0]), int(self.indices[-1])):
            crc = zlib.crc32(np.ascontiguousarray(patterns.raw(index, index + 1)).tobytes(), crc)
        crc = zlib.crc32(repr((patterns.geometry, patterns.centre_yx)).encode(), crc)
        if self.labels is not None:
            crc = zlib.crc32(self.labels.tobytes(), crc)
        crc = zlib.crc32(repr(found).encode(), crc)
        return f"{path.name} {len(self)} {crc:08x}"

    def _read(self, indices: np.ndarray) -> np.ndarray:
        """Read neighbours in one go: most files are kept whole, or one pattern in a hundred."""
        cuts = np.flatnonzero(np.diff(indices) != 1) + 1
        runs = [self.patterns.raw(int(run[0]), int(run[-1]) + 1) for run in np.split(indices, cuts)]
        return np.concatenate(runs) if len(runs) > 1 else runs[0]


def _files(path: Path) -> list[Path]:
    """Find the files behind a name: one, those in a folder, or those that a pattern of names fits."""
    found = (
        path.rglob("*") if path.is_dir() else [path] if path.exists() else map(Path, glob.iglob(str(path)))
    )
    return sorted(file for file in found if file.is_file())
