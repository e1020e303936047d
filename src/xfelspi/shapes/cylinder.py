"""Cylinders: rods and discs."""

import struct
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError


@dataclass(frozen=True)
class Cylinder:
    """A right circular cylinder about the z axis.

    Parameters
    ----------
    radius_nm, length_nm : float
        Across and along z.
    """

    radius_nm: float
    length_nm: float

    @property
    def volume_nm3(self) -> float:
        """π r² l."""
        return np.pi * self.radius_nm**2 * self.length_nm

    @property
    def diameter_nm(self) -> float:
        """From a rim to the opposite point of the other, √(4 r² + l²)."""
        return float(np.hypot(2.0 * self.radius_nm, self.length_nm))

    def scaled(self, factor: float) -> "Cylinder":
        """Return a cylinder with radius and length multiplied by `factor`."""
        return Cylinder(self.radius_nm * factor, self.length_nm * factor)

    def fingerprint(self) -> bytes:
        """Return the rounded lengths, as bytes."""
        return b"cylinder" + struct.pack("<2d", round(self.radius_nm, 9), round(self.length_nm, 9))

    def hull_points(self) -> np.ndarray:
        """Return 96 points of either rim, in nm."""
        turn = np.arange(96) * np.pi / 48.0
        rim = self.radius_nm * np.stack([np.cos(turn), np.sin(turn), np.zeros(96)], axis=1)
        up = np.array([0.0, 0.0, self.length_nm / 2.0])
        return np.concatenate([rim + up, rim - up])

    @property
    def is_star_shaped(self) -> bool:
        """True."""
        return True


def cylinder(diameter_nm: float, *, length_to_width: float = 2.0) -> Cylinder:
    """Return a rod.

    Parameters
    ----------
    diameter_nm : float
        From a rim to the opposite point of the other.
    length_to_width : float
        Length over width, from 0.05 to 20.

    Raises
    ------
    InputError
        If it is shorter or longer.

    Examples
    --------
    >>> rod = cylinder(5.0, length_to_width=4.0 / 3.0)
    >>> round(rod.length_nm, 9), round(2.0 * rod.radius_nm, 9)
    (4.0, 3.0)
    """
    if not 0.05 <= length_to_width <= 20.0:
        raise InputError(
            f"length_to_width of a cylinder is {length_to_width:g}; it must lie between 0.05 and 20."
        )
    width = diameter_nm / float(np.hypot(1.0, length_to_width))
    return Cylinder(width / 2.0, width * length_to_width)
