"""How large the particles look: the sphere whose rings fit a frame best, whatever its brightness."""

from __future__ import annotations

import numpy as np

from .frames import FrameSet

INNER_PIXELS = 4.0
"""Rings nearer to the centre are left out: holes, saturation and the direct beam spoil them."""

PHASES = np.geomspace(0.03, 1.2, 160)
"""Tried phases per pixel of the wave from the particle's edge, in rad."""

PEDESTALS = np.geomspace(1e-6, 1e-1, 11)
"""Tried flat backgrounds over the sphere's intensity in the middle."""


def edge_phases(frames: FrameSet) -> np.ndarray:
    """Phase per pixel, in rad, of the wave from the edge of the sphere that fits each frame best.

    The photons n_r in rings of a pixel follow a_r [s(φ r) + b], a_r the ring's good pixels,
    s(x) = [3 (sin x - x cos x) / x³]² (Rayleigh 1911) and b a pedestal; φ and b maximize their multinomial
    likelihood, in which the brightness has no part. A sphere of diameter D shows
    φ = π D (pixel size) / (λ distance); other bodies look like the sphere of about their volume. Fringes of
    several particles lie under the same envelope, so that multiple hits tell the size as well.

    Parameters
    ----------
    frames : FrameSet
        n frames.

    Returns
    -------
    phase : (n,) float64
        NaN for a frame without photons beyond `INNER_PIXELS`.
    """
    y, x = np.indices(frames.good.shape)
    radius = np.hypot(y - frames.centre_yx[0], x - frames.centre_yx[1])
    ring = np.rint(radius).astype(int)
    ring = np.where(frames.good & (radius >= INNER_PIXELS), ring, -1)
    rings = np.unique(ring[ring >= 0])
    area = np.array([(ring == r).sum() for r in rings], dtype=float)
    flat = frames.counts.reshape(len(frames.counts), -1)
    photons = np.stack([flat[:, (ring == r).ravel()].sum(axis=1, dtype=float) for r in rings], axis=1)
    arg = PHASES[:, None] * rings
    shape = (3.0 * (np.sin(arg) - arg * np.cos(arg)) / arg**3) ** 2
    expected = area * (shape[:, None, :] + PEDESTALS[:, None])
    chance = np.log(expected / expected.sum(axis=-1, keepdims=True)).reshape(-1, len(rings))
    best = np.argmax(photons @ chance.T, axis=1) // len(PEDESTALS)
    return np.where(photons.sum(axis=1) > 0.0, PHASES[best], np.nan)
