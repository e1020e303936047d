"""Numba kernel: the Fourier transform of a polyhedron, every singular limit included."""

import math

import numpy as np
from numba import njit

SMALL_QR = 0.5
"""Below this |q| · radius the volume series is used; above, the surface formula."""


@njit(nogil=True, cache=True)
def _difference_1(a, ea, b, eb):
    """f[a, b] for f(x) = exp(-i x), with ea = f(a), eb = f(b); equal nodes give f'(a)."""
    gap = b - a
    if abs(gap) > 0.1:
        return (eb - ea) / gap
    term = -1j + 0.0 * ea
    total = term
    k = 2
    while k < 20 and abs(term) > 1e-17:
        term *= -1j * gap / k
        total += term
        k += 1
    return ea * total


@njit(nogil=True, cache=True)
def _difference_2(a, ea, b, eb, c, ec):
    """f[a, b, c] for f(x) = exp(-i x): the value for any nodes, equal ones too."""
    if a > b:
        a, ea, b, eb = b, eb, a, ea
    if b > c:
        b, eb, c, ec = c, ec, b, eb
    if a > b:
        a, ea, b, eb = b, eb, a, ea
    gap = c - a
    if gap > 0.5:
        return (_difference_1(b, eb, c, ec) - _difference_1(a, ea, b, eb)) / gap
    # Taylor about a: sum over k of f^(k)(a) / k! times the complete symmetric polynomial h_{k-2}(b-a, c-a).
    u = b - a
    power_u = 1.0  # u^k
    h = 1.0  # h_k(u, gap) = u^k + gap h_{k-1}
    factor = -0.5 + 0j  # (-i)^k / k!
    total = factor * h
    k = 3
    while k < 24:
        power_u *= u
        h = power_u + gap * h
        factor *= -1j / k
        term = factor * h
        total += term
        if abs(factor.real) + abs(factor.imag) < 1e-17 or h < 1e-17:
            break
        k += 1
    return ea * total


@njit(nogil=True, cache=True)
def _difference_3_small(a, b, c):
    """f[0, a, b, c] for f(x) = exp(-i x) and nodes well inside the unit circle: its Taylor series."""
    power_a = 1.0
    h2 = 1.0
    h3 = 1.0
    factor = 1j / 6.0  # (-i)^k / k! at k = 3
    total = factor * h3
    for k in range(4, 20):
        power_a *= a
        h2 = power_a + b * h2
        h3 = h2 + c * h3
        factor *= -1j / k
        total += factor * h3
    return total


@njit(nogil=True, cache=True)
def polyhedron_transform(q, vertices, triangles, out):
    """out[i] = ∫ exp(-i q[i] . r) d³r over the body inside a closed triangle mesh.

    q (n, 3), vertices (v, 3) in reciprocal units; triangles (t, 3) int64, outward; out (n,) complex128.

    The integral of exp(-i q.r) over a simplex is its volume times a divided difference of exp(-i x) at the
    corners' q.r (Hermite-Genocchi), so that q → 0, q ∥ edge and q ⊥ face are nodes that coincide and
    need no case of their own. By the divergence theorem F = -(i/q²) Σ (q.N) f[q.r1, q.r2, q.r3], with N
    twice the area vector (Wuttke 2021, J. Appl. Cryst. 54, 580); near q = 0, where that cancels, the
    signed tetrahedra to the origin are summed instead.
    """
    n_vertices = vertices.shape[0]
    n_triangles = triangles.shape[0]
    normals = np.empty((n_triangles, 3))
    radius = 0.0
    for v in range(n_vertices):
        radius = max(radius, math.sqrt(vertices[v, 0] ** 2 + vertices[v, 1] ** 2 + vertices[v, 2] ** 2))
    for t in range(n_triangles):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        wx, wy, wz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        normals[t, 0] = uy * wz - uz * wy
        normals[t, 1] = uz * wx - ux * wz
        normals[t, 2] = ux * wy - uy * wx
    phase = np.empty(n_vertices)
    wave = np.empty(n_vertices, dtype=np.complex128)
    for i in range(q.shape[0]):
        qx, qy, qz = q[i, 0], q[i, 1], q[i, 2]
        q_squared = qx * qx + qy * qy + qz * qz
        small = math.sqrt(q_squared) * radius < SMALL_QR
        for v in range(n_vertices):
            phase[v] = qx * vertices[v, 0] + qy * vertices[v, 1] + qz * vertices[v, 2]
            if not small:
                wave[v] = complex(math.cos(phase[v]), -math.sin(phase[v]))
        total = 0j
        for t in range(n_triangles):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            if small:
                six_volumes = (
                    normals[t, 0] * vertices[a, 0]
                    + normals[t, 1] * vertices[a, 1]
                    + normals[t, 2] * vertices[a, 2]
                )
                total += six_volumes * _difference_3_small(phase[a], phase[b], phase[c])
            else:
                flux = qx * normals[t, 0] + qy * normals[t, 1] + qz * normals[t, 2]
                total += flux * _difference_2(phase[a], wave[a], phase[b], wave[b], phase[c], wave[c])
        out[i] = -1j * total if small else -1j * total / q_squared
