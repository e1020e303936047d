"""Light from apertures and slits around the beam: steep towards it, with arms."""

import math
from functools import lru_cache

import numpy as np

from .chance import RUN, stream
from .detector import AT_HAND, Detector
from .halo import around_beam

NARROWEST, WIDEST = math.radians(2.0), math.radians(8.0)
"""Standard deviation of an arm's direction, in radians: slit flares of a few degrees."""

REACH = 4.0
"""Standard deviations from an arm's middle at which it ends."""

MOST_ARMS = 8


@lru_cache(maxsize=64)
def draw_arms(seed: int) -> tuple[tuple[float, float, float], ...]:
    """(direction, width, share) of `MOST_ARMS` arms of a run: the apertures stay where they are.

    Directions are even over the circle and widths between `NARROWEST` and `WIDEST`; shares are exponential,
    since a few edges of a few slits make most of the light.
    """
    rng = stream(seed, RUN, 0)
    directions = 2.0 * math.pi * rng.random(MOST_ARMS)
    widths = NARROWEST + (WIDEST - NARROWEST) * rng.random(MOST_ARMS)
    shares = rng.standard_exponential(MOST_ARMS)
    return tuple(zip(directions.tolist(), widths.tolist(), shares.tolist(), strict=True))


@lru_cache(maxsize=AT_HAND)
def aperture_templates(
    detector: Detector, power: float, arms: tuple[tuple[float, float], ...]
) -> tuple[np.ndarray, np.ndarray]:
    """r^-power about the middle, evenly round and in each arm, and where each arm is lit.

    Nearer to the beam than half the distance of the nearest good pixel it stays as it is there.

    Parameters
    ----------
    detector : Detector
        Geometry and mask.
    power : float
        Of the fall.
    arms : tuple of (float, float)
        Direction in radians, from +x towards +y, and standard deviation of each.

    Returns
    -------
    templates : (1 + arms, rows + 2 rim, columns + 2 rim) float32
        Each with a sum of 1 over good pixels.
    spans : (1 + arms, rows + 2 rim, 2) int64
        First lit column of each row, and one past the last.
    """
    y, x, r, nearest, inside = around_beam(detector)
    good = detector.mask == 0
    nearest = max(nearest, 0.5)  # a pixel at the beam itself
    fall = (nearest / np.maximum(r, 0.5 * nearest)) ** power
    towards = np.arctan2(y, x)
    templates = np.empty((1 + len(arms), *r.shape), dtype=np.float32)
    spans = np.zeros((*templates.shape[:2], 2), dtype=np.int64)
    for template, span, arm in zip(templates, spans, (None, *arms), strict=True):
        shape = fall
        if arm is not None:
            direction, width = arm
            off = np.angle(np.exp(1j * (towards - direction))) / width
            shape = fall * np.where(np.abs(off) < REACH, np.exp(-(off**2) / 2.0), 0.0)
        total = shape[inside][good].sum()
        template[...] = shape / total if total > 0.0 else 0.0
        lit = template > 0.0
        span[:, 0] = lit.argmax(axis=1)
        span[:, 1] = np.where(lit.any(axis=1), lit.shape[1] - lit[:, ::-1].argmax(axis=1), 0)
    return templates, spans
