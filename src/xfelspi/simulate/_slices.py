"""Numba kernels of the fast path: coarse amplitudes, widened to pixels, interfering row by row.

FMA contraction and re-ordered sums are allowed here (rounding of single precision, nothing else):
without them the row loops do not vectorize.
"""

import math
from functools import lru_cache

import numpy as np
from numba import njit

TAPS = 6
"""Coarse nodes that make one pixel."""

BEFORE = 2
"""Of which this many lie before the pixel's own node."""

BAND = 1.0
"""Radians per coarse node up to which the widening is accurate: 1e-4 rms, 4e-4 at the very edge."""

_FAST = {"contract", "reassoc", "nsz"}


@lru_cache(maxsize=64)
def widening_weights(step: int) -> np.ndarray:
    """Weights (step, TAPS) float32 that interpolate `step` pixels from each coarse node.

    Least-squares optimal for every signal whose frequencies stay within `BAND` radians per node: they
    minimize ∫ |Σ_t w_t e^{iωt} - e^{iωτ}|² dω over |ω| < BAND.
    """
    t = np.arange(TAPS) - BEFORE
    gram = np.sinc((t[:, None] - t[None, :]) * BAND / np.pi)
    weights = np.empty((step, TAPS), dtype=np.float32)
    for p in range(step):
        target = np.sinc((t - p / step) * BAND / np.pi)
        weights[p] = np.linalg.lstsq(gram, target, rcond=1e-13)[0]
    return weights


def coarse_count(pixels: int, step: int) -> int:
    """Return the number of coarse nodes that cover `pixels`."""
    return -(-pixels // step) + TAPS - 1


@njit(nogil=True, cache=True, fastmath=_FAST)
def _cubic(t, w):
    """Weights of the uniform cubic B-spline at a fraction t between nodes 1 and 2 of 4."""
    s = np.float32(1.0) - t
    sixth = np.float32(1.0 / 6.0)
    w[0] = s * s * s * sixth
    w[1] = (np.float32(4.0) - t * t * (np.float32(6.0) - np.float32(3.0) * t)) * sixth
    w[2] = (np.float32(4.0) - s * s * (np.float32(6.0) - np.float32(3.0) * s)) * sixth
    w[3] = t * t * t * sixth


@njit(nogil=True, cache=True, fastmath=_FAST)
def _spline(table, i, j, k, wx, wy, wz):
    total = np.float32(0.0)
    for a in range(4):
        plane = np.float32(0.0)
        for b in range(4):
            row = table[i + a, j + b]
            plane += wy[b] * (wz[0] * row[k] + wz[1] * row[k + 1] + wz[2] * row[k + 2] + wz[3] * row[k + 3])
        total += wx[a] * plane
    return total


@njit(nogil=True, cache=True, fastmath=_FAST)
def coarse_amplitude(table, to_table, factor, wavenumber, pixel, distance, origin, step, shift, h, out):
    """out[0] + i out[1] = factor · sqrt(P Ω) · F(Mᵀq) · exp(-i remainder) on the coarse nodes.

    table (parts, n, n, n) float32 spline coefficients; to_table (3, 3) takes lab q to table nodes; factor
    real; wavenumber in 1/nm; pixel and distance in m; origin (2,) the beam's pixel (y, x); step in pixels;
    shift (3,) the particle's place in nm; h the horizontally polarized fraction; out (2, rows, columns)
    float32. `remainder` is q.shift less the part that is linear and quadratic in x and y, which
    `interfere` applies as outer products.
    """
    middle = table.shape[1] // 2
    complex_table = table.shape[0] == 2
    shifted = shift[0] != 0.0 or shift[1] != 0.0 or shift[2] != 0.0
    wx = np.empty(4, dtype=np.float32)
    wy = np.empty(4, dtype=np.float32)
    wz = np.empty(4, dtype=np.float32)
    inverse_z = 1.0 / distance
    for a in range(out.shape[1]):
        y = ((a - BEFORE) * step - origin[0]) * pixel
        for b in range(out.shape[2]):
            x = ((b - BEFORE) * step - origin[1]) * pixel
            inverse_r = 1.0 / math.sqrt(x * x + y * y + distance * distance)
            cx, cy, cz = x * inverse_r, y * inverse_r, distance * inverse_r - 1.0
            qx, qy, qz = wavenumber * cx, wavenumber * cy, wavenumber * cz
            gx = to_table[0, 0] * qx + to_table[0, 1] * qy + to_table[0, 2] * qz + middle
            gy = to_table[1, 0] * qx + to_table[1, 1] * qy + to_table[1, 2] * qz + middle
            gz = to_table[2, 0] * qx + to_table[2, 1] * qy + to_table[2, 2] * qz + middle
            i, j, k = int(gx), int(gy), int(gz)
            _cubic(np.float32(gx - i), wx)
            _cubic(np.float32(gy - j), wy)
            _cubic(np.float32(gz - k), wz)
            polarized = 1.0 - h * cx * cx - (1.0 - h) * cy * cy
            scale = factor * pixel * math.sqrt(polarized * distance * inverse_r) * inverse_r
            real = scale * _spline(table[0], i - 1, j - 1, k - 1, wx, wy, wz)
            imag = 0.0
            if complex_table:
                imag = scale * _spline(table[1], i - 1, j - 1, k - 1, wx, wy, wz)
            if shifted:
                curved = 0.5 * (x * x + y * y) * inverse_z * inverse_z
                phase = wavenumber * (
                    shift[0] * (cx - x * inverse_z)
                    + shift[1] * (cy - y * inverse_z)
                    + shift[2] * (cz + curved)
                )
                c, s = math.cos(phase), math.sin(phase)
                real, imag = real * c + imag * s, imag * c - real * s
            out[0, a, b] = real
            out[1, a, b] = imag


@njit(nogil=True, cache=True, fastmath=_FAST)
def widen_columns(coarse, weights, out):
    """out[row, x] for every coarse row: the horizontal half of the interpolation.

    coarse (rows, m) float32, weights (step, TAPS) float32, out (rows, nx) float32.
    """
    step = weights.shape[0]
    nx = out.shape[1]
    for row in range(coarse.shape[0]):
        for node in range(-(-nx // step)):
            first = node * step
            for p in range(min(step, nx - first)):
                total = np.float32(0.0)
                for t in range(TAPS):
                    total += weights[p, t] * coarse[row, node + t]
                out[row, first + p] = total


@njit(nogil=True, cache=True, fastmath=_FAST)
def _widen_row(rows, weights, y, out):
    """out[x] at pixel row y from horizontally widened coarse rows: the vertical half."""
    step = weights.shape[0]
    node = y // step
    p = y - node * step
    w0, w1, w2 = weights[p, 0], weights[p, 1], weights[p, 2]
    w3, w4, w5 = weights[p, 3], weights[p, 4], weights[p, 5]
    r0, r1, r2 = rows[node], rows[node + 1], rows[node + 2]
    r3, r4, r5 = rows[node + 3], rows[node + 4], rows[node + 5]
    for x in range(out.shape[0]):
        out[x] = w0 * r0[x] + w1 * r1[x] + w2 * r2[x] + w3 * r3[x] + w4 * r4[x] + w5 * r5[x]


@njit(nogil=True, cache=True, fastmath=_FAST)
def interfere(wide, is_complex, steps, weights, pair_x, pair_y, good, own, photons, fringes):
    """photons = Σ_j |A_j|² and fringes += 2 Re Σ_{j<k} A_j A_k* s_x s_y, pixel by pixel.

    wide (k, 2, rows, nx) float32: amplitudes widened along x; is_complex (k,) bool; steps (k,) int64;
    weights (k, max step, TAPS); pair_x, pair_y (pairs, nx or ny) complex64: ramps of each pair's phase
    difference times its average over the pixel; good (ny, nx) float32; own (k,) float64 receives
    each particle's photons on good pixels; photons and fringes (ny, nx) float32 may be the same array.
    """
    k, ny, nx = wide.shape[0], photons.shape[0], photons.shape[1]
    amplitude = np.zeros((k, 2, nx), dtype=np.float32)
    row = np.empty(nx, dtype=np.float32)
    for y in range(ny):
        light = good[y]
        for j in range(k):
            real, imag = amplitude[j, 0], amplitude[j, 1]
            _widen_row(wide[j, 0], weights[j, : steps[j]], y, real)
            total = np.float32(0.0)
            if is_complex[j]:
                _widen_row(wide[j, 1], weights[j, : steps[j]], y, imag)
                for x in range(nx):
                    row[x] = real[x] * real[x] + imag[x] * imag[x]
                    total += light[x] * row[x]
            else:
                for x in range(nx):
                    row[x] = real[x] * real[x]
                    total += light[x] * row[x]
            own[j] += total
            if j == 0:
                photons[y, :] = row
            else:
                photons[y, :] += row
        pair = 0
        for j in range(k):
            for m in range(j + 1, k):
                ar, ai, br, bi = amplitude[j, 0], amplitude[j, 1], amplitude[m, 0], amplitude[m, 1]
                yr, yi = pair_y[pair, y].real, pair_y[pair, y].imag
                ramp = pair_x[pair]
                line = fringes[y]
                for x in range(nx):
                    gr = ramp[x].real * yr - ramp[x].imag * yi
                    gi = ramp[x].real * yi + ramp[x].imag * yr
                    cr = ar[x] * br[x] + ai[x] * bi[x]
                    ci = ai[x] * br[x] - ar[x] * bi[x]
                    line[x] += cr * gr - ci * gi
                pair += 1


@njit(nogil=True, cache=True, fastmath=_FAST)
def frame_light(signal, gain, flat, halo_gain, halo, corner, field, weights, good, out):
    """out = good · field · (gain · signal + flat + halo_gain · halo), and its sum.

    signal, good, out (ny, nx) float32; halo (ny + 2 m, nx + 2 m) float32 drawn about its own middle, read
    bilinearly from corner (2,) (y, x); field (rows, nx) coarse rows widened along x, with weights
    (step, TAPS), or no rows for an even field.
    """
    ny, nx = signal.shape
    uneven = field.shape[0] > 0
    line = np.ones(nx, dtype=np.float32)
    top, left = int(corner[0]), int(corner[1])
    fy, fx = np.float32(corner[0] - top), np.float32(corner[1] - left)
    one = np.float32(1.0)
    w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
    w10, w11 = fy * (one - fx), fy * fx
    total = 0.0
    for y in range(ny):
        if uneven:
            _widen_row(field, weights, y, line)
        upper, lower = halo[top + y, left:], halo[top + y + 1, left:]
        light, source, target = good[y], signal[y], out[y]
        row_total = np.float32(0.0)
        for x in range(nx):
            glow = w00 * upper[x] + w01 * upper[x + 1] + w10 * lower[x] + w11 * lower[x + 1]
            value = light[x] * line[x] * (gain * source[x] + flat + halo_gain * glow)
            target[x] = value
            row_total += value
        total += row_total
    return total
