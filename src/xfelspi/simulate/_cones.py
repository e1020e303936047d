"""Numba kernel: the Fourier transform of a body split into thin double cones through its centroid."""

import numpy as np
from numba import njit

_FAST = {"contract", "reassoc", "nsz"}


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _sincos(x):
    """Sin x and cos x to 1e-15 without a branch, so that loops over it vectorize."""
    n = np.floor(x * (2.0 / np.pi) + 0.5)
    r = (x - n * 1.5707963267341256) - n * 6.077100506506192e-11  # π/2 in two parts
    r2 = r * r
    s = 1.0 / 6227020800 - r2 / 1307674368000
    s = 1.0 / 362880 - r2 * (1.0 / 39916800 - r2 * s)
    s = r * (1.0 - r2 * (1.0 / 6 - r2 * (1.0 / 120 - r2 * (1.0 / 5040 - r2 * s))))
    c = 1.0 / 87178291200 - r2 / 20922789888000
    c = 1.0 / 3628800 - r2 * (1.0 / 479001600 - r2 * c)
    c = 1.0 - r2 * (0.5 - r2 * (1.0 / 24 - r2 * (1.0 / 720 - r2 * (1.0 / 40320 - r2 * c))))
    half = np.floor(n * 0.5)
    odd = n - 2.0 * half  # 1 in the second and fourth quadrant, where sine and cosine swap
    sign = 1.0 - 2.0 * (half - 2.0 * np.floor(half * 0.5))  # -1 in the third and fourth
    return sign * (s + odd * (c - s)), sign * (c - odd * (c + s))


@njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def cone_transform(q, tips, weights, out):
    """out[i] = Σ_j weights[j] g(q[i] . tips[j]),  g(x) = ∫ t² cos(x t) dt from 0 to 1.

    q (n, 3), tips (m, 3) in reciprocal units; weights (m,); out (n,) float64. A cone of directions dΩ about a
    tip at distance R, with the opposite one, has ∫ exp(-i q.r) d³r = 2 R³ dΩ g(q.tip), also at q = 0.
    """
    x0, x1, x2 = tips[:, 0].copy(), tips[:, 1].copy(), tips[:, 2].copy()
    for i in range(q.shape[0]):
        qx, qy, qz = q[i, 0], q[i, 1], q[i, 2]
        total = 0.0
        for j in range(weights.size):
            x = qx * x0[j] + qy * x1[j] + qz * x2[j]
            square = x * x
            small = square < 0.12  # where the closed form cancels
            s, c = _sincos(x)
            by_x = 1.0 / (1.0 if small else x)
            by_x2 = by_x * by_x
            closed = s * (by_x - 2.0 * by_x * by_x2) + 2.0 * c * by_x2
            series = 1.0 / 168 - square * (1.0 / 6480 - square * (1.0 / 443520 - square / 47174400))
            series = 1.0 / 3 - square * (0.1 - square * series)
            total += weights[j] * (series if small else closed)
        out[i] = total
