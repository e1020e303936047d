"""Numba kernels: from light on displaced panels, through charge in pixels, to counts."""

import math

import numpy as np
from numba import njit

from ._photons import GOLDEN, mix64

FEW = 8
"""Photons of a pixel that each fall at a place of their own; the rest are spread as their mean."""
BRIGHTEST = np.float32(1e30)
SIGN_AND_EXPONENT = np.int32(23)
MANTISSA = np.int32(0x007FFFFF)
ONE_BITS = np.int32(0x3F800000)
TO_UNIT_24 = np.float32(2.0**-24)
TO_UNIT_31 = np.float32(2.0**-31)
LOW_31 = np.uint64(0x7FFFFFFF)
LN_2 = np.float32(math.log(2.0))


@njit(nogil=True, cache=True, inline="always")
def _log(u):
    """ln(u) of a positive normal float32 to 2e-7, without a call, so that loops over it vectorize.

    u = 2^e m with m in [1, 2); ln(m) = 2 artanh(s), s = (m - 1) / (m + 1) <= 1/3.
    """
    bits = u.view(np.int32)
    exponent = np.float32((bits >> SIGN_AND_EXPONENT) - np.int32(127))
    m = ((bits & MANTISSA) | ONE_BITS).view(np.float32)
    s = (m - np.float32(1.0)) / (m + np.float32(1.0))
    t = s * s
    series = np.float32(2 / 9) + t * np.float32(2 / 11)
    series = np.float32(2 / 5) + t * (np.float32(2 / 7) + t * series)
    return exponent * LN_2 + s * (np.float32(2.0) + t * (np.float32(2 / 3) + t * series))


@njit(nogil=True, cache=True)
def fill_normal(key, out):
    """out[i] ~ N(0, 1) in pairs, by Box & Muller (1958, Ann. Math. Stat. 29, 610); |out| < 6.7.

    out (n,) float32; pair i is decided by (key, i) alone.
    """
    half = (out.size + 1) // 2
    rest = out.size - half
    other = np.empty(half, dtype=np.float32)
    for i in range(half):
        h = mix64(key + np.uint64(i) * GOLDEN)
        u = (np.float32(np.int32(h >> np.uint64(33))) + np.float32(0.5)) * TO_UNIT_31
        radius = np.sqrt(np.float32(-2.0) * min(_log(u), np.float32(0.0)))
        # Half the angle lies in -π/2 … π/2, where few terms do; cos a = c² - s², sin a = 2 s c.
        a = (np.float32(np.int32(h & LOW_31)) * TO_UNIT_31 - np.float32(0.5)) * np.float32(math.pi)
        t = a * a
        s = np.float32(1 / 120) + t * (np.float32(-1 / 5040) + t * np.float32(1 / 362880))
        s = a * (np.float32(1.0) + t * (np.float32(-1 / 6) + t * s))
        c = np.float32(-1 / 720) + t * (np.float32(1 / 40320) - t * np.float32(1 / 3628800))
        c = np.float32(1.0) + t * (np.float32(-1 / 2) + t * (np.float32(1 / 24) + t * c))
        out[i] = radius * (c * c - s * s)
        other[i] = radius * (np.float32(2.0) * s * c)
    for i in range(rest):
        out[half + i] = other[i]


@njit(nogil=True, cache=True)
def cubic_weights(fraction, out):
    """Weights (4,) of Catmull & Rom's cubic at 0 <= fraction < 1 between the second and third node."""
    f = fraction
    out[0] = f * (-0.5 + f * (1.0 - 0.5 * f))
    out[1] = 1.0 + f * f * (-2.5 + 1.5 * f)
    out[2] = f * (0.5 + f * (2.0 - 1.5 * f))
    out[3] = f * f * (-0.5 + 0.5 * f)


@njit(nogil=True, cache=True)
def displace_panels(light, row_edges, column_edges, shift, out):
    """out[y, x] = light(y + shift_y, x + shift_x) with the shift of the panel that holds (y, x).

    light, out (ny, nx) float32; row_edges (a + 1,) and column_edges (b + 1,) int64 bound the panels; shift
    (a, b, 2) pixels. Separable cubic interpolation (it keeps fringes that a linear one would blur), never
    below 0; light beyond the frame is that of its edge.
    """
    ny, nx = light.shape
    wy, wx = np.empty(4, dtype=np.float32), np.empty(4, dtype=np.float32)
    for i in range(row_edges.size - 1):
        for j in range(column_edges.size - 1):
            down, right = math.floor(shift[i, j, 0]), math.floor(shift[i, j, 1])
            cubic_weights(shift[i, j, 0] - down, wy)
            cubic_weights(shift[i, j, 1] - right, wx)
            left, width = column_edges[j], column_edges[j + 1] - column_edges[j]
            line = np.empty(width + 3, dtype=np.float32)
            first = left + right - 1  # the column that line[0] stands for
            low = min(max(-first, 0), line.size)
            high = max(min(nx - first, line.size), low)
            for y in range(row_edges[i], row_edges[i + 1]):
                a = light[min(max(y + down - 1, 0), ny - 1)]
                b = light[min(max(y + down, 0), ny - 1)]
                c = light[min(max(y + down + 1, 0), ny - 1)]
                d = light[min(max(y + down + 2, 0), ny - 1)]
                line[:low] = wy[0] * a[0] + wy[1] * b[0] + wy[2] * c[0] + wy[3] * d[0]
                line[high:] = wy[0] * a[-1] + wy[1] * b[-1] + wy[2] * c[-1] + wy[3] * d[-1]
                for x in range(low, high):
                    at = first + x
                    line[x] = wy[0] * a[at] + wy[1] * b[at] + wy[2] * c[at] + wy[3] * d[at]
                for x in range(width):
                    value = wx[0] * line[x] + wx[1] * line[x + 1] + wx[2] * line[x + 2] + wx[3] * line[x + 3]
                    out[y, left + x] = min(max(value, np.float32(0.0)), BRIGHTEST)


@njit(nogil=True, cache=True)
def bar_shadow(tip, along, half_width, edge, transmission, out):
    """out[y, x] = 1 - (1 - transmission) · step(half_width - |across|) · step(ahead) of a bar without end.

    tip (2,) pixels (y, x) is where the bar ends; along (2,) unit vector away from its tip. step rises as
    t² (3 - 2t) over `edge` pixels, centred on the bar's outline. out (ny, nx) float32.
    """
    depth = np.float32(1.0 - transmission)
    ay, ax = np.float32(along[0]), np.float32(along[1])
    scale = np.float32(1.0 / edge)
    half, zero, one = np.float32(0.5), np.float32(0.0), np.float32(1.0)
    reach = np.float32(half_width)
    for y in range(out.shape[0]):
        v = np.float32(y - tip[0])
        for x in range(out.shape[1]):
            u = np.float32(x) - np.float32(tip[1])
            side = min(max((reach - abs(u * ay - v * ax)) * scale + half, zero), one)
            ahead = min(max((u * ax + v * ay) * scale + half, zero), one)
            side *= side * (np.float32(3.0) - np.float32(2.0) * side)
            ahead *= ahead * (np.float32(3.0) - np.float32(2.0) * ahead)
            out[y, x] = one - depth * side * ahead


@njit(nogil=True, cache=True)
def _split(place, cloud):
    """Return (step, fraction): which neighbour a cloud about `place` in the pixel reaches, and its part."""
    half = np.float32(0.5) * cloud
    if place < half:
        return -1, (half - place) / cloud
    if np.float32(1.0) - place < half:
        return 1, (half - (np.float32(1.0) - place)) / cloud
    return 0, np.float32(0.0)


@njit(nogil=True, cache=True)
def share_charge(counts, cloud, key, charge):
    """Add every photon's charge, 1, to the pixels that its square cloud covers.

    counts (ny, nx) uint16; cloud: edge of the cloud in pixels, 0 … 1; charge (ny + 2, nx + 2) float32 with a
    rim that catches what leaves. A photon falls anywhere in its pixel; beyond `FEW` photons a pixel's
    charge is spread as the mean, (c/8, 1 - c/4, c/8) along each axis.
    """
    ny, nx = counts.shape
    half = np.float32(0.5) * cloud
    far = np.float32(1.0) - half
    stay, go = np.float32(1.0 - 0.25 * cloud), np.float32(0.125 * cloud)
    for y in range(ny):
        for x in range(nx):
            n = np.int64(counts[y, x])
            if n == 0:
                continue
            pixel = mix64(key + np.uint64(y * nx + x) * GOLDEN)
            whole = 0
            for photon in range(1, min(n, FEW) + 1):
                h = mix64(pixel + np.uint64(photon) * GOLDEN)
                v = np.float32(np.int32(h >> np.uint64(40))) * TO_UNIT_24
                u = np.float32(np.int32((h >> np.uint64(8)) & np.uint64(0xFFFFFF))) * TO_UNIT_24
                if min(u, v) >= half and max(u, v) <= far:
                    whole += 1
                    continue
                down, below = _split(v, cloud)
                right, beside = _split(u, cloud)
                above, before = np.float32(1.0) - below, np.float32(1.0) - beside
                charge[y + 1, x + 1] += above * before
                charge[y + 1 + down, x + 1] += below * before
                charge[y + 1, x + 1 + right] += above * beside
                charge[y + 1 + down, x + 1 + right] += below * beside
            charge[y + 1, x + 1] += np.float32(whole)
            if n > FEW:
                rest = np.float32(n - FEW)
                for i in range(3):
                    down_part = rest * (stay if i == 1 else go)
                    for j in range(3):
                        charge[y + i, x + j] += down_part * (stay if j == 1 else go)


@njit(nogil=True, cache=True)
def bloom(charge, full_well, part, good, row_edges):
    """Spill what exceeds the full well, half up and half down the column, into the next wells with room.

    charge (ny, nx) float32, changed in place; `part` of the excess spills, the rest is lost. What reaches the
    edge of a panel or a missing pixel (good 0) leaves.
    """
    spill = np.zeros(charge.shape[0], dtype=np.float32)
    for x in range(charge.shape[1]):
        brightest = np.float32(0.0)
        for y in range(charge.shape[0]):
            brightest = max(brightest, charge[y, x])
        if brightest <= full_well:
            continue
        for y in range(charge.shape[0]):
            excess = max(charge[y, x] - full_well, np.float32(0.0))
            spill[y] = np.float32(0.5) * part * excess
            charge[y, x] -= excess
        for panel in range(row_edges.size - 1):
            top, bottom = row_edges[panel], row_edges[panel + 1]
            for way in (1, -1):
                flow = np.float32(0.0)
                for step in range(bottom - top):
                    y = top + step if way == 1 else bottom - 1 - step
                    if good[y, x] == 0.0:
                        flow = np.float32(0.0)
                        continue
                    filled = min(full_well - charge[y, x], flow)
                    charge[y, x] += filled
                    flow += spill[y] - filled


@njit(nogil=True, cache=True)
def convert_charge(charge, gain, base, noise, key, column_edges, good, top, out):
    """out = floor(gain · charge + base + noise · z), kept within 0 … top; 0 where good is.

    charge, good (ny, nx) float32; gain, base (ny, panels) float32 per row of each panel; z ~ N(0, 1) decided
    by (key, pixel); out (ny, nx) uint16.
    """
    ny, nx = out.shape
    normal = np.zeros(nx, dtype=np.float32)
    pairs = np.uint64((nx + 1) // 2)
    for y in range(ny):
        if noise > 0.0:
            fill_normal(key + np.uint64(y) * pairs * GOLDEN, normal)
        for panel in range(column_edges.size - 1):
            g, b = gain[y, panel], base[y, panel]
            for x in range(column_edges[panel], column_edges[panel + 1]):
                value = g * charge[y, x] + b + noise * normal[x]
                value = good[y, x] * min(max(value, np.float32(0.0)), top)
                out[y, x] = np.uint16(np.int32(value))
