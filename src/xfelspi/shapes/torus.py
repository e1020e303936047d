"""Torus: a ring of circular section, the shape with a hole."""

import struct
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError


@dataclass(frozen=True)
class Torus:
    """A ring about the z axis: a disc of radius `tube_radius_nm` led round a circle of `mean_radius_nm`.

    Raises
    ------
    InputError
        If the tube is not thinner than the ring (it would meet itself in the middle).
    """

    mean_radius_nm: float
    tube_radius_nm: float

    def __post_init__(self) -> None:
        if not 0.0 < self.tube_radius_nm <= self.mean_radius_nm:
            raise InputError(
                f"A torus of mean radius {self.mean_radius_nm:g} nm cannot have a tube radius of "
                f"{self.tube_radius_nm:g} nm; choose one above 0 and up to the mean radius."
            )

    @property
    def volume_nm3(self) -> float:
        """2 π² R r² (Pappus)."""
        return 2.0 * np.pi**2 * self.mean_radius_nm * self.tube_radius_nm**2

    @property
    def diameter_nm(self) -> float:
        """Outer diameter, 2 (R + r)."""
        return 2.0 * (self.mean_radius_nm + self.tube_radius_nm)

    def scaled(self, factor: float) -> "Torus":
        """Return a ring with both radii multiplied by `factor`."""
        return Torus(self.mean_radius_nm * factor, self.tube_radius_nm * factor)

    def fingerprint(self) -> bytes:
        """Return the rounded radii, as bytes."""
        radii = (round(self.mean_radius_nm, 9), round(self.tube_radius_nm, 9))
        return b"torus" + struct.pack("<2d", *radii)

    def hull_points(self) -> np.ndarray:
        """Return the outer half of the surface as 48 circles of 17 points, in nm."""
        turn = np.arange(48)[:, None] * np.pi / 24.0
        tilt = np.linspace(-np.pi / 2.0, np.pi / 2.0, 17)[None, :]
        reach = self.mean_radius_nm + self.tube_radius_nm * np.cos(tilt)
        height = self.tube_radius_nm * np.sin(tilt)
        x, y, z = np.broadcast_arrays(reach * np.cos(turn), reach * np.sin(turn), height)
        return np.stack([x, y, z], axis=-1).reshape(-1, 3)

    @property
    def is_star_shaped(self) -> bool:
        """False: the centroid lies in the hole."""
        return False


def torus(diameter_nm: float, *, tube_to_mean: float = 0.5) -> Torus:
    """Return a torus of an outer diameter; by default the hole is as wide as the tube.

    Parameters
    ----------
    diameter_nm : float
        Outer diameter.
    tube_to_mean : float
        Tube radius over mean radius, from 0.001 to 1.

    Raises
    ------
    InputError
        If the tube is thinner or thicker.

    Examples
    --------
    >>> ring = torus(60.0)
    >>> ring.mean_radius_nm, ring.tube_radius_nm
    (20.0, 10.0)
    """
    if not 1e-3 <= tube_to_mean <= 1.0:
        raise InputError(f"tube_to_mean of a torus is {tube_to_mean:g}; it must lie between 0.001 and 1.")
    mean = diameter_nm / 2.0 / (1.0 + tube_to_mean)
    return Torus(mean, tube_to_mean * mean)
