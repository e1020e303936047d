"""Toy frames whose fidelity is known."""

import numpy as np

from xfelspi.fidelity import FrameSet

SIZE = 48
CENTRE = (SIZE - 1) / 2


def polar(size=SIZE, centre=None):
    """Radius and angle of every pixel."""
    middle = (size - 1) / 2
    cy, cx = (middle, middle) if centre is None else centre
    y, x = np.indices((size, size)).astype(float)
    return np.hypot(y - cy, x - cx), np.arctan2(y - cy, x - cx)


def frame_set(counts, good=None, centre=None):
    counts = np.asarray(counts)
    good = np.ones(counts.shape[1:], bool) if good is None else good
    middle = tuple((n - 1) / 2 for n in counts.shape[1:])
    return FrameSet(counts=counts, good=good, centre_yx=middle if centre is None else centre)


def shots(n, seed, *, brightest=2e4, halo=0.0):
    """Toy shots: fringes of a body of varying size and aspect, a hole, Poisson noise."""
    rng = np.random.default_rng(seed)
    radius, angle = polar()
    good = np.ones((SIZE, SIZE), bool)
    good[21:27, 21:27] = False
    counts = []
    for _ in range(n):
        fringes = 1 + 0.8 * np.cos(2 * np.pi * radius * rng.normal(1, 0.05) / 12)
        aspect = 1 + 0.3 * rng.uniform() * np.cos(2 * (angle - rng.uniform(0, 2 * np.pi)))
        light = fringes * np.exp(-radius / 7) * aspect + 0.002 + halo * np.exp(-radius / 20)
        photons = brightest * np.exp(rng.uniform(-2, 0))
        counts.append(rng.poisson(photons * light / light[good].sum()))
    return frame_set(np.array(counts, np.uint16), good)
