"""Numba kernels: waves of particles on coarse nodes, and how the phase of a pair goes along an axis."""

import math

import numpy as np
from numba import njit

from ._tricubic import tricubic
from ._widen import BEFORE, FAST


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
def _cubic(t):
    """Weights of the uniform cubic B-spline at a fraction t between nodes 1 and 2 of 4."""
    s = np.float32(1.0) - t
    sixth = np.float32(1.0 / 6.0)
    w1 = (np.float32(4.0) - t * t * (np.float32(6.0) - np.float32(3.0) * t)) * sixth
    w2 = (np.float32(4.0) - s * s * (np.float32(6.0) - np.float32(3.0) * s)) * sixth
    return s * s * s * sixth, w1, w2, t * t * t * sixth


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
def _spline(table, n, gx, gy, gz):
    """Cubic B-spline at (gx, gy, gz), in nodes, from a flat table of n x n x n coefficients."""
    i, j, k = np.uint64(gx), np.uint64(gy), np.uint64(gz)  # unsigned: spares the check for negative ones
    x = _cubic(np.float32(gx - np.float64(i)))
    y = _cubic(np.float32(gy - np.float64(j)))
    z = _cubic(np.float32(gz - np.float64(k)))
    one = np.uint64(1)
    return tricubic(table, ((i - one) * n + (j - one)) * n + (k - one), n, x, y, z)


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
def _sincos(x):
    """Sin x and cos x to 1e-10 without a branch, so that loops over it vectorize."""
    n = np.floor(x * (2.0 / np.pi) + 0.5)
    r = (x - n * 1.5707963267341256) - n * 6.077100506506192e-11  # π/2 in two parts
    r2 = r * r
    s = r * (1.0 + r2 * (-1 / 6 + r2 * (1 / 120 + r2 * (-1 / 5040 + r2 * (1 / 362880 - r2 / 39916800)))))
    c = 1.0 + r2 * (
        -0.5 + r2 * (1 / 24 + r2 * (-1 / 720 + r2 * (1 / 40320 + r2 * (-1 / 3628800 + r2 / 479001600))))
    )
    half = np.floor(n * 0.5)
    odd = n - 2.0 * half  # 1 in the second and fourth quadrant, where sine and cosine swap
    sign = 1.0 - 2.0 * (half - 2.0 * np.floor(half * 0.5))  # -1 in the third and fourth
    return sign * (s + odd * (c - s)), sign * (c - odd * (c + s))


@njit(nogil=True, cache=True, fastmath=FAST)
def coarse_amplitude(
    table, to_table, wave, lead, factor, wavenumber, pixel, distance, origin, step, shift, h, out
):
    """out[0] + i out[1] += sqrt(P Ω) exp(-i remainder) Σ_c factor_c F(M_cᵀq - wave_c) exp(i lead_c).

    On the coarse nodes. table (parts, n, n, n) float32 spline coefficients; to_table (m, 3, 3) takes lab q to
    table nodes for each of m components; wave (m, 3) in table nodes; lead (m,) in radians; factor (m,) real;
    wavenumber in 1/nm; pixel and distance in m; origin (2,) the beam's pixel (y, x); step in pixels; shift
    (3,) the particle's place in nm; h the horizontally polarized fraction; out (2, rows, columns) float32.
    `remainder` is q.shift less what is linear and quadratic in x and y, which `interfere` applies as outer
    products.
    """
    n = np.uint64(table.shape[1])
    middle = np.float64(table.shape[1] // 2)
    complex_table = table.shape[0] == 2
    real_part = table[0].reshape(-1)
    imag_part = table[table.shape[0] - 1].reshape(-1)
    shifted = shift[0] != 0.0 or shift[1] != 0.0 or shift[2] != 0.0
    columns = out.shape[2]
    q = np.empty((3, columns))
    place = np.empty((3, columns))
    scale = np.empty(columns)
    phase = np.empty((2, columns))  # sine and cosine
    phase[0], phase[1] = 0.0, 1.0
    inverse_z = 1.0 / distance
    for a in range(out.shape[1]):
        y = ((a - BEFORE) * step - origin[0]) * pixel
        for b in range(columns):  # vectorizes; the look-ups below do not
            x = ((b - BEFORE) * step - origin[1]) * pixel
            inverse_r = 1.0 / math.sqrt(x * x + y * y + distance * distance)
            cx, cy, cz = x * inverse_r, y * inverse_r, distance * inverse_r - 1.0
            q[0, b], q[1, b], q[2, b] = wavenumber * cx, wavenumber * cy, wavenumber * cz
            polarized = 1.0 - h * cx * cx - (1.0 - h) * cy * cy
            scale[b] = pixel * math.sqrt(polarized * distance * inverse_r) * inverse_r
            if shifted:
                curved = 0.5 * (x * x + y * y) * inverse_z * inverse_z
                phase[0, b], phase[1, b] = _sincos(
                    wavenumber
                    * (
                        shift[0] * (cx - x * inverse_z)
                        + shift[1] * (cy - y * inverse_z)
                        + shift[2] * (cz + curved)
                    )
                )
        for m in range(factor.size):
            for b in range(columns):
                qx, qy, qz = q[0, b], q[1, b], q[2, b]
                place[0, b] = (
                    to_table[m, 0, 0] * qx + to_table[m, 0, 1] * qy + to_table[m, 0, 2] * qz - wave[m, 0]
                )
                place[1, b] = (
                    to_table[m, 1, 0] * qx + to_table[m, 1, 1] * qy + to_table[m, 1, 2] * qz - wave[m, 1]
                )
                place[2, b] = (
                    to_table[m, 2, 0] * qx + to_table[m, 2, 1] * qy + to_table[m, 2, 2] * qz - wave[m, 2]
                )
            turned = shifted or lead[m] != 0.0
            lead_s, lead_c = math.sin(lead[m]), math.cos(lead[m])
            for b in range(columns):
                # Friedel: F(-q) = F(q)*, so one half of the table does, and stays in cache.
                side = -1.0 if place[0, b] < 0.0 else 1.0
                gx = side * place[0, b] + middle
                gy = side * place[1, b] + middle
                gz = side * place[2, b] + middle
                strength = factor[m] * scale[b]
                real = strength * _spline(real_part, n, gx, gy, gz)
                imag = 0.0
                if complex_table:
                    imag = side * strength * _spline(imag_part, n, gx, gy, gz)
                if turned:
                    s = phase[0, b] * lead_c - phase[1, b] * lead_s
                    c = phase[1, b] * lead_c + phase[0, b] * lead_s
                    real, imag = real * c + imag * s, imag * c - real * s
                out[0, a, b] += real
                out[1, a, b] += imag


@njit(nogil=True, cache=True, fastmath=FAST)
def coarse_sphere(to_body, wave, lead, factor, wavenumber, pixel, distance, origin, step, shift, h, out):
    """`coarse_amplitude` of the unit ball, F(x) = 4π (sin x - x cos x) / x³, x = |Mᵀq - wave|: no table.

    to_body (3, 3) takes lab q to q times radius in the body; wave (3,) likewise; all else as there.
    """
    inverse_z = 1.0 / distance
    for a in range(out.shape[1]):
        y = ((a - BEFORE) * step - origin[0]) * pixel
        for b in range(out.shape[2]):
            x = ((b - BEFORE) * step - origin[1]) * pixel
            inverse_r = 1.0 / math.sqrt(x * x + y * y + distance * distance)
            cx, cy, cz = x * inverse_r, y * inverse_r, distance * inverse_r - 1.0
            qx, qy, qz = wavenumber * cx, wavenumber * cy, wavenumber * cz
            u = to_body[0, 0] * qx + to_body[0, 1] * qy + to_body[0, 2] * qz - wave[0]
            v = to_body[1, 0] * qx + to_body[1, 1] * qy + to_body[1, 2] * qz - wave[1]
            w = to_body[2, 0] * qx + to_body[2, 1] * qy + to_body[2, 2] * qz - wave[2]
            square = u * u + v * v + w * w
            root = math.sqrt(square)
            safe = max(root, 0.05)
            sine, cosine = _sincos(safe)
            closed = 3.0 * (sine - safe * cosine) / (safe * safe * safe)
            series = 1.0 - square / 10.0 * (1.0 - square / 28.0)
            form = (4.0 / 3.0 * math.pi) * (series if root < 0.05 else closed)
            polarized = 1.0 - h * cx * cx - (1.0 - h) * cy * cy
            real = factor * form * pixel * math.sqrt(polarized * distance * inverse_r) * inverse_r
            curved = 0.5 * (x * x + y * y) * inverse_z * inverse_z
            s, c = _sincos(
                wavenumber
                * (
                    shift[0] * (cx - x * inverse_z)
                    + shift[1] * (cy - y * inverse_z)
                    + shift[2] * (cz + curved)
                )
                - lead
            )
            out[0, a, b] += real * c
            out[1, a, b] -= real * s


@njit(nogil=True, cache=True, fastmath=FAST)
def pair_ramp(u, across, along, wavenumber, distance, pixel, gain, out):
    """out[0] + i out[1] = gain · exp(-i φ) · sin(Δ/2) / (Δ/2) along one axis of the detector.

    φ = k (across u / z - along u² / 2z²) is a pair's phase difference to second order; Δ is its change,
    exact on the axis, across a pixel at u. u (n,) in m, out (2, n) float32.
    """
    for i in range(u.shape[0]):
        slope = u[i] / distance
        s, c = _sincos(wavenumber * (across - 0.5 * along * slope) * slope)
        inverse = 1.0 / math.sqrt(1.0 + slope * slope)
        half = 0.5 * wavenumber * pixel / distance * (across - along * slope) * inverse * inverse * inverse
        half_squared = half * half
        sine, _ = _sincos(half)
        series = 1.0 - half_squared / 6.0 + half_squared * half_squared / 120.0
        average = gain * (series if half_squared < 1e-4 else sine / half)
        out[0, i] = c * average
        out[1, i] = -s * average


@njit(nogil=True, cache=True, fastmath=FAST)
def node_ramp(u, across, along, wavenumber, distance, pixel, gain, place, legendre, out):
    """`pair_ramp` for one of several nodes of a pixel, at u.

    Between the nodes the waves are a polynomial and the fringe is exp(-i Δ ξ) (Filon's quadrature): a node
    counts ∫ ℓ(ξ) exp(-i Δ ξ) dξ, ℓ its Lagrange polynomial, = weight · Σ_n legendre[n] (-i)ⁿ j_n(Δ/2).
    place in pixels from the middle; legendre (3,) holds (2n + 1) P_n(2 place), 0 beyond the nodes' number.
    """
    for i in range(u.shape[0]):
        slope = u[i] / distance
        bend = across - along * (slope - place * pixel / distance)
        half = 0.5 * wavenumber * pixel / distance * bend
        s, c = _sincos(wavenumber * (across - 0.5 * along * slope) * slope - 2.0 * half * place)
        h2 = half * half
        if h2 < 1e-2:  # the closed forms cancel
            j0 = 1.0 - h2 / 6.0 * (1.0 - h2 / 20.0 * (1.0 - h2 / 42.0))
            j1 = half / 3.0 * (1.0 - h2 / 10.0 * (1.0 - h2 / 28.0))
            j2 = h2 / 15.0 * (1.0 - h2 / 14.0 * (1.0 - h2 / 36.0))
        else:
            sine, cosine = _sincos(half)
            j0 = sine / half
            j1 = (j0 - cosine) / half
            j2 = 3.0 * j1 / half - j0
        real = gain * (legendre[0] * j0 - legendre[2] * j2)
        imag = -gain * legendre[1] * j1
        out[0, i] = c * real + s * imag
        out[1, i] = c * imag - s * real
