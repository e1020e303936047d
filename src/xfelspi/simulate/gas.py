"""Carrier gas along the beam: what its molecules scatter onto the detector."""

from functools import lru_cache

import numpy as np

from xfelspi.constants import BOLTZMANN_J_PER_K, ELECTRON_RADIUS_NM

from .detector import AT_HAND, Detector
from .qspace import momentum_transfer, polarization_factor, solid_angle, wavenumber_per_nm

ROOM_K = 293.15
"""Temperature of the gas; pressure times length is a number of molecules only with it."""

CROMER_MANN: dict[str, tuple[tuple[float, ...], tuple[float, ...], float]] = {
    "He": ((0.8734, 0.6309, 0.3112, 0.1780), (9.1037, 3.3568, 22.9276, 0.9821), 0.0064),
    "N": ((12.2126, 3.1322, 2.0125, 1.1663), (0.0057, 9.8933, 28.9975, 0.5826), -11.529),
}
"""Element -> a, b (Å²), c of f₀ = Σ a exp(-b s²) + c, s = q/4π: International Tables C, table 6.1.1.4."""

MOLECULES: dict[str, tuple[str, int, float]] = {"He": ("He", 1, 0.0), "N2": ("N", 2, 0.109_77)}
"""Gas -> element, atoms, and nm between them (Huber & Herzberg 1979)."""


def atomic_form_factor(element: str, q_per_nm: np.ndarray) -> np.ndarray:
    """f₀(q) in electrons, without dispersion; for s = q/4π up to 20 per nm.

    Examples
    --------
    >>> float(atomic_form_factor("N", np.array(0.0)).round(2))
    6.99
    """
    a, b, c = CROMER_MANN[element]
    s_squared = (np.asarray(q_per_nm) / (40.0 * np.pi)) ** 2  # in 1/Å²
    return c + np.exp(-s_squared[..., None] * np.array(b)) @ np.array(a)


def molecular_intensity(gas: str, q_per_nm: np.ndarray) -> np.ndarray:
    """Electrons² of a molecule turned every way, n f₀² (1 + (n - 1) sin(q d) / (q d)) (Debye 1915)."""
    element, atoms, bond_nm = MOLECULES[gas]
    between = np.sinc(np.asarray(q_per_nm) * bond_nm / np.pi)
    return atoms * atomic_form_factor(element, q_per_nm) ** 2 * (1.0 + (atoms - 1) * between)


def gas_photons(gas: str, photon_energy_ev: float, detector: Detector) -> np.ndarray:
    """Photons per pixel for every photon of the pulse and every mbar·cm of gas in its way: (ny, nx).

    n L r_e² P Ω |f(q)|² with n = p / kT molecules, which scatter on their own: a gas shows no order. Gas
    stretches over millimetres, little against the distance: it is taken as all at the sample. Elastic
    scattering alone; absorption, dispersion and the few per cent of Compton light are left out.

    Parameters
    ----------
    gas : {"N2", "He"}
        What it is.
    photon_energy_ev : float
        Photon energy.
    detector : Detector
        Geometry; the beam through its middle.
    """
    pascal_metres = 1.0  # of 1 mbar·cm = 100 Pa · 0.01 m
    per_nm2 = pascal_metres / (BOLTZMANN_J_PER_K * ROOM_K) * 1e-18
    y, x = detector.positions_m(np.arange(detector.rows), np.arange(detector.columns))
    x, y = np.meshgrid(x, y)
    z, p = detector.distance_m, detector.pixel_size_m
    q = np.linalg.norm(momentum_transfer(x, y, z, wavenumber_per_nm(photon_energy_ev)), axis=-1)
    light = polarization_factor(x, y, z, detector.horizontal_polarization) * solid_angle(x, y, z, p)
    return per_nm2 * ELECTRON_RADIUS_NM**2 * light * molecular_intensity(gas, q)


@lru_cache(maxsize=AT_HAND)
def gas_template(gas: str, photon_energy_ev: float, detector: Detector) -> tuple[np.ndarray, float]:
    """Return the light of a gas, float32 with a sum of 1 over good pixels, and that sum of `gas_photons`."""
    photons = gas_photons(gas, photon_energy_ev, detector)
    total = float(photons[detector.mask == 0].sum())
    return (photons / total).astype(np.float32), total
