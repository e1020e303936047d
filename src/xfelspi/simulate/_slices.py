"""Numba kernels of the fast path: coarse amplitudes, widened to pixels, interfering row by row.

FMA contraction and re-ordered sums are allowed here (rounding of single precision, nothing else):
without them the row loops do not vectorize.
"""

import math
from functools import lru_cache

import numpy as np
from numba import njit

from ._tricubic import tricubic

TAPS = 6
"""Coarse nodes that make one pixel."""

BEFORE = 2
"""Of which this many lie before the pixel's own node."""

BAND = 1.15
"""Radians per coarse node up to which the widening is accurate: 2e-4 rms, 7e-4 at the very edge."""

_FAST = {"contract", "reassoc", "nsz"}


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


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _cubic(t):
    """Weights of the uniform cubic B-spline at a fraction t between nodes 1 and 2 of 4."""
    s = np.float32(1.0) - t
    sixth = np.float32(1.0 / 6.0)
    w1 = (np.float32(4.0) - t * t * (np.float32(6.0) - np.float32(3.0) * t)) * sixth
    w2 = (np.float32(4.0) - s * s * (np.float32(6.0) - np.float32(3.0) * s)) * sixth
    return s * s * s * sixth, w1, w2, t * t * t * sixth


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _spline(table, n, gx, gy, gz):
    """Cubic B-spline at (gx, gy, gz), in nodes, from a flat table of n x n x n coefficients."""
    i, j, k = np.uint64(gx), np.uint64(gy), np.uint64(gz)  # unsigned: spares the check for negative ones
    x = _cubic(np.float32(gx - np.float64(i)))
    y = _cubic(np.float32(gy - np.float64(j)))
    z = _cubic(np.float32(gz - np.float64(k)))
    one = np.uint64(1)
    return tricubic(table, ((i - one) * n + (j - one)) * n + (k - one), n, x, y, z)


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
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


@njit(nogil=True, cache=True, fastmath=_FAST)
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


@njit(nogil=True, cache=True, fastmath=_FAST)
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


@njit(nogil=True, cache=True, fastmath=_FAST)
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


@njit(nogil=True, cache=True, fastmath=_FAST)
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


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
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


# The row loops below index whole arrays: a slice would cost two atomic reference counts a row.


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _widen_row(wide, i, weights, y, out):
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


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _own_light(amplitude, i, parts, good, y, photons):
    """photons[y] += |A|² of amplitude rows i (and i + 1); return what falls on good pixels."""
    total = np.float32(0.0)
    if parts == 1:
        for x in range(photons.shape[1]):
            value = amplitude[i, x] * amplitude[i, x]
            photons[y, x] += value
            total += value * good[y, x]
    else:
        for x in range(photons.shape[1]):
            value = amplitude[i, x] * amplitude[i, x] + amplitude[i + 1, x] * amplitude[i + 1, x]
            photons[y, x] += value
            total += value * good[y, x]
    return total


@njit(nogil=True, cache=True, fastmath=_FAST)
def lit_sum(photons, light):
    """Σ photons · light over two (ny, nx) float32 arrays; `np.vdot` would wake threads for it."""
    total = np.float64(0.0)
    for y in range(photons.shape[0]):
        row = np.float32(0.0)
        for x in range(photons.shape[1]):
            row += photons[y, x] * light[y, x]
        total += row
    return total


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _add_fringes(amplitude, j, m, pair_x, pair_y, pair, y, photons):
    """photons[y] += Re[A_j A_m* (ramp along x) (ramp along y)]."""
    yr, yi = pair_y[pair, 0, y], pair_y[pair, 1, y]
    for x in range(photons.shape[1]):
        gr = pair_x[pair, 0, x] * yr - pair_x[pair, 1, x] * yi
        gi = pair_x[pair, 0, x] * yi + pair_x[pair, 1, x] * yr
        cr = amplitude[2 * j, x] * amplitude[2 * m, x] + amplitude[2 * j + 1, x] * amplitude[2 * m + 1, x]
        ci = amplitude[2 * j + 1, x] * amplitude[2 * m, x] - amplitude[2 * j, x] * amplitude[2 * m + 1, x]
        photons[y, x] += cr * gr - ci * gi


@njit(nogil=True, cache=True, fastmath=_FAST)
def interfere(coarse, parts, across, down, pair_x, pair_y, good, own, photons):
    """Set photons to Σ_j |A_j|² + 2 Re Σ_{j<k} A_j A_k* s_x s_y, pixel by pixel.

    coarse (2 k, rows, m) float32, real and imaginary part of each amplitude, or (k, rows, m) where all are
    real: parts 2 or 1; across (TAPS, nx) and down (step, TAPS) the widening weights; pair_x, pair_y
    (pairs, 2, nx or ny) float32: ramps of each pair's phase difference times its average over the pixel;
    good (ny, nx) float32; own (k,) float64 receives each particle's photons on good pixels; photons (ny, nx)
    float32.
    """
    ny, nx = photons.shape
    k = own.size
    wide = np.empty((k * parts, coarse.shape[1], nx), dtype=np.float32)
    widen_columns(coarse, across, down.shape[0], wide)
    amplitude = np.empty((k * parts, nx), dtype=np.float32)
    own[:] = 0.0
    photons[:] = 0.0
    for y in range(ny):
        for i in range(k * parts):
            _widen_row(wide, i, down, y, amplitude)
        for j in range(k):
            own[j] += _own_light(amplitude, j * parts, parts, good, y, photons)
        pair = 0
        for j in range(k):
            for m in range(j + 1, k):
                _add_fringes(amplitude, j, m, pair_x, pair_y, pair, y, photons)
                pair += 1


@njit(nogil=True, cache=True, fastmath=_FAST)
def frame_light(signal, gain, flat, halo_gain, halo, corner, field, weights, good, missing_too, out):
    """Set out to good · field · (gain · signal + flat + halo_gain · halo) and return its sum.

    With missing_too pixels that are not good are lit as well, and still not in the sum.

    signal, good, out (ny, nx) float32; halo (ny + 2 m, nx + 2 m) float32 drawn about its own middle, read
    bilinearly from corner (2,) (y, x); field (1, rows, nx) coarse rows widened along x, with weights
    (step, TAPS), or no rows for an even field.
    """
    ny, nx = signal.shape
    uneven = field.shape[1] > 0
    line = np.ones((1, nx), dtype=np.float32)
    top, left = int(corner[0]), int(corner[1])
    fy, fx = np.float32(corner[0] - top), np.float32(corner[1] - left)
    one = np.float32(1.0)
    w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
    w10, w11 = fy * (one - fx), fy * fx
    total = np.float64(0.0)
    for y in range(ny):
        if uneven:
            _widen_row(field, 0, weights, y, line)
        upper, lower = halo[top + y, left:], halo[top + y + 1, left:]
        row_total = np.float32(0.0)
        for x in range(nx):
            glow = w00 * upper[x] + w01 * upper[x + 1] + w10 * lower[x] + w11 * lower[x + 1]
            light = line[0, x] * (gain * signal[y, x] + flat + halo_gain * glow)
            out[y, x] = light
            row_total += good[y, x] * light
        if not missing_too:
            for x in range(nx):
                out[y, x] *= good[y, x]
        total += row_total
    return total


@njit(nogil=True, cache=True, fastmath=_FAST)
def add_beside(
    photons, gain, keep, gas, gas_gain, even, even_gain, blank, blank_gain,
    apertures, spans, strengths, corner, blobs, blob_gain, weights, good,
):  # fmt: skip
    """Set photons to keep · (gain · photons + added) + blob_gain · max(blobs, 0); return Σ good · added.

    added = gas_gain · gas + even_gain · even + blank_gain · blank + Σ_i strengths_i · apertures_i.
    photons, gas, even, blank, good (ny, nx) float32; apertures (n, ny + 2 m, nx + 2 m) float32 drawn about
    their own middle, read bilinearly from corner (2,) (y, x), the first everywhere and the others from
    column spans[n, y, 0] to spans[n, y, 1]; strengths (n,) float32; blobs (1, rows, nx) coarse rows widened
    along x, with weights (step, TAPS). What is empty is not added.
    """
    ny, nx = photons.shape
    row = np.empty(nx, dtype=np.float32)
    line = np.zeros((1, nx), dtype=np.float32)
    mixed = np.zeros((2, nx + 1), dtype=np.float32)  # the apertures' rows above and below a pixel's
    top, left = int(corner[0]), int(corner[1])
    fy, fx = np.float32(corner[0] - top), np.float32(corner[1] - left)
    one = np.float32(1.0)
    w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
    w10, w11 = fy * (one - fx), fy * fx
    if apertures.shape[0] > 0:
        _mix(apertures, spans, strengths, top, left, mixed, 0)
    total = np.float64(0.0)
    for y in range(ny):
        for x in range(nx):
            row[x] = 0.0
        if gas.shape[0] > 0:
            for x in range(nx):
                row[x] += gas_gain * gas[y, x]
        if even.shape[0] > 0:
            for x in range(nx):
                row[x] += even_gain * even[y, x]
        if blank.shape[0] > 0:
            for x in range(nx):
                row[x] += blank_gain * blank[y, x]
        if apertures.shape[0] > 0:
            up, down = y % 2, 1 - y % 2
            _mix(apertures, spans, strengths, top + y + 1, left, mixed, down)
            for x in range(nx):
                row[x] += (w00 * mixed[up, x] + w01 * mixed[up, x + 1]) + (
                    w10 * mixed[down, x] + w11 * mixed[down, x + 1]
                )
        if blobs.shape[1] > 0:
            _widen_row(blobs, 0, weights, y, line)
        row_total = np.float32(0.0)
        for x in range(nx):
            photons[y, x] = keep * (gain * photons[y, x] + row[x]) + blob_gain * max(
                line[0, x], np.float32(0.0)
            )
            row_total += good[y, x] * row[x]
        total += row_total
    return total


@njit(nogil=True, cache=True, fastmath=_FAST, inline="always")
def _mix(apertures, spans, strengths, y, left, mixed, i):
    """mixed[i, x] = Σ_n strengths[n] · apertures[n, y, left + x], where spans[n, y] says there is light.

    Indices are unsigned: that spares the check for negative ones.
    """
    start = np.uint64(left)
    for x in range(mixed.shape[1]):
        mixed[i, x] = strengths[0] * apertures[0, y, start + np.uint64(x)]
    for n in range(1, strengths.size):
        first = max(spans[n, y, 0] - left, 0)
        last = min(spans[n, y, 1] - left, mixed.shape[1])
        here = np.uint64(first)
        for x in range(last - first):
            at = here + np.uint64(x)
            mixed[i, at] += strengths[n] * apertures[n, y, start + at]


@njit(nogil=True, cache=True, fastmath=_FAST)
def add_streak(photons, middle, angle, width, length, strength, good):
    """Add c · (1 - d²/9 width²)³ (1 + s²/length²)^(-3/2) to photons; return what falls on good pixels.

    d and s are the distances across and along a line through middle (2,) (y, x), angle radians from +x
    towards +y, and d < 3 width; c makes the sum over good pixels `strength`. photons, good (ny, nx) float32.
    """
    ny, nx = photons.shape
    cosine, sine = math.cos(angle), math.sin(angle)
    one = np.float32(1.0)
    by_width, by_length = 1.0 / (3.0 * width), 1.0 / length
    across_x, along_x = np.float32(-sine * by_width), np.float32(cosine * by_length)
    total, c = np.float64(0.0), 0.0
    for _ in range(2):  # first the sum, then the light
        brightness = np.float32(c)
        for y in range(ny):
            v = y - middle[0]
            first, last = 0, nx  # pixels with |x sin - v cos| < 3 width
            if abs(sine) > 1e-6:
                centre, reach = middle[1] + v * cosine / sine, 3.0 * width / abs(sine)
                first = int(min(max(centre - reach, 0.0), nx))
                last = int(min(max(centre + reach + 1.0, 0.0), nx))
            if last <= first:
                continue
            across_0 = np.float32((v * cosine - (first - middle[1]) * sine) * by_width)
            along_0 = np.float32(((first - middle[1]) * cosine + v * sine) * by_length)
            start = np.uint64(first)
            row_total = np.float32(0.0)
            for x in range(last - first):
                across = across_0 + np.float32(x) * across_x
                along = along_0 + np.float32(x) * along_x
                near = max(one - across * across, np.float32(0.0))
                fall = one + along * along
                light = near * near * near / (fall * np.sqrt(fall))
                row_total += light * good[y, start + np.uint64(x)]
                photons[y, start + np.uint64(x)] += brightness * light
            total += row_total
        if not total > 0.0:
            return 0.0
        c = strength / total
    return strength
