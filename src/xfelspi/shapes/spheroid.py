"""Spheroids: a sphere stretched or flattened along one axis."""

import struct
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError


@dataclass(frozen=True)
class Spheroid:
    """An ellipsoid of revolution about the z axis.

    Parameters
    ----------
    equatorial_nm, polar_nm : float
        Semi-axes across and along z.
    """

    equatorial_nm: float
    polar_nm: float

    @property
    def volume_nm3(self) -> float:
        """4 π a² c / 3."""
        return 4.0 / 3.0 * np.pi * self.equatorial_nm**2 * self.polar_nm

    @property
    def diameter_nm(self) -> float:
        """Twice the larger semi-axis."""
        return 2.0 * max(self.equatorial_nm, self.polar_nm)

    def scaled(self, factor: float) -> "Spheroid":
        """Return a spheroid with both semi-axes multiplied by `factor`."""
        return Spheroid(self.equatorial_nm * factor, self.polar_nm * factor)

    def fingerprint(self) -> bytes:
        """Return the rounded semi-axes, as bytes."""
        return b"spheroid" + struct.pack("<2d", round(self.equatorial_nm, 9), round(self.polar_nm, 9))

    def hull_points(self) -> np.ndarray:
        """Return 17 circles of latitude of 48 points, poles and equator among them, in nm."""
        turn = np.arange(48)[:, None] * np.pi / 24.0
        tilt = np.linspace(-np.pi / 2.0, np.pi / 2.0, 17)[None, :]
        across = self.equatorial_nm * np.cos(tilt)
        x, y, z = np.broadcast_arrays(
            across * np.cos(turn), across * np.sin(turn), self.polar_nm * np.sin(tilt)
        )
        return np.stack([x, y, z], axis=-1).reshape(-1, 3)

    @property
    def is_star_shaped(self) -> bool:
        """True."""
        return True


def prolate(diameter_nm: float, *, aspect: float = 1.5) -> Spheroid:
    """Return a spheroid like a rugby ball.

    Parameters
    ----------
    diameter_nm : float
        Pole to pole.
    aspect : float
        Length over width, from 1 to 10.

    Raises
    ------
    InputError
        If it is shorter than wide, or longer.

    Examples
    --------
    >>> prolate(60.0)
    Spheroid(equatorial_nm=20.0, polar_nm=30.0)
    """
    _check("prolate", aspect)
    return Spheroid(diameter_nm / 2.0 / aspect, diameter_nm / 2.0)


def oblate(diameter_nm: float, *, aspect: float = 1.5) -> Spheroid:
    """Return a spheroid like a lentil.

    Parameters
    ----------
    diameter_nm : float
        Across the equator.
    aspect : float
        Width over height, from 1 to 10.

    Raises
    ------
    InputError
        If it is narrower than high, or flatter.

    Examples
    --------
    >>> oblate(60.0)
    Spheroid(equatorial_nm=30.0, polar_nm=20.0)
    """
    _check("oblate", aspect)
    return Spheroid(diameter_nm / 2.0, diameter_nm / 2.0 / aspect)


def _check(shape: str, aspect: float) -> None:
    if not 1.0 <= aspect <= 10.0:
        raise InputError(f"aspect of a spheroid ({shape}) is {aspect:g}; it must lie between 1 and 10.")
