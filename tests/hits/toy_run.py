"""Runs whose hits are known: blanks of pure Poisson noise, and spots on some of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from xfelspi.patterns import Frames

SIZE = 48
_Y, _X = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
RADIUS = np.hypot(_Y, _X)
HALO = 0.15 * np.exp(-RADIUS / 10) + 0.02
SPOT = np.exp(-(RADIUS**2) / (2 * 4.0**2))


class Run(SimpleNamespace):
    """Frames in memory, read as those of a file are."""

    def frames(self, start, stop):
        return Frames(self.counts[start:stop], 0, 0)


def run(expected, seed=0, mask=None):
    """A run of the expected photons of every shot, (n, ny, nx)."""
    counts = np.random.default_rng(seed).poisson(expected).astype(np.uint16)
    mask = np.zeros((SIZE, SIZE), bool) if mask is None else mask
    path = SimpleNamespace(name="toy")
    beam = (SIZE - 1) / 2, (SIZE - 1) / 2
    return Run(counts=counts, n=len(counts), shape=(SIZE, SIZE), mask=mask, beam_yx=beam, path=path)
