"""Some patterns of a file as a file of their own, with labels and all that is known of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from .layout import DATA, write_where
from .reader import PatternSet
from .replacing import replacing


def write_subset(path: Path, patterns: PatternSet, indices: Sequence[int], labels: np.ndarray) -> Path:
    """Write chosen patterns, in the order given; whole or not at all.

    Frames, mask and geometry are the file's; the truth beside them stays behind.

    Parameters
    ----------
    path : Path
        The HDF5 file to write; one that is there is replaced.
    patterns : PatternSet
        Where they come from.
    indices : (k,) int
        Which of its patterns.
    labels : (k,) int
        What they are called: 1 single, 0 not, -1 unknown.

    Raises
    ------
    InputError
        If it cannot be written, or the source is damaged.
    """
    group = DATA.rpartition("/")[0]
    with replacing(path) as target, h5py.File(target, "w") as file:
        write_where(file, patterns.geometry, patterns.centre_yx)
        frames = file.create_dataset(
            DATA,
            (len(indices), *patterns.shape),
            patterns.frames(0, 1).counts.dtype,
            chunks=(1, *patterns.shape),
            shuffle=True,
            compression="gzip",
            compression_opts=1,
        )
        for row, index in enumerate(indices):
            frames[row] = patterns.frames(index, index + 1).counts[0]
        file[f"{group}/mask"] = patterns.mask.astype(np.uint32)
        file[f"{group}/labels"] = np.asarray(labels, np.int8)
    return path
