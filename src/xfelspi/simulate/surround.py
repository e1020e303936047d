"""What lights the detector beside the particles: background, and an uneven response over its face."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xfelspi.errors import InputError

from ._slices import coarse_count
from .detector import Detector

HALO_RIM = 64
"""Pixels by which the halo's template overhangs the detector, so that it can follow the beam."""


@dataclass(frozen=True, kw_only=True)
class Background:
    """Light that no particle scattered: a flat part and a halo that decays from the beam as exp(-r/decay).

    Parameters
    ----------
    flat_fraction, halo_fraction : float
        Of a frame's expected photons; for recipes that set `beam.photons_per_frame`.
    flat_photons_per_pixel : float
        Photons per pixel in a pulse of mean energy.
    halo_photons : float
        Photons of the halo on the good pixels in a pulse of mean energy.
    halo_decay_pixels : float
        Decay length of the halo.
    """

    flat_fraction: float = 0.0
    halo_fraction: float = 0.0
    flat_photons_per_pixel: float = 0.0
    halo_photons: float = 0.0
    halo_decay_pixels: float = 30.0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for name in ("flat_photons_per_pixel", "halo_photons"):
            if not 0.0 <= getattr(self, name) <= 1e9:
                raise InputError(
                    f"background.{name} is {getattr(self, name):g}; it must lie between 0 and 1e9."
                )
        for name in ("flat_fraction", "halo_fraction"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(
                    f"background.{name} is {getattr(self, name):g}; it must lie between 0 and 1."
                )
        if self.flat_fraction + self.halo_fraction >= 1.0:
            raise InputError(
                "The background fractions add up to 1 or more; leave some light to the particles."
            )
        if not 1.0 <= self.halo_decay_pixels <= 1e5:
            raise InputError(
                f"background.halo_decay_pixels is {self.halo_decay_pixels:g}; it must lie between 1 and 1e5."
            )


@dataclass(frozen=True, kw_only=True)
class Fluctuation:
    """A smooth random field that multiplies the expected photons: log-normal, mean 1.

    Parameters
    ----------
    rms : float
        Standard deviation of the field; 0 for none.
    correlation_pixels : float
        Length ℓ of the correlation exp(-r² / 2ℓ²) of its logarithm.
    """

    rms: float = 0.0
    correlation_pixels: float = 64.0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if not 0.0 <= self.rms <= 1.0:
            raise InputError(f"fluctuation.rms is {self.rms:g}; it must lie between 0 and 1.")
        if not 4.0 <= self.correlation_pixels <= 1e4:
            raise InputError(
                f"fluctuation.correlation_pixels is {self.correlation_pixels:g}; "
                "it must lie between 4 and 1e4."
            )

    @property
    def step(self) -> int:
        """Pixels between the nodes on which the field is drawn: four nodes per correlation length."""
        return min(max(1, int(self.correlation_pixels / 4.0)), 64)

    def draw(self, rng: np.random.Generator, detector: Detector) -> np.ndarray:
        """Field (rows, columns) float32 on coarse nodes, two of them before the detector's first pixel."""
        rows = coarse_count(detector.rows, self.step)
        columns = coarse_count(detector.columns, self.step)
        down = _correlate(rows, self.step / self.correlation_pixels)
        across = _correlate(columns, self.step / self.correlation_pixels)
        normal = down @ rng.standard_normal((rows, columns)) @ across.T
        variance = math.log1p(self.rms**2)  # of the logarithm, for the field's own to be rms²
        return np.exp(math.sqrt(variance) * normal - variance / 2.0).astype(np.float32)


@lru_cache(maxsize=16)
def _correlate(n: int, step_over_length: float) -> np.ndarray:
    """Return a factor L with L Lᵀ = exp(-d²/2) on n nodes, one axis of a separable Gaussian correlation."""
    d = (np.arange(n)[:, None] - np.arange(n)[None, :]) * step_over_length
    values, vectors = np.linalg.eigh(np.exp(-(d**2) / 2.0))
    return vectors * np.sqrt(np.clip(values, 0.0, None))


@lru_cache(maxsize=2)
def halo_template(detector: Detector, decay_pixels: float) -> np.ndarray:
    """exp(-r/decay) about the middle, (rows + 2 rim, columns + 2 rim) float32; sum over good pixels 1.

    In the hole it stays below e¹⁰ times its brightest good pixel.
    """
    y = np.arange(-HALO_RIM, detector.rows + HALO_RIM) - detector.middle_yx[0]
    x = np.arange(-HALO_RIM, detector.columns + HALO_RIM) - detector.middle_yx[1]
    r = np.hypot(y[:, None], x[None, :])
    inside = (slice(HALO_RIM, -HALO_RIM), slice(HALO_RIM, -HALO_RIM))
    good = detector.mask == 0
    # Counted from the good pixel nearest to the beam, or a wide hole would leave 0 / 0.
    halo = np.exp(np.minimum((r[inside][good].min() - r) / decay_pixels, 10.0))
    return (halo / halo[inside][good].sum()).astype(np.float32)


def halo_corner(offset_yx: tuple[float, float]) -> np.ndarray:
    """Return where to start reading the template (2,) so that its middle follows the beam."""
    # Six standard deviations of the largest jitter that a recipe may ask for fit into the rim.
    reach = HALO_RIM - 1.0 - 1e-6
    return np.array([HALO_RIM - min(max(offset, -reach), reach) for offset in offset_yx])
