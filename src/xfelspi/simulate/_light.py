"""Numba kernels: the light of a frame, row by row, from waves that interfere and from what is beside them."""

import math

import numpy as np
from numba import njit

from ._widen import FAST, widen_columns, widen_row

# The row loops below index whole arrays: a slice would cost two atomic reference counts a row.


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
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


@njit(nogil=True, cache=True, fastmath=FAST)
def lit_sum(photons, light):
    """Σ photons · light over two (ny, nx) float32 arrays; `np.vdot` would wake threads for it."""
    total = np.float64(0.0)
    for y in range(photons.shape[0]):
        row = np.float32(0.0)
        for x in range(photons.shape[1]):
            row += photons[y, x] * light[y, x]
        total += row
    return total


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
def _add_fringes(amplitude, j, m, pair_x, pair_y, pair, y, photons):
    """photons[y] += Re[A_j A_m* (ramp along x) (ramp along y)]."""
    yr, yi = pair_y[pair, 0, y], pair_y[pair, 1, y]
    for x in range(photons.shape[1]):
        gr = pair_x[pair, 0, x] * yr - pair_x[pair, 1, x] * yi
        gi = pair_x[pair, 0, x] * yi + pair_x[pair, 1, x] * yr
        cr = amplitude[2 * j, x] * amplitude[2 * m, x] + amplitude[2 * j + 1, x] * amplitude[2 * m + 1, x]
        ci = amplitude[2 * j + 1, x] * amplitude[2 * m, x] - amplitude[2 * j, x] * amplitude[2 * m + 1, x]
        photons[y, x] += cr * gr - ci * gi


@njit(nogil=True, cache=True, fastmath=FAST)
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
            widen_row(wide, i, down, y, amplitude)
        for j in range(k):
            own[j] += _own_light(amplitude, j * parts, parts, good, y, photons)
        pair = 0
        for j in range(k):
            for m in range(j + 1, k):
                _add_fringes(amplitude, j, m, pair_x, pair_y, pair, y, photons)
                pair += 1


@njit(nogil=True, cache=True, fastmath=FAST)
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
            widen_row(field, 0, weights, y, line)
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


@njit(nogil=True, cache=True, fastmath=FAST)
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
            widen_row(blobs, 0, weights, y, line)
        row_total = np.float32(0.0)
        for x in range(nx):
            photons[y, x] = keep * (gain * photons[y, x] + row[x]) + blob_gain * max(
                line[0, x], np.float32(0.0)
            )
            row_total += good[y, x] * row[x]
        total += row_total
    return total


@njit(nogil=True, cache=True, fastmath=FAST, inline="always")
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


@njit(nogil=True, cache=True, fastmath=FAST)
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
