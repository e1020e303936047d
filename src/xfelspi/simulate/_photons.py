"""Numba kernels: Poisson counts from a counter-based hash, one per pixel."""

import math

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
TO_UNIT = 2.0**-53
BYTE_OF = np.uint64(0x0001020304050607)
"""2^(8 i) times this has i in its highest byte."""
STRIP = 16
"""Rows whose lit pixels are counted together: one row has too few for vectors."""
FULL = 1e6
"""A mean beyond every count that is told apart: all of them are capped, and larger ones would overflow."""
INVERSES = 1.0 / np.maximum(np.arange(100), 1)


@njit(nogil=True, cache=True, inline="always")
def mix64(z):
    """SplitMix64's finalizer (Steele, Lea & Flood 2014): 64 bits in, 64 well-mixed bits out."""
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, cache=True, inline="always")
def _exp_minus(x):
    """exp(-x) for 0 <= x < 16 to 1e-12, without a call, so that loops over it vectorize."""
    r = x * -0.015625  # exp(-x) = exp(-x/64)^64
    p = 1.0 + r * (
        1.0
        + r
        * (
            1 / 2
            + r
            * (
                1 / 6
                + r
                * (
                    1 / 24
                    + r
                    * (
                        1 / 120
                        + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r / 3628800))))
                    )
                )
            )
        )
    )
    for _ in range(6):
        p *= p
    return p


@njit(nogil=True, cache=True)
def _large_mean(mean, key):
    """Poisson by transformed rejection (Hörmann 1993, Insurance: Math. and Econ. 12, 39: PTRS)."""
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        key += GOLDEN
        u = np.float64(mix64(key) >> np.uint64(11)) * TO_UNIT - 0.5
        key += GOLDEN
        v = (np.float64(mix64(key) >> np.uint64(11)) + 0.5) * TO_UNIT
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.43) if us > 0.0 else -1.0
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0.0 or (us < 0.013 and v > us):
            continue
        accept = math.log(v * inverse_alpha / (a / (us * us) + b))
        if accept <= k * math.log(mean) - mean - math.lgamma(k + 1.0):
            return k


@njit(nogil=True, cache=True)
def poisson_counts(expected, key, out):
    """out[y, x] ~ Poisson(expected[y, x]), decided by (key, pixel) alone.

    expected (ny, nx) float32, key uint64, out (ny, nx) uint16, capped at 65535. The cumulative sum is
    inverted at one uniform per pixel, in vectorized passes: hash all pixels; keep those that may be lit,
    since exp(-m) >= 1 - m makes a uniform below 1 - m a certain zero; count them up to 7; work out the rest.
    """
    ny, nx = expected.shape
    means, counts = expected.reshape(-1), out.reshape(-1)
    counts[:] = 0
    uniform = np.empty(nx)
    flags = np.zeros(-(-nx // 8) * 8, dtype=np.uint8)
    eights = flags.view(np.uint64)  # most groups of eight pixels are dark
    room = STRIP * nx
    place = np.empty(room, dtype=np.int64)
    mean = np.empty(room)
    chance = np.empty(room)
    count = np.empty(room, dtype=np.int64)
    last = np.empty(room)  # probability of a count of 7
    below = np.empty(room)  # of 7 or less
    for top in range(0, ny, STRIP):
        lit = 0
        for y in range(top, min(top + STRIP, ny)):
            base = key + np.uint64(y * nx) * GOLDEN
            for x in range(nx):
                uniform[x] = np.float64(mix64(base + np.uint64(x) * GOLDEN) >> np.uint64(11)) * TO_UNIT
            for x in range(nx):
                flags[x] = uniform[x] + expected[y, x] >= 1.0
            for word in range(eights.size):
                left = eights[word]
                while left != 0:  # one turn for each lit pixel, the lowest byte first
                    lowest = left & (~left + np.uint64(1))
                    at = 8 * word + np.int64((lowest * BYTE_OF) >> np.uint64(56))
                    place[lit] = y * nx + at
                    chance[lit] = uniform[at]
                    lit += 1
                    left ^= lowest
        for i in range(lit):
            mean[i] = means[place[i]]
        for i in range(lit):
            m, u = mean[i], chance[i]
            p0 = _exp_minus(min(m, 15.0))
            p1 = p0 * m
            p2 = p1 * m * 0.5
            p3 = p2 * m * (1 / 3)
            c1 = p0 + p1
            c2 = c1 + p2
            c3 = c2 + p3
            p4 = p3 * m * 0.25
            c4 = c3 + p4
            p5 = p4 * (m * (1 / 5))
            c5 = c4 + p5
            p6 = p5 * (m * (1 / 6))
            c6 = c5 + p6
            p7 = p6 * (m * (1 / 7))
            c7 = c6 + p7
            last[i], below[i] = p7, c7
            few = np.int64(u >= p0) + np.int64(u >= c1) + np.int64(u >= c2) + np.int64(u >= c3)
            more = np.int64(u >= c4) + np.int64(u >= c5) + np.int64(u >= c6) + np.int64(u >= c7)
            count[i] = few + more
        for i in range(lit):
            if mean[i] >= 10.0:
                # A stream of its own, started from this pixel's hash.
                large = _large_mean(min(mean[i], FULL), mix64(key + np.uint64(place[i]) * GOLDEN))
                counts[place[i]] = min(large, 65535.0)
                continue
            k = count[i]
            if k == 8:
                p, total = last[i] * (mean[i] * INVERSES[8]), below[i]
                while chance[i] >= total + p and k < INVERSES.size - 1:
                    total += p
                    k += 1
                    p *= mean[i] * INVERSES[k]
            counts[place[i]] = k
