"""Blob: a smooth, irregular body whose radius is a random sum of spherical harmonics."""

import math
import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xfelspi.errors import InputError

LAST_DEGREE = 5
"""Harmonics of degree 2 to this are drawn; degree 1 puts the centroid at the origin, 0 is the size."""

CONVERGED = 48
"""Heights of a quadrature of a blob's moments that is exact to rounding."""


@dataclass(frozen=True, eq=False)
class Blob:
    """A body with the surface R(Ω) = radius · exp(Σ c_lm Y_lm(Ω)) about its centroid.

    Parameters
    ----------
    radius_nm : float
        Radius without the harmonics.
    coefficients : (L, 2 L + 1) float64
        c_lm of the real orthonormal harmonics: degree l in row l - 1, order m in column L + m.
    """

    radius_nm: float
    coefficients: np.ndarray

    def cones(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Split the body into thin cones from its centroid: n Gauss-Legendre heights times 2 n even angles.

        Returns
        -------
        tips : (2 n², 3) float64
            Where the axis of each cone meets the surface, in nm.
        weights : (2 n²,) float64
            R³ dΩ of each, three times its volume, in nm³.
        """
        nodes, shares = np.polynomial.legendre.leggauss(n)
        height, angle = (a.ravel() for a in np.meshgrid(nodes, np.arange(2 * n) * np.pi / n, indexing="ij"))
        reach = self.radius_nm * self._relative_radius(height, angle)
        return reach[:, None] * _directions(height, angle), reach**3 * np.repeat(shares * np.pi / n, 2 * n)

    @cached_property
    def volume_nm3(self) -> float:
        """∫ R³ dΩ / 3."""
        return float(self.cones(CONVERGED)[1].sum()) / 3.0

    @cached_property
    def diameter_nm(self) -> float:
        """Twice the largest distance of `hull_points` from the centroid."""
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
        height = 1.0 - (2.0 * np.arange(2000) + 1.0) / 2000.0
        angle = np.arange(2000) * np.pi * (3.0 - np.sqrt(5.0))
        return self.radius_nm * self._relative_radius(height, angle)[:, None] * _directions(height, angle)

    @property
    def is_star_shaped(self) -> bool:
        """True: every direction from the centroid meets the surface once."""
        return True

    def _relative_radius(self, height: np.ndarray, angle: np.ndarray) -> np.ndarray:
        last = len(self.coefficients)
        total = np.zeros(height.shape)
        for degree, row in enumerate(self.coefficients, start=1):
            for order in range(-degree, degree + 1):
                if row[last + order]:
                    total += row[last + order] * _harmonic(degree, order, height, angle)
        return np.exp(total)


def blob(diameter_nm: float, *, seed: float = 0, roughness: float = 0.18) -> Blob:
    """Return a smooth irregular body, another for every seed.

    The logarithm of its radius is a Gaussian random field on the sphere, of degrees 2 to 5 with a variance
    per degree that falls as 1/degree.

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
    degrees = np.arange(2, LAST_DEGREE + 1)
    # Σ_m Y_lm² is (2 l + 1) / 4π everywhere.
    spread = roughness * np.sqrt(4.0 * np.pi / (2 * degrees + 1) / degrees / (1.0 / degrees).sum())
    rng = np.random.Generator(np.random.Philox(int(seed)))
    coefficients = np.zeros((LAST_DEGREE, 2 * LAST_DEGREE + 1))
    for degree, deviation in zip(degrees, spread, strict=True):
        columns = slice(LAST_DEGREE - degree, LAST_DEGREE + degree + 1)
        coefficients[degree - 1, columns] = deviation * rng.standard_normal(2 * degree + 1)
    unit = Blob(1.0, _about_the_centroid(coefficients))
    return unit.scaled(diameter_nm / unit.diameter_nm)


def _about_the_centroid(coefficients: np.ndarray) -> np.ndarray:
    """Choose degree 1 so that the centroid is the origin, by Newton's method.

    Terms d·Ω in ln R move the centroid, ∫ R⁴ Ω dΩ · 3/4 over ∫ R³ dΩ, by 3 ∫ R⁴ Ω Ωᵀ dΩ d over the same.
    """
    coefficients = coefficients.copy()
    middle = coefficients.shape[1] // 2
    for _ in range(30):
        tips, weights = Blob(1.0, coefficients).cones(CONVERGED)
        shares = weights / weights.sum()
        centroid = 0.75 * shares @ tips
        if np.linalg.norm(centroid) < 1e-14:
            break
        moved = 3.0 * (tips * (shares / np.linalg.norm(tips, axis=1))[:, None]).T @ tips
        x, y, z = (math.sqrt(4.0 * math.pi / 3.0) * np.linalg.solve(moved, centroid)).tolist()
        coefficients[0, middle - 1 : middle + 2] -= (y, z, x)
    return coefficients


def _directions(height: np.ndarray, angle: np.ndarray) -> np.ndarray:
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=-1)


def _harmonic(degree: int, order: int, height: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Real orthonormal Y_lm without the Condon-Shortley sign: Y_1 is √(3/4π) (y, z, x) for m = -1, 0, 1."""
    from scipy.special import lpmv

    m = abs(order)
    norm = (2 * degree + 1) / (4.0 * math.pi) * math.factorial(degree - m) / math.factorial(degree + m)
    legendre = (-1) ** m * math.sqrt(norm if m == 0 else 2.0 * norm) * lpmv(m, degree, height)
    return legendre * (np.sin(m * angle) if order < 0 else np.cos(m * angle))
