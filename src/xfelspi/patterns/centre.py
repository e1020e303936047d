"""The beam's place on the detector, found from the patterns: near the beam they are alike in opposite pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import fft, ndimage

_SMOOTHED = 6.0  # pixels; what varies more slowly than this says little about where the middle is
_LEAST_OVERLAP = 0.2  # of the good pixels that must have a good opposite


class Centre(NamedTuple):
    """Where the beam crosses the detector, and how sure that is."""

    yx: tuple[float, float]
    """Pixels, to a quarter of one."""
    correlation: float
    """Of opposite pixels there, over all frames."""


def find_centre(frames: Iterable[np.ndarray], bad: np.ndarray, high=_SMOOTHED, over=_LEAST_OVERLAP, tr="sqrt") -> Centre:
    ny, nx = bad.shape
    good = (~bad).astype(np.float32)
    size = [fft.next_fast_len(2 * n, real=True) for n in (ny, nx)]

    def spectrum(a):
        return fft.rfft2(a, size)
    blur = lambda a: ndimage.gaussian_filter(a, high, truncate=3.0, mode="constant")
    weight = blur(good) if high else None
    m = spectrum(good)
    first = np.zeros_like(m); second = np.zeros_like(m); third = np.zeros_like(m)
    k = 0
    for f in frames:
        f = f.astype(np.float32)
        f = np.sqrt(f) if tr == "sqrt" else np.log1p(f)
        f = f*good
        if high:
            f = (f - blur(f)/np.maximum(weight, 1e-3))*good
        n = good.sum()
        f -= good*(f.sum()/n)
        s = np.sqrt((f*f).sum()/n)
        if s == 0: continue
        f /= s
        F = spectrum(f)
        first += F; second += F*F; third += spectrum(f*f)
        k += 1
    back = lambda a: fft.irfft2(a, size)
    pairs = back(m*m)
    sums = back(first*m); prod = back(second); squares = back(third*m)
    pairs_k = pairs*k
    with np.errstate(all="ignore"):
        mean = sums/pairs_k
        corr = (prod/pairs_k - mean**2)/np.maximum(squares/pairs_k - mean**2, 1e-9)
    corr[pairs < over*good.sum()] = -1
    corr = corr[:2*ny-1, :2*nx-1]
    peak = np.unravel_index(np.argmax(corr), corr.shape)
    yx = []
    for ax, p in enumerate(peak):
        idx = [slice(q, q+1) for q in peak]; 
        if 0 < p < corr.shape[ax]-1:
            line = [corr[tuple(p+d if a==ax else q for a,q in enumerate(peak))] for d in (-1,0,1)]
            den = line[0]-2*line[1]+line[2]
            off = 0.5*(line[0]-line[2])/den if den<0 else 0
        else: off = 0
        yx.append((p+off)/2)
    return Centre(tuple(yx), corr[peak]), corr
