"""One frame as HDF5 stores it: byte shuffle, then deflate; done here because isal is faster.

Byte shuffle gathers the low bytes of all pixels, then the high bytes (HDF5's filter 2); deflate is
filter 1. A chunk made here is handed over with `write_direct_chunk` and any HDF5 library reads it.
"""

from __future__ import annotations

import numpy as np
from isal import igzip_lib, isal_zlib

DEFLATE_LEVEL = 1


def compress_frame(frame: np.ndarray) -> bytes:
    """Byte shuffle and deflate, as the filters shuffle + gzip-1 of HDF5 would.

    Parameters
    ----------
    frame : (ny, nx) uint16
        Photon counts.

    Returns
    -------
    chunk : bytes
        The whole frame as one chunk.

    Examples
    --------
    >>> frame = np.arange(6, dtype=np.uint16).reshape(2, 3) * 200
    >>> back = np.empty_like(frame)
    >>> expand_chunk(compress_frame(frame), back)
    >>> bool((back == frame).all())
    True
    """
    pixels = frame.ravel()
    planes = np.zeros((2, pixels.size), np.uint8)
    planes[0] = pixels  # the cast keeps the low byte
    if pixels.max(initial=0) > 0xFF:
        planes[1] = pixels >> 8
    return isal_zlib.compress(planes, DEFLATE_LEVEL)


def expand_chunk(chunk: bytes, out: np.ndarray) -> None:
    """Undo `compress_frame` into `out`, (ny, nx) uint16, contiguous.

    Raises
    ------
    ValueError
        If the chunk is damaged or of another size.
    """
    stream = isal_zlib.decompressobj()
    try:
        data = stream.decompress(chunk, out.nbytes + 1)  # never more, whatever the chunk expands to
    except igzip_lib.IsalError as error:  # type: ignore[misc]  # the stub lacks its base
        raise ValueError(str(error)) from None
    if len(data) != out.nbytes or not stream.eof:
        raise ValueError(f"{len(data)} bytes where {out.nbytes} belong")
    low, high = np.frombuffer(data, np.uint8).reshape(2, *out.shape)
    out[...] = low
    if high.any():
        out |= high.astype(np.uint16) << 8
