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
LOW_24 = np.uint64(0xFFFFFF)
LOW_31 = np.uint64(0x7FFFFFFF)
LN_2 = np.float32(math.log(2.0))


@njit(nogil=True, cache=True, error_model="numpy")
def _log(u):
    """ln(u) of a positive normal float32 to 2e-7, without a call, so that loops over it vectorize.

    u = 2^e m with m in [1, 2); ln(m) = 2 artanh(s), s = (m - 1) / (m + 1) <= 1/3.
    """
    bits = np.float32(u).view(np.int32)
    exponent = np.float32((bits >> SIGN_AND_EXPONENT) - np.int32(127))
    m = np.int32((bits & MANTISSA) | ONE_BITS).view(np.float32)
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
def displace_panels(light, row_edges, column_edges, shift, good, out):
    """out[y, x] = good[y, x] · light(y + shift_y, x + shift_x) with the shift of the panel that holds (y, x).

    light, good, out (ny, nx) float32; row_edges (a + 1,) and column_edges (b + 1,) int64 bound the panels;
    shift (a, b, 2) pixels. Separable cubic interpolation (it keeps fringes that a linear one would blur),
    never below 0; light beyond the frame is that of its edge.
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
                a, b, c, d = a[first + low :], b[first + low :], c[first + low :], d[first + low :]
                seen = line[low:high]
                for x in range(seen.size):
                    seen[x] = wy[0] * a[x] + wy[1] * b[x] + wy[2] * c[x] + wy[3] * d[x]
                row, there = out[y, left : left + width], good[y, left : left + width]
                for x in range(width):
                    value = wx[0] * line[x] + wx[1] * line[x + 1] + wx[2] * line[x + 2] + wx[3] * line[x + 3]
                    row[x] = there[x] * min(max(value, np.float32(0.0)), BRIGHTEST)


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


@njit(nogil=True, cache=True, error_model="numpy")
def share_charge(counts, cloud, key, charge):
    """Give the neighbours their part of each photon's charge, a square cloud about where it fell.

    counts (ny, nx) uint16; cloud: edge of the cloud in pixels, 0 < cloud <= 1; charge (ny + 2, nx + 2)
    float32 holds the counts within a rim that catches what leaves. A photon falls anywhere in its pixel;
    beyond `FEW` photons a pixel's charge is spread as the mean, (c/8, 1 - c/4, c/8) along each axis. The mean
    is right there, the variance of bright pixels too small, over the mean ((1 - c/4)² + c²/32)² instead of
    (1 - c/3)²: by 4 % for a cloud of 0.12, by 14 % for 0.5.
    """
    ny, nx = counts.shape
    half, far = np.float32(0.5) * cloud, np.float32(1.0) - np.float32(0.5) * cloud
    part = np.float32(1.0) / cloud
    zero, one = np.float32(0.0), np.float32(1.0)
    stay, go = one - np.float32(0.25) * cloud, np.float32(0.125) * cloud
    lit = np.empty(nx, dtype=np.int64)
    down = np.empty(nx, dtype=np.float32)  # what goes to the next row, or with a minus to the last
    right = np.empty(nx, dtype=np.float32)
    split = np.empty(nx, dtype=np.int64)
    for y in range(ny):
        row = counts[y]
        n = 0
        for x in range(nx):  # without a branch that would often be guessed wrongly, here and below
            lit[n] = x
            n += int(row[x] > 0)
        for photon in range(FEW):
            if n == 0:
                break
            for i in range(n):
                h = mix64(key + np.uint64((y * nx + lit[i]) * FEW + photon) * GOLDEN)
                v = np.float32(np.int32(h >> np.uint64(40))) * TO_UNIT_24
                u = np.float32(np.int32((h >> np.uint64(8)) & LOW_24)) * TO_UNIT_24
                down[i] = part * (max(v - far, zero) - max(half - v, zero))
                right[i] = part * (max(u - far, zero) - max(half - u, zero))
            m = 0
            for i in range(n):
                split[m] = i
                m += int(abs(down[i]) + abs(right[i]) > zero)
            for k in range(m):
                i = split[k]
                x = lit[i]
                below, beside = abs(down[i]), abs(right[i])
                above, before = one - below, one - beside
                here = charge[y + 1]
                there = charge[y + 2 if down[i] > zero else y]
                far_x = x + 2 if right[i] > zero else x
                here[x + 1] += above * before - one
                there[x + 1] += below * before
                here[far_x] += above * beside
                there[far_x] += below * beside
            m = 0
            for i in range(n):
                lit[m] = lit[i]
                m += int(row[lit[i]] > photon + 1)
            n = m
        for i in range(n):
            x = lit[i]
            rest = np.float32(row[x]) - np.float32(FEW)
            charge[y + 1, x + 1] -= rest
            for k in range(3):
                for m in range(3):
                    charge[y + k, x + m] += rest * (stay if k == 1 else go) * (stay if m == 1 else go)


@njit(nogil=True, cache=True)
def bloom(charge, full_well, part, good, row_edges):
    """Spill what exceeds the full well, half up and half down the column, into the next wells with room.

    charge (ny + 2, nx + 2) float32 with a rim that is left alone, changed in place; `part` of the excess
    spills, the rest is lost. What reaches the edge of a panel or a missing pixel (good 0) leaves.
    """
    ny, nx = good.shape
    spill = np.zeros(ny, dtype=np.float32)
    for x in range(nx):
        column = charge[1:-1, x + 1]
        brightest = np.float32(0.0)
        for y in range(ny):
            brightest = max(brightest, column[y])
        if brightest <= full_well:
            continue
        for y in range(ny):
            excess = max(column[y] - full_well, np.float32(0.0))
            spill[y] = np.float32(0.5) * part * excess
            column[y] -= excess
        for panel in range(row_edges.size - 1):
            top, bottom = row_edges[panel], row_edges[panel + 1]
            for way in (1, -1):
                flow = np.float32(0.0)
                for step in range(bottom - top):
                    y = top + step if way == 1 else bottom - 1 - step
                    if good[y, x] == 0.0:
                        flow = np.float32(0.0)
                        continue
                    filled = min(full_well - column[y], flow)
                    column[y] += filled
                    flow += spill[y] - filled


@njit(nogil=True, cache=True)
def convert_charge(charge, gain, base, noise, key, column_edges, good, top, out):
    """Set out to floor(gain · charge + base + noise · z), kept within 0 … top; 0 where good is.

    charge (ny + 2, nx + 2) float32 with a rim; good (ny, nx) float32; gain, base (ny, panels) float32 per
    row of each panel; z ~ N(0, 1) decided by (key, pixel); out (ny, nx) uint16.
    """
    ny, nx = out.shape
    normal = np.zeros(nx, dtype=np.float32)
    pairs = np.uint64((nx + 1) // 2)
    for y in range(ny):
        if noise > 0.0:
            fill_normal(key + np.uint64(y) * pairs * GOLDEN, normal)
        for panel in range(column_edges.size - 1):
            left, right = column_edges[panel], column_edges[panel + 1]
            g, b = gain[y, panel], base[y, panel]
            wells, there = charge[y + 1, left + 1 : right + 1], good[y, left:right]
            z, row = normal[left:right], out[y, left:right]
            for x in range(row.size):
                value = g * wells[x] + b + noise * z[x]
                value = there[x] * min(max(value, np.float32(0.0)), top)
                row[x] = np.uint16(np.int32(value))
