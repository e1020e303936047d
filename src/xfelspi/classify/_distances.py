"""Numba kernel: squared distances of pairs of points, as exact as double precision goes."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def squared_distances(first, second, i, j, out):
    """Sum the squares: out[p] = sum_d (first[i[p], d] - second[j[p], d])^2.

    first (m, D) and second (n, D) float32; i and j (pairs,) int64; out (pairs,) float64.  Terms are added in
    an order that depends on D alone, so the same two points are as far apart whoever comes first.
    """
    for p in range(out.size):
        a, b = first[i[p]], second[j[p]]
        total = 0.0
        for d in range(a.size):
            difference = np.float64(a[d]) - np.float64(b[d])
            total += difference * difference
        out[p] = total
