"""Numba kernels: Poisson counts from a counter-based hash, one per pixel."""

import math

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
TO_UNIT = 2.0**-53


@njit(nogil=True, cache=True, inline="always")
def mix64(z):
    """SplitMix64's finalizer (Steele, Lea & Flood 2014): 64 bits in, 64 well-mixed bits out."""
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, cache=True)
def _small_mean(mean, u):
    """Poisson by inverting the cumulative sum; exact, and quick below a mean of about ten."""
    p = math.exp(-mean)
    below = p
    k = 0
    while u >= below and k < 200:
        k += 1
        p *= mean / k
        below += p
    return k


@njit(nogil=True, cache=True)
def _large_mean(mean, key):
    """Poisson by transformed rejection (Hörmann 1993, Insurance: Math. and Econ. 12, 39: PTRS)."""
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2.0)
    log_mean = math.log(mean)
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
        if accept <= k * log_mean - mean - math.lgamma(k + 1.0):
            return k


@njit(nogil=True, cache=True)
def poisson_counts(expected, key, out):
    """out[y, x] ~ Poisson(expected[y, x]), decided by (key, pixel) alone.

    expected (ny, nx) float32, key uint64, out (ny, nx) uint16, capped at 65535. One vectorized pass
    hashes every pixel; since exp(-m) >= 1 - m, a uniform below 1 - m is a certain zero, and only the
    few others are worked out.
    """
    ny, nx = expected.shape
    uniform = np.empty(nx)
    for y in range(ny):
        base = key + np.uint64(y * nx) * GOLDEN
        for x in range(nx):
            uniform[x] = np.float64(mix64(base + np.uint64(x) * GOLDEN) >> np.uint64(11)) * TO_UNIT
        for x in range(nx):
            mean = np.float64(expected[y, x])
            if uniform[x] < 1.0 - mean:
                out[y, x] = 0
            elif mean < 10.0:
                out[y, x] = _small_mean(mean, uniform[x])
            else:
                # A stream of its own, started from this pixel's hash.
                count = _large_mean(mean, mix64(base + np.uint64(x) * GOLDEN))
                out[y, x] = min(count, 65535.0)
