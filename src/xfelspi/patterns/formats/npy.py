"""NumPy's npy, mapped into memory, and npz, read as a stream. Nothing in either is ever executed."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple

import numpy as np

from xfelspi.errors import InputError

from ..beside import are_labels, as_mask, holding_objects, map_npy
from .choosing import listed, only_name, require_stack
from .stack import Choices, Stack

_NPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_MOST_EXPANSION = 300  # times; frames of real photons stay far below it
_SMALL_BYTES = 1 << 28  # what may expand further


class NpyStack(Stack):
    """Frames of one npy file."""

    def __init__(self, path: Path, most_dims: int) -> None:
        array = map_npy(path)
        require_stack(str(path), array, lambda: "save another", most_dims)
        self._frames = array[None] if array.ndim == 2 else array
        self.n, *raw_shape = self._frames.shape
        self.shape = (math.prod(raw_shape[:-1]), raw_shape[-1])
        self.raw_shape = tuple(raw_shape) if len(raw_shape) > 2 else None

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`, straight from the disk."""
        return np.array(self._frames[start:stop]).reshape(-1, *self.shape)

    def close(self) -> None:
        """Let go of the file."""
        del self._frames


class Member(NamedTuple):
    """An array in an npz file, before it is read."""

    info: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype
    is_fortran: bool
    header_bytes: int


class NpzStack(Stack):
    """Frames of one array of an npz file; `mask` and `labels` beside it are taken, too."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, name: str | None) -> None:
        self._archive = archive
        arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        members = {info.filename.removesuffix(".npy"): _member(archive, info) for info in arrays}
        if name is not None and name not in members:
            raise InputError(f"{path} has no array {name!r}; it has {listed(members)}.")
        name = only_name(path, members, listed(members)) if name is None else name
        chosen = members[name]
        require_stack(f"{name} in {path}", chosen, lambda: f"choose another of {listed(members)}")
        if chosen.is_fortran and len(chosen.shape) == 3:
            raise InputError(
                f"{name} in {path} is in Fortran's order, frame by frame in none; save it as npy."
            )
        _require_honest(path, chosen)
        self._member = chosen
        self.n = chosen.shape[0] if len(chosen.shape) == 3 else 1
        self.shape = (chosen.shape[-2], chosen.shape[-1])
        self._frame_bytes = math.prod(self.shape) * chosen.dtype.itemsize
        self._stream: IO[bytes] = archive.open(chosen.info)
        self._turn = Lock()  # it has one place to read from
        mask, labels = members.get("mask"), members.get("labels")
        if mask is not None and mask.shape == self.shape and mask.dtype.kind in "buif":
            self.mask = as_mask(self._whole(path, mask), self.shape, "mask")
        if (
            labels is not None
            and labels.shape == (self.n,)
            and are_labels(found := self._whole(path, labels))
        ):
            self.labels = found.astype(np.int8)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`; going on where the last ones ended is fast."""
        with self._turn:
            self._stream.seek(self._member.header_bytes + start * self._frame_bytes)
            data = self._stream.read((stop - start) * self._frame_bytes)
        frames = np.frombuffer(data, self._member.dtype).reshape(stop - start, *self.shape)
        return frames.reshape(-1, *self.shape[::-1]).swapaxes(1, 2) if self._member.is_fortran else frames

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._archive.close()

    def _whole(self, path: Path, member: Member) -> np.ndarray:
        _require_honest(path, member)
        with self._archive.open(member.info) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)


def recognizes_npy(path: Path) -> bool:
    """Tell by the signature."""
    return starts_with(path, _NPY)


def recognizes_npz(path: Path) -> bool:
    """Tell by the signature."""
    return starts_with(path, _ZIP)


def open_npy(path: Path, choices: Choices) -> NpyStack:
    """Open an npy file.

    Raises
    ------
    InputError
        If it does not hold frames.
    """
    return NpyStack(path, choices.most_dims)


def open_npz(path: Path, choices: Choices) -> NpzStack:
    """Open an npz file and choose the only stack in it, or the one named.

    Raises
    ------
    InputError
        If there is no such stack, or several, or it expands beyond measure.
    """
    archive = zipfile.ZipFile(path)
    try:
        return NpzStack(path, archive, choices.dataset)
    except BaseException:
        archive.close()
        raise


def starts_with(path: Path, *signatures: bytes) -> bool:
    """Tell whether a file begins with one of these bytes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(max(map(len, signatures))).startswith(signatures)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    """Read the header of an array, and no more."""
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"{info.filename} is of npy version {version}")
        shape, is_fortran, dtype = read[version](stream)
        return Member(info, shape, dtype, is_fortran, stream.tell())


def _require_honest(path: Path, member: Member) -> None:
    """Refuse an array that is not as long as it says, or a bomb."""
    size, stored = member.info.file_size, member.info.compress_size
    if member.dtype.hasobject:
        raise holding_objects(f"{member.info.filename} in {path}")
    if size != member.header_bytes + math.prod(member.shape) * member.dtype.itemsize:
        raise ValueError(
            f"{member.info.filename} does not hold the {member.shape} {member.dtype} that it declares"
        )
    if size > max(_SMALL_BYTES, _MOST_EXPANSION * stored):
        raise InputError(
            f"{member.info.filename} in {path} would expand from {stored} to {size} bytes; if that is real, "
            "save it as npy."
        )
