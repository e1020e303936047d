"""What an HDF5 dataset declares, held against what it can hold, before memory is taken for it."""

from __future__ import annotations

import glob
import importlib
import math
import re
from bisect import bisect_left
from contextlib import suppress
from itertools import product
from pathlib import Path

import h5py
import numpy as np
from isal import isal_zlib

from xfelspi.errors import InputError

_MOST_COMPRESSION = 1032  # deflate's best
_SMALL_BYTES = 1 << 26  # what may be declared without being stored
_CHUNK_OVERHEAD = 4096  # what a filter may add to a chunk that it cannot compress
_SUSPICIOUS_BYTES = 1 << 29  # what a chunk might expand to, before it is looked at
_AT_ONCE = 1 << 20


def load(item: h5py.Dataset) -> np.ndarray:
    """Read a whole dataset, unless it declares or expands to more than it can hold."""
    require_stored(item)
    require_honest_chunks(item)
    return np.asarray(item[()])


def written_rows(item: h5py.Dataset) -> int:
    """Count along the first axis up to the last that was ever written.

    Who takes data often makes a file for more frames than there will be; HDF5 has no chunks for the rest.
    """
    rows = int(item.shape[0])
    if item.chunks is None or rows == 0:
        return rows
    step, columns = item.chunks[0], list(zip(item.shape[1:], item.chunks[1:], strict=True))

    def is_dark(number: int) -> bool:
        """Tell whether the first chunk of this row of chunks is missing."""
        return item.id.get_chunk_info_by_coord((number * step, *[0] * len(columns))).byte_offset is None

    number = -(-rows // step)
    if not is_dark(number - 1):
        return rows
    number = bisect_left(range(number), True, key=is_dark)
    if item.id.get_num_chunks() != number * math.prod(-(-n // chunk) for n, chunk in columns):
        starts = [-step]  # there are holes: all chunks are looked at, which is slow
        item.id.chunk_iter(lambda chunk: starts.append(chunk.chunk_offset[0]))
        number = max(starts) // step + 1
    return min(number * step, rows)


def require_stored(item: h5py.Dataset, rows: int | None = None) -> None:
    """Refuse what would take more memory than any compression allows for what is stored.

    With `rows`, only so many along the first axis will be read.

    Raises
    ------
    ValueError
        If it does.
    InputError
        If its compression is one that this HDF5 does not know.
    """
    require_filters(item)
    declared = (item.size or 0) * item.dtype.itemsize
    if rows is not None:
        declared = declared // max(item.shape[0], 1) * rows
    if declared > max(_SMALL_BYTES, _MOST_COMPRESSION * _stored_bytes(item)):
        raise ValueError(f"{item.name} declares {declared} bytes and does not hold them")


def require_filters(item: h5py.Dataset) -> None:
    """Load the package of HDF5's further filters, such as bitshuffle, for a dataset that needs one.

    Raises
    ------
    InputError
        If this HDF5 does not know one.
    """
    steps = item.id.get_create_plist()
    needed = [steps.get_filter(place) for place in range(steps.get_nfilters())]
    if all(h5py.h5z.filter_avail(code) for code, *_ in needed):
        return
    with suppress(ImportError):
        importlib.import_module("hdf5plugin")
    for code, _, _, name in needed:
        if not h5py.h5z.filter_avail(code):
            said = name.decode(errors="replace").partition(";")[0] or "no name"
            raise InputError(
                f"{item.name} in {item.file.filename} is compressed by filter {code} ({said}), which HDF5 "
                "has not got here; pip install hdf5plugin."
            )


def _stored_bytes(item: h5py.Dataset) -> int:
    """Bytes that a dataset is made of; of a virtual one, at most those of the files with its sources."""
    if not item.is_virtual:
        return item.id.get_storage_size()
    own = Path(item.file.filename)
    files = {own}
    for name in {source.file_name for source in item.virtual_sources()} - {"."}:
        for folder in (own.parent, Path()):
            pattern = glob.escape(str(folder / name))
            files |= set(map(Path, glob.glob(re.sub(r"%[0-9]*[bd]", "*", pattern))))  # %b: many files
    return sum(file.stat().st_size for file in files)


def require_honest_chunks(item: h5py.Dataset, start: int = 0, stop: int | None = None) -> None:
    """Refuse chunks that would expand to more than a chunk; HDF5 would go on taking memory.

    Looked at are those of `start` up to `stop` along the first axis.

    Raises
    ------
    ValueError
        If there is one.
    """
    if item.chunks is None or item.compression is None:
        return
    raw = math.prod(item.chunks) * item.dtype.itemsize
    first = start - start % item.chunks[0]
    edges = [range(first, item.shape[0] if stop is None else stop, item.chunks[0])]
    edges += [range(0, edge, step) for edge, step in zip(item.shape[1:], item.chunks[1:], strict=True)]
    for corner in product(*edges):
        stored = item.id.get_chunk_info_by_coord(corner).size
        if stored > 2 * raw + _CHUNK_OVERHEAD or (
            item.compression == "gzip"
            and stored * _MOST_COMPRESSION > _SUSPICIOUS_BYTES
            and expands_beyond(item.id.read_direct_chunk(corner)[1], raw)
        ):
            raise ValueError(f"a chunk of {stored} bytes expands to more than the {raw} it may have")


def expands_beyond(packed: bytes, n_bytes: int) -> bool:
    """Tell whether deflated bytes come to more than `n_bytes`, without expanding them further."""
    stream = isal_zlib.decompressobj()
    left = n_bytes
    while left >= 0 and packed and not stream.eof:
        left -= len(stream.decompress(packed, _AT_ONCE))
        packed = stream.unconsumed_tail
    return left < 0
