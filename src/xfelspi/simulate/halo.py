"""The halo around the beam, and the rim that lets such light follow it over the detector."""

from functools import lru_cache

import numpy as np

from .detector import AT_HAND, Detector

HALO_RIM = 64
"""Pixels by which a template overhangs the detector, so that it can follow the beam."""


def around_beam(
    detector: Detector,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, tuple[slice, slice]]:
    """Return y, x and r, the least r of a good pixel, and what to index by for the detector alone.

    In pixels from the middle, (rows + 2 rim, columns + 2 rim).
    """
    y = np.arange(-HALO_RIM, detector.rows + HALO_RIM) - detector.middle_yx[0]
    x = np.arange(-HALO_RIM, detector.columns + HALO_RIM) - detector.middle_yx[1]
    y, x = y[:, None], x[None, :]
    r = np.hypot(y, x)
    inside = (slice(HALO_RIM, -HALO_RIM), slice(HALO_RIM, -HALO_RIM))
    return y, x, r, float(r[inside][detector.mask == 0].min()), inside


@lru_cache(maxsize=AT_HAND)
def halo_template(detector: Detector, decay_pixels: float) -> np.ndarray:
    """exp(-r/decay) about the middle, (rows + 2 rim, columns + 2 rim) float32; sum over good pixels 1.

    In the hole it stays below e¹⁰ times its brightest good pixel.
    """
    _, _, r, nearest, inside = around_beam(detector)
    # Counted from the good pixel nearest to the beam, or a wide hole would leave 0 / 0.
    halo = np.exp(np.minimum((nearest - r) / decay_pixels, 10.0))
    return (halo / halo[inside][detector.mask == 0].sum()).astype(np.float32)


def halo_corner(offset_yx: tuple[float, float]) -> np.ndarray:
    """Return where to start reading the template (2,) so that its middle follows the beam."""
    # Six standard deviations of the largest jitter that a recipe may ask for fit into the rim.
    reach = HALO_RIM - 1.0 - 1e-6
    return np.array([HALO_RIM - min(max(offset, -reach), reach) for offset in offset_yx])
