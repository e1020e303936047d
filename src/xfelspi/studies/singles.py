"""The single hits of a file, on the pixels that a network sees: simulated and measured side by side."""

from __future__ import annotations

import numpy as np

from xfelspi.classify import Framing, ModelFrame
from xfelspi.fidelity import FrameSet
from xfelspi.patterns import PatternSet

_AT_ONCE = 32  # frames brought to a model's frame together


def single_hits(patterns: PatternSet, most: int | None = None) -> np.ndarray:
    """Return the indices of patterns labelled single, the first `most` of them."""
    return np.flatnonzero(patterns.labels == 1)[:most]


def framed(patterns: PatternSet, indices: np.ndarray, frame: ModelFrame) -> FrameSet:
    """Read frames and bring them to one momentum transfer per pixel, the beam in the middle.

    Parameters
    ----------
    patterns : PatternSet
        The file.
    indices : (n,) int
        Which of its patterns.
    frame : ModelFrame
        What they are brought to.

    Raises
    ------
    InputError
        If nothing of the frame was measured, or the file is damaged.
    """
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, frame, patterns.centre_yx)
    blocks = [indices[begin : begin + _AT_ONCE].tolist() for begin in range(0, len(indices), _AT_ONCE)]
    counts = np.concatenate(
        [framing(np.concatenate([patterns.frames(i, i + 1).counts for i in block])) for block in blocks]
    )
    middle = (frame.size - 1) / 2
    return FrameSet(counts=np.maximum(counts, 0), good=~framing.masked, centre_yx=(middle, middle))
