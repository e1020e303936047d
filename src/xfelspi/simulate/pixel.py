"""One pixel: at which places in it waves are taken, and what pairs' fringes come to between these."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from ._waves import node_ramp, pair_ramp
from .beam import Pulse
from .detector import Detector

BLUR_FROM = 0.173
"""Phase per pixel at a particle's edge above which the pixel blurs |A|² by more than half a per cent: its
middle no longer stands for it."""

LARGE_FROM = 0.4
"""Phase per pixel above which three Gauss-Legendre nodes per axis replace two."""


@dataclass(frozen=True)
class Node:
    """One of the places along a pixel's edge at which the waves are taken.

    Parameters
    ----------
    place : float
        In pixels from the middle.
    weight : float
        Its part of the pixel.
    legendre : tuple of float
        (2n + 1) P_n(2 place), n = 0 … nodes - 1: what integrates fringes between the nodes.
    """

    place: float = 0.0
    weight: float = 1.0
    legendre: tuple[float, ...] = (1.0,)


@lru_cache(maxsize=8)
def pixel_nodes(points: int) -> tuple[Node, ...]:
    """Gauss-Legendre nodes along a pixel's edge."""
    places, weights = np.polynomial.legendre.leggauss(points)
    values = np.polynomial.legendre.legvander(places, points - 1) * (2 * np.arange(points) + 1)
    return tuple(
        Node(t / 2.0, w / 2.0, tuple(p))
        for t, w, p in zip(places.tolist(), weights.tolist(), values.tolist(), strict=True)
    )


def points_along(edge: float, residual: float) -> int:
    """Return the nodes along a pixel's edge, given the phases per pixel of a particle's edge and place."""
    if edge > LARGE_FROM or residual > LARGE_FROM:
        return 3
    return 1 if edge <= BLUR_FROM else 2


def pair_ramps(axis: int, node: Node, shifts: np.ndarray, pulse: Pulse, detector: Detector) -> np.ndarray:
    """Outer-product phase of each pair along y (axis 0) or x (1), times its average over the pixel.

    (pairs, 2, pixels) float32; the factor 2 of the cross terms and their visibility are in those along x.
    """
    pairs = list(combinations(range(len(shifts)), 2))
    ramps = np.empty((len(pairs), 2, detector.shape[axis]), dtype=np.float32)
    if not pairs:
        return ramps
    origin = detector.middle_yx[axis] + pulse.centre_offset_pixels[axis] - node.place
    u = (np.arange(detector.shape[axis]) - origin) * detector.pixel_size_m
    geometry = (pulse.wavenumber_per_nm, detector.distance_m, detector.pixel_size_m)
    for i, (a, b) in enumerate(pairs):
        apart = shifts[a] - shifts[b]
        gain = 2.0 * _visibility(apart, pulse.coherence_length_um) if axis == 1 else 1.0
        if len(node.legendre) == 1:
            pair_ramp(u, apart[1 - axis], apart[2], *geometry, gain, ramps[i])
        else:
            legendre = np.zeros(3)
            legendre[: len(node.legendre)] = node.legendre
            node_ramp(u, apart[1 - axis], apart[2], *geometry, gain, node.place, legendre, ramps[i])
    return ramps


def _visibility(apart_nm: np.ndarray, coherence_length_um: float) -> float:
    """exp(-d² / 2ξ²) for a transverse distance d: Gaussian Schell model."""
    d_squared_um2 = (apart_nm[0] ** 2 + apart_nm[1] ** 2) * 1e-6
    return math.exp(-d_squared_um2 / (2.0 * coherence_length_um**2))
