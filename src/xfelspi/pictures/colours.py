"""Photon counts to colours, on dark paper."""

from __future__ import annotations

import math

import numpy as np

PAPER = "#101014"
INK = "#e6e6ea"
FAINT = "#a8a8b2"
MASKED = "#55555e"
_FIRST_PHOTON = 0.22  # where on the colour map one photon starts; zero photons are at its dark end


class Colours:
    """Counts to colours: 0 dark, 1 and more on a logarithmic scale, NaN (masked) grey."""

    def __init__(self, brightest: float) -> None:
        from matplotlib import colormaps

        self.brightest = brightest
        self._map = colormaps["inferno"].with_extremes(bad=MASKED)

    def paint(self, counts: np.ndarray) -> np.ndarray:
        """(ny, nx) counts to (ny, nx, 4) colours."""
        decades = np.log(np.maximum(counts, 1.0)) / math.log(self.brightest)
        lit = _FIRST_PHOTON + (1.0 - _FIRST_PHOTON) * decades
        # Half a photon parts the dark from the lit, for frames in units that are not whole.
        return self._map(np.ma.masked_invalid(np.where(counts < 0.5, 0.0, lit)))
