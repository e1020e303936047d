"""Homogeneous sphere."""

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Sphere:
    """A ball of a radius in nm."""

    radius_nm: float

    @property
    def volume_nm3(self) -> float:
        """4 π r³ / 3."""
        return 4.0 / 3.0 * np.pi * self.radius_nm**3

    @property
    def diameter_nm(self) -> float:
        """Twice the radius."""
        return 2.0 * self.radius_nm

    def scaled(self, factor: float) -> "Sphere":
        """Return a ball of `factor` times the radius."""
        return Sphere(self.radius_nm * factor)

    def fingerprint(self) -> bytes:
        """Return the rounded radius, as bytes."""
        return b"sphere" + struct.pack("<d", round(self.radius_nm, 9))

    def hull_points(self) -> np.ndarray:
        """Return 400 points of a Fibonacci lattice on the surface, in nm."""
        return self.radius_nm * _directions(400)

    @property
    def is_star_shaped(self) -> bool:
        """True."""
        return True


@lru_cache(maxsize=1)
def _directions(n: int) -> np.ndarray:
    height = 1.0 - (2.0 * np.arange(n) + 1.0) / n
    angle = np.arange(n) * np.pi * (3.0 - np.sqrt(5.0))
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)


def sphere(diameter_nm: float) -> Sphere:
    """Return a sphere.

    Examples
    --------
    >>> round(sphere(2.0).volume_nm3, 4)
    4.1888
    """
    return Sphere(diameter_nm / 2.0)
