"""Bowl: half a thick shell, the shape with a hollow."""

import struct
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError


@dataclass(frozen=True)
class Bowl:
    """Half of a ball about the z axis, with half of a concentric smaller ball taken out.

    Parameters
    ----------
    outer_nm, inner_nm : float
        Radii. The flat rim faces -z.
    """

    outer_nm: float
    inner_nm: float

    @property
    def volume_nm3(self) -> float:
        """2 π (R³ - r³) / 3."""
        return 2.0 / 3.0 * np.pi * (self.outer_nm**3 - self.inner_nm**3)

    @property
    def centroid_nm(self) -> float:
        """Height of the centroid, the origin, above the plane of the rim: 3 (R⁴ - r⁴) / 8 (R³ - r³)."""
        return 0.375 * (self.outer_nm**4 - self.inner_nm**4) / (self.outer_nm**3 - self.inner_nm**3)

    @property
    def diameter_nm(self) -> float:
        """Twice the distance of the rim's outer edge from the centroid."""
        return 2.0 * float(np.hypot(self.outer_nm, self.centroid_nm))

    def scaled(self, factor: float) -> "Bowl":
        """Return a bowl with both radii multiplied by `factor`."""
        return Bowl(self.outer_nm * factor, self.inner_nm * factor)

    def fingerprint(self) -> bytes:
        """Return the rounded radii, as bytes."""
        return b"bowl" + struct.pack("<2d", round(self.outer_nm, 9), round(self.inner_nm, 9))

    def hull_points(self) -> np.ndarray:
        """Return the outer half sphere as 9 circles of 48 points, the rim among them, in nm."""
        turn = np.arange(48)[:, None] * np.pi / 24.0
        tilt = np.linspace(0.0, np.pi / 2.0, 9)[None, :]
        across = self.outer_nm * np.cos(tilt)
        height = self.outer_nm * np.sin(tilt) - self.centroid_nm
        x, y, z = np.broadcast_arrays(across * np.cos(turn), across * np.sin(turn), height)
        return np.stack([x, y, z], axis=-1).reshape(-1, 3)

    @property
    def is_star_shaped(self) -> bool:
        """False: the centroid lies in the hollow, or sees of it only a part."""
        return False


def bowl(diameter_nm: float, *, inner_to_outer: float = 0.6) -> Bowl:
    """Return a bowl.

    Parameters
    ----------
    diameter_nm : float
        Twice the distance of the rim's outer edge from the centroid.
    inner_to_outer : float
        Radius of the hollow over the bowl's, from 0.1 to 0.95.

    Raises
    ------
    InputError
        If the hollow is smaller or larger.

    Examples
    --------
    >>> cup = bowl(60.0)
    >>> round(cup.inner_nm / cup.outer_nm, 9), round(cup.diameter_nm, 9)
    (0.6, 60.0)
    """
    if not 0.1 <= inner_to_outer <= 0.95:
        raise InputError(f"inner_to_outer of a bowl is {inner_to_outer:g}; it must lie between 0.1 and 0.95.")
    unit = Bowl(1.0, inner_to_outer)
    return unit.scaled(diameter_nm / unit.diameter_nm)
