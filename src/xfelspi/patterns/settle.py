"""The centre of the frames of a file that does not say where it is."""

from __future__ import annotations

import numpy as np

from .centre import Centre, find_centre
from .reader import PatternSet

_LOOKED_AT = 128  # frames, spread evenly over the file
_USED = 24  # of these, the brightest


def settle_centre(patterns: PatternSet) -> Centre | None:
    """Find where the beam crosses the frames, and let `patterns` have it; None where they do not tell.

    The brightest of many frames are taken together: one centre for the whole file.
    """
    centre = find_centre(brightest(patterns), patterns.mask)
    if centre is not None:
        patterns.take_centre(centre.yx)
    return centre


def brightest(patterns: PatternSet) -> list[np.ndarray]:
    """Return the brightest of many frames that are spread over a file: (ny, nx) each, no more than 24."""
    looked_at = np.unique(
        np.linspace(0, patterns.n - 1, min(_LOOKED_AT, patterns.looks)).astype(int)
    ).tolist()
    bright: list[tuple[float, int, np.ndarray]] = []
    for index in looked_at:
        frame = patterns.frames(index, index + 1).counts[0]
        bright.append((float(frame.sum(where=~patterns.mask, dtype=float)), index, frame))
        bright = sorted(bright, key=lambda shot: shot[:2])[-_USED:]
    return [frame for _, _, frame in bright]
