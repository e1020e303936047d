"""Blob: a smooth, irregular body whose radius is a random sum of spherical harmonics."""

import math
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from xfelspi.errors import InputError

DEGREES = (2, 4, 6)
"""Of the harmonics. Even ones make the body its own mirror image through the centroid, so F is real: half the
table, and half of what it costs to compute."""

CONVERGED = 32
"""Heights of a quadrature that gives the volume of every blob to rounding."""


@dataclass(frozen=True, eq=False)
class Blob:
    """A body with the surface R(Ω) = radius · exp(Σ c_lm Y_lm(Ω)), the same on opposite sides.

    Parameters
    ----------
    radius_nm : float
        Radius without the harmonics.
    coefficients : (27,) float64
        c_lm of the real orthonormal harmonics of all `DEGREES`, m = -l … l.
    """

    radius_nm: float
    coefficients: np.ndarray

    def cones(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Split half the body into thin cones from its centroid: n Gauss-Legendre heights, 4 n even angles.

        Returns
        -------
        tips : (4 n², 3) float64
            Where the axis of each cone meets the surface, in nm.
        weights : (4 n²,) float64
            2 R³ dΩ of each: three times the volume of the cone and of the opposite one, in nm³.
        """
        directions, solid_angles, harmonics = _half_sphere(n)
        reach = self.radius_nm * np.exp(self.coefficients @ harmonics)
        return reach[:, None] * directions, 2.0 * reach**3 * solid_angles

    @cached_property
    def volume_nm3(self) -> float:
        """∫ R³ dΩ / 3."""
        return float(self.cones(CONVERGED)[1].sum()) / 3.0

    @cached_property
    def diameter_nm(self) -> float:
        """Twice the largest distance of `hull_points`; between them the surface reaches up to 1 % farther."""
        return 2.0 * float(np.linalg.norm(self.hull_points(), axis=1).max())

    def scaled(self, factor: float) -> "Blob":
        """Return the same shape, every length multiplied by `factor`."""
        return Blob(self.radius_nm * factor, self.coefficients)

    def fingerprint(self) -> bytes:
        """Return the rounded radius and coefficients, as bytes."""
        rounded = np.round(self.coefficients, 9) + 0.0
        return b"blob" + struct.pack("<d", round(self.radius_nm, 9)) + rounded.tobytes()

    def hull_points(self) -> np.ndarray:
        """Return 2,000 points of a Fibonacci lattice on the surface, in nm."""
        return self.radius_nm * self._relative_hull

    @property
    def is_star_shaped(self) -> bool:
        """True: every direction from the centroid meets the surface once."""
        return True

    @cached_property
    def _relative_hull(self) -> np.ndarray:
        height = 1.0 - (2.0 * np.arange(2000) + 1.0) / 2000.0
        angle = np.arange(2000) * np.pi * (3.0 - np.sqrt(5.0))
        return np.exp(self.coefficients @ _harmonics(height, angle))[:, None] * _directions(height, angle)


def blob(diameter_nm: float, *, seed: float = 0, roughness: float = 0.18) -> Blob:
    """Return a smooth irregular body, another for every seed.

    The logarithm of its radius is a Gaussian random field on the sphere, of degrees 2, 4 and 6 with a
    variance per degree that falls as 1/degree.

    Parameters
    ----------
    diameter_nm : float
        Twice the largest distance of the surface from the centroid.
    seed : float
        A whole number from 0 to 10⁶: which blob.
    roughness : float
        Root mean square of the logarithm of the radius over the sphere and over blobs, from 0.01 to 0.2.

    Raises
    ------
    InputError
        If the seed is not such a number, or the roughness is smaller or larger.

    Examples
    --------
    >>> potato = blob(69.0, seed=7)
    >>> potato.is_star_shaped, round(potato.diameter_nm, 9)
    (True, 69.0)
    """
    if not (0 <= seed <= 1_000_000 and seed == int(seed)):
        raise InputError(f"seed of a blob is {seed:g}; it must be a whole number from 0 to 1000000.")
    if not 0.01 <= roughness <= 0.2:
        raise InputError(f"roughness of a blob is {roughness:g}; it must lie between 0.01 and 0.2.")
    degrees = np.array(DEGREES)
    # Σ_m Y_lm² is (2 l + 1) / 4π everywhere.
    spread = roughness * np.sqrt(4.0 * np.pi / (2 * degrees + 1) / degrees / (1.0 / degrees).sum())
    rng = np.random.Generator(np.random.Philox(int(seed)))
    coefficients = np.repeat(spread, 2 * degrees + 1) * rng.standard_normal(int((2 * degrees + 1).sum()))
    unit = Blob(1.0, coefficients)
    return unit.scaled(diameter_nm / unit.diameter_nm)


@lru_cache(maxsize=32)
def _half_sphere(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return directions (4 n², 3) with z > 0, their solid angles (4 n²,), and the harmonics (27, 4 n²)."""
    heights, shares = (half[n:] for half in np.polynomial.legendre.leggauss(2 * n))
    angles = np.arange(4 * n) * np.pi / (2 * n)
    height, angle = (grid.ravel() for grid in np.meshgrid(heights, angles, indexing="ij"))
    solid_angles = np.repeat(shares * np.pi / (2 * n), 4 * n)
    return _directions(height, angle), solid_angles, _harmonics(height, angle)


def _directions(height: np.ndarray, angle: np.ndarray) -> np.ndarray:
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=-1)


def _harmonics(height: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Real orthonormal Y_lm of all `DEGREES`, m = -l … l, as rows; sines for m < 0."""
    from scipy.special import lpmv

    rows = []
    for degree in DEGREES:
        for order in range(-degree, degree + 1):
            m = abs(order)
            norm = (
                (2 * degree + 1) / (4.0 * math.pi) * math.factorial(degree - m) / math.factorial(degree + m)
            )
            wave = np.sin(m * angle) if order < 0 else np.cos(m * angle)
            rows.append(math.sqrt(norm if m == 0 else 2.0 * norm) * lpmv(m, degree, height) * wave)
    return np.array(rows)
