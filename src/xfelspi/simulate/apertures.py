"""Light from apertures and slits around the beam: steep towards it, with arms."""

import math
from functools import lru_cache

import numpy as np

from .chance import RUN, stream
from .detector import Detector
from .halo import around_beam

NARROWEST, WIDEST = math.radians(2.0), math.radians(8.0)
"""Standard deviation of an arm's direction, in radians: slit flares of a few degrees."""

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


@lru_cache(maxsize=2)
def aperture_templates(detector: Detector, power: float, arms: tuple[tuple[float, float], ...]) -> np.ndarray:
    """r^-power about the middle, evenly round and in each arm: (1 + arms, rows + 2 rim, columns + 2 rim).

    float32, each with a sum of 1 over good pixels. Nearer to the beam than half the distance of the nearest
    good pixel it stays as it is there.

    Parameters
    ----------
    detector : Detector
        Geometry and mask.
    power : float
        Of the fall.
    arms : tuple of (float, float)
        Direction in radians, from +x towards +y, and width of each.
    """
    y, x, r, nearest, inside = around_beam(detector)
    good = detector.mask == 0
    fall = (nearest / np.maximum(r, 0.5 * nearest)) ** power
    templates = np.empty((1 + len(arms), *r.shape), dtype=np.float32)
    towards = np.arctan2(y, x)
    for template, arm in zip(templates, (None, *arms), strict=True):
        shape = fall
        if arm is not None:
            direction, width = arm
            off = np.angle(np.exp(1j * (towards - direction)))
            shape = fall * np.exp(-((off / width) ** 2) / 2.0)
        total = shape[inside][good].sum()
        template[...] = shape / total if total > 0.0 else 0.0
    return templates
