"""From pixels to momentum transfer: where metres at the detector meet nanometres at the sample."""

import numpy as np

from xfelspi.constants import HC_EV_NM


def wavenumber_per_nm(photon_energy_ev: float) -> float:
    """K = 2π/λ in 1/nm.

    Examples
    --------
    >>> round(wavenumber_per_nm(1600.0), 4)
    8.1084
    """
    return 2.0 * np.pi * photon_energy_ev / HC_EV_NM


def momentum_transfer(x_m: np.ndarray, y_m: np.ndarray, distance_m: float, k_per_nm: float) -> np.ndarray:
    """Q = k (r/|r| - ẑ) on the Ewald sphere, for points r = (x, y, distance) of the detector plane.

    Parameters
    ----------
    x_m, y_m : (...) float64
        Place on the detector relative to the direct beam, in metres; x to the left looking downstream, y up.
    distance_m : float
        Sample to detector.
    k_per_nm : float
        2π/λ.

    Returns
    -------
    q : (..., 3) float64
        1/nm, |q| = 2 k sin(θ/2) for a scattering angle θ.
    """
    reach = np.sqrt(x_m**2 + y_m**2 + distance_m**2)
    return k_per_nm * np.stack([x_m / reach, y_m / reach, distance_m / reach - 1.0], axis=-1)


def solid_angle(x_m: np.ndarray, y_m: np.ndarray, distance_m: float, pixel_size_m: float) -> np.ndarray:
    """Ω = p² z / (x² + y² + z²)^(3/2) of a small flat pixel, in steradian."""
    return pixel_size_m**2 * distance_m / (x_m**2 + y_m**2 + distance_m**2) ** 1.5


def polarization_factor(
    x_m: np.ndarray, y_m: np.ndarray, distance_m: float, horizontal: float = 1.0
) -> np.ndarray:
    """P = 1 - h x²/r² - (1 - h) y²/r² for a fraction h of the light polarized along x.

    Als-Nielsen & McMorrow, Elements of Modern X-ray Physics, 2nd ed., ch. 1.
    """
    r_squared = x_m**2 + y_m**2 + distance_m**2
    return 1.0 - (horizontal * x_m**2 + (1.0 - horizontal) * y_m**2) / r_squared
