"""From coarse nodes to pixels: the one interpolation that waves and smooth fields share.

Here and in the kernels that inline this, FMA contraction and re-ordered sums are allowed (rounding of single
precision, nothing else): without them the row loops do not vectorize.
"""

from functools import lru_cache

import numpy as np
from numba import njit

TAPS = 6
"""Coarse nodes that make one pixel."""

BEFORE = 2
"""Of which this many lie before the pixel's own node."""

BAND = 1.15
"""Radians per coarse node up to which the widening is accurate: 2e-4 rms, 7e-4 at the very edge."""

FAST = {"contract", "reassoc", "nsz"}
"""What LLVM may do to sums."""


@lru_cache(maxsize=64)
def widening_weights(step: int, place: float = 0.0) -> np.ndarray:
    """Weights (step, TAPS) float32 of `step` pixels from each coarse node on, the first at `place`.

    Least-squares optimal for every signal whose frequencies stay within `BAND` radians per node: they
    minimize ∫ |Σ_t w_t e^{iωt} - e^{iωτ}|² dω over |ω| < BAND.
    """
    t = np.arange(TAPS) - BEFORE
    gram = np.sinc((t[:, None] - t[None, :]) * BAND / np.pi)
    weights = np.empty((step, TAPS), dtype=np.float32)
    for p in range(step):
        target = np.sinc((t - (p + place) / step) * BAND / np.pi)
        weights[p] = np.linalg.lstsq(gram, target, rcond=1e-13)[0]
    return weights


@lru_cache(maxsize=64)
def row_weights(step: int, pixels: int, place: float = 0.0) -> np.ndarray:
    """Return the widening weights laid out along a row: (TAPS, pixels) float32."""
    return np.ascontiguousarray(widening_weights(step, place)[np.arange(pixels) % step].T)


def coarse_count(pixels: int, step: int) -> int:
    """Return the number of coarse nodes that cover `pixels`."""
    return -(-pixels // step) + TAPS - 1


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
def widen_columns(coarse, weights, step, out):
    """out[i, row, x] for every coarse row of a stack: the horizontal half of the interpolation.

    coarse (n, rows, m) float32, weights (TAPS, nx) float32, out (n, rows, nx) float32. Each node is first
    repeated `step` times, so that tap t of pixel x lies at x + t · step and the sum runs along contiguous
    memory.
    """
    nx = out.shape[2]
    repeated = np.empty(coarse.shape[2] * step + 16, dtype=np.float32)
    w0, w1, w2, w3, w4, w5 = weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]
    r1, r2, r3 = repeated[step:], repeated[2 * step :], repeated[3 * step :]
    r4, r5 = repeated[4 * step :], repeated[5 * step :]
    for i in range(coarse.shape[0]):
        for row in range(coarse.shape[1]):
            for node in range(coarse.shape[2]):
                value = coarse[i, row, node]
                if step <= 16:  # one wide store, of which the next node overwrites what is too much
                    for p in range(16):
                        repeated[node * step + p] = value
                else:
                    for p in range(step):
                        repeated[node * step + p] = value
            line = out[i, row]
            for x in range(nx):
                line[x] = (w0[x] * repeated[x] + w1[x] * r1[x] + w2[x] * r2[x]) + (
                    w3[x] * r3[x] + w4[x] * r4[x] + w5[x] * r5[x]
                )


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
def widen_row(wide, i, weights, y, out):
    """out[i, x] at pixel row y from horizontally widened coarse rows wide[i]: the vertical half."""
    step = weights.shape[0]
    node = y // step
    p = y - node * step
    w0, w1, w2 = weights[p, 0], weights[p, 1], weights[p, 2]
    w3, w4, w5 = weights[p, 3], weights[p, 4], weights[p, 5]
    for x in range(out.shape[1]):
        out[i, x] = (w0 * wide[i, node, x] + w1 * wide[i, node + 1, x] + w2 * wide[i, node + 2, x]) + (
            w3 * wide[i, node + 3, x] + w4 * wide[i, node + 4, x] + w5 * wide[i, node + 5, x]
        )
