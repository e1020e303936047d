"""An uneven response over the detector's face: smooth random fields that multiply or move the light."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xfelspi.errors import InputError

from ._widen import coarse_count
from .detector import Detector


@dataclass(frozen=True, kw_only=True)
class Fluctuation:
    """Smooth log-normal random fields over the detector, of mean 1.

    One multiplies the expected photons. Another, of its own correlation length, is how a part of all
    photons is spread instead of as particles and background spread them: smooth blobs that stand on no
    pattern. With a field G of standard deviation σ,

        photons = (1 - a) photons + a (total / pixels) G,

    so that the blobs have the mean a total / pixels, σ times that as standard deviation, and leave the
    expected total as it is.

    Parameters
    ----------
    rms : float
        Standard deviation of the multiplying field; 0 for none.
    correlation_pixels : float
        Length ℓ of the correlation exp(-r² / 2ℓ²) of its logarithm.
    additive_fraction : float
        Part a of the photons that the blobs take; 0 for none.
    additive_rms : float
        Standard deviation σ of their field.
    additive_correlation_pixels : float
        Length of the correlation of its logarithm.
    """

    rms: float = 0.0
    correlation_pixels: float = 64.0
    additive_fraction: float = 0.0
    additive_rms: float = 1.0
    additive_correlation_pixels: float = 48.0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for name, low, high in (
            ("rms", 0.0, 1.0),
            ("additive_fraction", 0.0, 0.9),
            ("additive_rms", 0.0, 2.0),
            ("correlation_pixels", 4.0, 1e4),
            ("additive_correlation_pixels", 4.0, 1e4),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"fluctuation.{name} is {getattr(self, name):g}; "
                    f"it must lie between {low:g} and {high:g}."
                )

    @property
    def step(self) -> int:
        """Pixels between the nodes on which the multiplying field is drawn."""
        return node_step(self.correlation_pixels)

    @property
    def additive_step(self) -> int:
        """Likewise, for the blobs."""
        return node_step(self.additive_correlation_pixels)

    def draw(self, rng: np.random.Generator, detector: Detector) -> np.ndarray:
        """Field (rows, columns) float32 on coarse nodes, two of them before the detector's first pixel."""
        return _draw_field(rng, detector, self.rms, self.correlation_pixels)

    def draw_blobs(self, rng: np.random.Generator, detector: Detector) -> np.ndarray:
        """Return the field G of the blobs, likewise."""
        return _draw_field(rng, detector, self.additive_rms, self.additive_correlation_pixels)


def node_step(correlation_pixels: float) -> int:
    """Pixels between nodes: four nodes per correlation length."""
    return min(max(1, int(correlation_pixels / 4.0)), 64)


def _draw_field(
    rng: np.random.Generator, detector: Detector, rms: float, correlation_pixels: float
) -> np.ndarray:
    step = node_step(correlation_pixels)
    rows = coarse_count(detector.rows, step)
    columns = coarse_count(detector.columns, step)
    down = _correlate(rows, step / correlation_pixels)
    across = _correlate(columns, step / correlation_pixels)
    normal = down @ rng.standard_normal((rows, columns)) @ across.T
    variance = math.log1p(rms**2)  # of the logarithm, for the field's own to be rms²
    return np.exp(math.sqrt(variance) * normal - variance / 2.0).astype(np.float32)


@lru_cache(maxsize=16)
def _correlate(n: int, step_over_length: float) -> np.ndarray:
    """Return a factor L with L Lᵀ = exp(-d²/2) on n nodes, one axis of a separable Gaussian correlation."""
    d = (np.arange(n)[:, None] - np.arange(n)[None, :]) * step_over_length
    values, vectors = np.linalg.eigh(np.exp(-(d**2) / 2.0))
    return vectors * np.sqrt(np.clip(values, 0.0, None))
