"""Shots to EMC files of Dragonfly: binary, or the same in HDF5 (Ayyer et al. 2016, J. Appl. Cryst. 49, 1320).

Binary: a header of 1024 bytes (int32 number of frames, of pixels, type 0), then ones[n], multi[n],
place_ones, place_multi, count_multi, all int32. Dragonfly leaves the rest of the header alone, and there
stands which conversion wrote the file.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import h5py
import numpy as np

from ..layout import LIBVER
from .output import Output, text_in
from .photons import photons, sentence
from .shots import Shots

_HEADER_BYTES = 1024
_NOTE_AT = 64
_NOTE = b"xfelspi "
_PLACES = ("place_ones", "place_multi", "count_multi")
_IDENTITY = "xfelspi_conversion"
_ROWS = 256  # frames in one chunk
_ROW = h5py.vlen_dtype(np.dtype("<i4"))


def write_emc(shots: Shots, out: Output) -> list[str]:
    """Write binary EMC in one pass: places of single photons go where they belong, the rest waits beside."""
    file, numbers = out.file, np.zeros((2, len(shots)), "<i4")  # ones, multi
    changes = []
    file.seek(_HEADER_BYTES + numbers.nbytes)
    folder = out.path.parent
    with tempfile.TemporaryFile(dir=folder) as places, tempfile.TemporaryFile(dir=folder) as counts:
        for start, some, changed in photons(shots, out.rounding):
            numbers[:, start : start + len(some.ones)] = some.ones, some.multi
            file.write(some.place_ones.tobytes())
            places.write(some.place_multi.tobytes())
            counts.write(some.count_multi.tobytes())
            file.require_written()
            changes.append(changed)
        for waiting in (places, counts):
            waiting.seek(0)
            shutil.copyfileobj(waiting, file, 1 << 20)
    file.seek(0)
    file.write(_header(len(shots), shots.n_pixels, out.identity))
    file.write(numbers.tobytes())
    return sentence(changes)


def write_emc_hdf5(shots: Shots, out: Output) -> list[str]:
    """Write EMC's HDF5: a row of variable length for each frame."""
    changes = []
    with h5py.File(out.file, "w", libver=LIBVER) as file:
        file[_IDENTITY] = out.identity
        file["num_pix"] = np.int32(shots.n_pixels)
        chunks = (min(_ROWS, len(shots)),)
        room = [file.create_dataset(name, (len(shots),), _ROW, chunks=chunks) for name in _PLACES]
        for start, some, changed in photons(shots, out.rounding):
            lengths = (some.ones, some.multi, some.multi)
            for dataset, values, length in zip(room, some[2:], lengths, strict=True):
                _write_rows(dataset, start, values, length)
            out.file.require_written()
            changes.append(changed)
    return sentence(changes)


def emc_identity(path: Path) -> str | None:
    """Tell which conversion wrote this binary file; None if none did."""
    with path.open("rb") as file:
        note = file.read(_HEADER_BYTES)[_NOTE_AT:]
    return note.removeprefix(_NOTE).rstrip(b"\0").decode(errors="replace") if note.startswith(_NOTE) else None


def emc_hdf5_identity(path: Path) -> str | None:
    """Tell the same of an HDF5 file."""
    return text_in(path, _IDENTITY)


def _write_rows(dataset: h5py.Dataset, start: int, values: np.ndarray, lengths: np.ndarray) -> None:
    """Write rows of these lengths, back to back in `values`; h5py's own way stumbles over equal lengths."""
    rows = np.empty(len(lengths), _ROW)
    for index, row in enumerate(np.split(values, np.cumsum(lengths)[:-1])):
        rows[index] = row
    space = dataset.id.get_space()
    space.select_hyperslab((start,), (len(rows),))
    dataset.id.write(h5py.h5s.create_simple((len(rows),)), space, rows, h5py.h5t.py_create(_ROW))


def _header(n: int, num_pix: int, identity: str) -> bytes:
    header = bytearray(_HEADER_BYTES)
    header[:12] = np.array([n, num_pix, 0], "<i4").tobytes()
    note = _NOTE + identity.encode()
    header[_NOTE_AT : _NOTE_AT + len(note)] = note
    return bytes(header)
