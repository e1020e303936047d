"""Some patterns of a file, wherever they lie in it."""

from __future__ import annotations

import numpy as np

from .reader import Frames, PatternSet


def pick(patterns: PatternSet, indices: np.ndarray) -> Frames:
    """Read patterns by their indices, ascending; neighbours are read together.

    Raises
    ------
    InputError
        If the file is damaged there.
    """
    runs = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
    parts = [patterns.frames(int(run[0]), int(run[-1]) + 1) for run in runs if run.size]
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([part.counts for part in parts]) if parts else patterns.frames(0, 0).counts
    return Frames(counts, sum(part.n_nan for part in parts), sum(part.n_negative for part in parts))
