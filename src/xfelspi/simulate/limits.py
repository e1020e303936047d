"""Where the physics of a shot holds: pixels that sample a particle, and light that is scattered once."""

import math
from collections.abc import Callable

from xfelspi.constants import ELECTRON_RADIUS_NM, HC_EV_NM
from xfelspi.errors import InputError

from .detector import Detector
from .qspace import wavenumber_per_nm

LARGEST_PHASE = 2.0
"""By which a particle may retard the wave that passes its middle, in rad."""


def require_sampling(
    diameter_nm: float, photon_energy_ev: float, detector: Detector, largest_ratio: float = 1.0
) -> None:
    """Refuse particles whose speckles, λ z / D wide, cover less than two pixels.

    Parameters
    ----------
    diameter_nm : float
        The diameter that was asked for.
    photon_energy_ev : float
        Photon energy.
    detector : Detector
        Geometry.
    largest_ratio : float
        Largest diameter that may be drawn over the one asked for.

    Raises
    ------
    InputError
        With the diameter and the distance that would fit.
    """
    k, z, p = wavenumber_per_nm(photon_energy_ev), detector.distance_m, detector.pixel_size_m
    largest_nm = diameter_nm * largest_ratio
    speckle_pixels = 2.0 * math.pi / k / largest_nm * z / p
    if speckle_pixels < 2.0:
        fits_nm = _three_digits(diameter_nm * speckle_pixels / 2.0, math.floor)
        further_m = _three_digits(z * 2.0 / speckle_pixels, math.ceil)
        spread = f" (drawn up to {largest_nm:.4g} nm)" if largest_ratio > 1.0 else ""
        raise InputError(
            f"A {diameter_nm:g} nm particle{spread} makes speckles {speckle_pixels:.2g} pixels wide; 2 are "
            f"needed. Shrink it below {fits_nm:g} nm, or move the detector beyond {further_m:g} m."
        )


def require_one_scattering(largest_nm: float, electrons_per_nm3: float, photon_energy_ev: float) -> None:
    """Refuse particles in which light is scattered more than once: the Born approximation counts too much.

    A wave through the middle is retarded by r_e λ ρ D. Born's total is that of anomalous diffraction (van de
    Hulst 1957, Light Scattering by Small Particles, 11.22) and 6 % more at 1 rad, 25 % at 2, the limit.

    Parameters
    ----------
    largest_nm : float
        Largest diameter that may be drawn.
    electrons_per_nm3 : float
        Its density.
    photon_energy_ev : float
        Photon energy.

    Raises
    ------
    InputError
        With the diameter and the photon energy that would do.
    """
    phase = ELECTRON_RADIUS_NM * HC_EV_NM / photon_energy_ev * electrons_per_nm3 * largest_nm
    if phase > LARGEST_PHASE:
        fits_nm = _three_digits(largest_nm * LARGEST_PHASE / phase, math.floor)
        harder_ev = _three_digits(photon_energy_ev * phase / LARGEST_PHASE, math.ceil)
        raise InputError(
            f"A particle of up to {largest_nm:.4g} nm with {electrons_per_nm3:.4g} electrons/nm³ retards "
            f"light of {photon_energy_ev:g} eV by {phase:.2g} rad and scatters it more than once; shrink it "
            f"below {fits_nm:g} nm, or raise beam.photon_energy_ev above {harder_ev:g}."
        )


def _three_digits(value: float, round_to: Callable[[float], int]) -> float:
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return round_to(value / unit) * unit
