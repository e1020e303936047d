"""The beam: a population of pulses, and one pulse drawn from it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xfelspi.constants import ELEMENTARY_CHARGE_C
from xfelspi.errors import InputError

from .qspace import wavenumber_per_nm


@dataclass(frozen=True)
class Pulse:
    """One X-ray pulse, as it was.

    Parameters
    ----------
    photon_energy_ev : float
        Photon energy.
    peak_fluence_per_um2 : float
        Photons per µm² in the middle of the focus.
    focus_fwhm_um : float
        Full width at half maximum of a round Gaussian focus; infinite for an even field.
    energy_ratio : float
        Pulse energy over its mean.
    centre_offset_pixels : (float, float)
        Where the direct beam meets the detector, off its middle, along y and x.
    """

    photon_energy_ev: float
    peak_fluence_per_um2: float
    focus_fwhm_um: float
    energy_ratio: float = 1.0
    centre_offset_pixels: tuple[float, float] = (0.0, 0.0)

    @property
    def wavenumber_per_nm(self) -> float:
        """2π/λ."""
        return wavenumber_per_nm(self.photon_energy_ev)

    def fluence_per_um2(self, position_nm: tuple[float, float, float]) -> float:
        """Photons per µm² at a place (x, y, z) in nm from the focus; the beam runs along z.

        exp(-4 ln2 (x² + y²) / FWHM²) of the peak: over the few µm of a jet the focus is as long as it wants.
        """
        if math.isinf(self.focus_fwhm_um):
            return self.peak_fluence_per_um2
        r_squared_um2 = (position_nm[0] ** 2 + position_nm[1] ** 2) * 1e-6
        return self.peak_fluence_per_um2 * math.exp(
            -4.0 * math.log(2.0) * r_squared_um2 / self.focus_fwhm_um**2
        )


@dataclass(frozen=True, kw_only=True)
class Beam:
    """The population of pulses; one shot is a `Pulse` drawn from it.

    Parameters
    ----------
    photon_energy_ev : float
        Photon energy.
    pulse_energy_mj : float
        Mean energy of a pulse as the source makes it.
    transmission : float
        Fraction of it that arrives in the focus.
    profile : {"gaussian", "even"}
        "gaussian": a round Gaussian focus. "even": every place gets the peak fluence.
    focus_fwhm_um : float
        Width of the focus; with the energy it decides the peak fluence of either profile.
    smallest_fluence_ratio : float
        Particles are placed evenly over the disc in which the fluence is at least this fraction of
        the peak: what the hit finder lets pass. The fluence of hits is then distributed as 1/fluence.
    n_modes : float
        SASE modes M ≥ 1; pulse energies are gamma distributed with relative spread 1/√M.
    centre_jitter_pixels : float
        Standard deviation, along y and along x, of the place where the direct beam meets the detector.
    photons_per_frame : (float, float) or None
        When set, every frame's expected photons on good pixels are drawn log-uniformly from this range and
        the fluence follows from them.
    """

    photon_energy_ev: float = 1_600.0
    pulse_energy_mj: float = 1.0
    transmission: float = 0.05
    profile: Literal["gaussian", "even"] = "gaussian"
    focus_fwhm_um: float = 3.0
    smallest_fluence_ratio: float = 0.05
    n_modes: float = 50.0
    centre_jitter_pixels: float = 1.0
    photons_per_frame: tuple[float, float] | None = None

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if not 10.0 <= self.photon_energy_ev <= 1e6:
            raise InputError(
                f"beam.photon_energy_ev is {self.photon_energy_ev:g}; it must lie between 10 and 1e6 eV."
            )
        for name, low, high in (
            ("pulse_energy_mj", 1e-6, 1e3),
            ("focus_fwhm_um", 1e-2, 1e4),
            ("transmission", 1e-9, 1.0),
            ("smallest_fluence_ratio", 1e-6, 1.0),
            ("n_modes", 1.0, 1e6),  # one mode is fully chaotic light; fewer there are not
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"beam.{name} is {getattr(self, name):g}; it must lie between {low:g} and {high:g}."
                )
        if not 0.0 <= self.centre_jitter_pixels <= 10.0:
            raise InputError(
                f"beam.centre_jitter_pixels is {self.centre_jitter_pixels:g}; it must lie between 0 and 10."
            )
        if self.photons_per_frame is not None:
            low, high = self.photons_per_frame
            if not 1e-3 <= low <= high <= 1e12:
                raise InputError(
                    f"beam.photons_per_frame is {low:g} to {high:g}; "
                    "give a range between 0.001 and 1e12, low end first."
                )

    @property
    def mean_peak_fluence_per_um2(self) -> float:
        """Photons per µm² in the middle of the focus for a pulse of mean energy: 4 ln2 N / (π FWHM²)."""
        photons = (
            self.pulse_energy_mj * 1e-3 * self.transmission / (self.photon_energy_ev * ELEMENTARY_CHARGE_C)
        )
        return photons * 4.0 * math.log(2.0) / (math.pi * self.focus_fwhm_um**2)

    def draw(self, rng: np.random.Generator) -> Pulse:
        """One pulse, gamma distributed in energy (Saldin et al. 1998, Opt. Commun. 148, 383)."""
        ratio = rng.gamma(self.n_modes, 1.0 / self.n_modes)
        dy, dx = self.centre_jitter_pixels * rng.standard_normal(2)
        return Pulse(
            photon_energy_ev=self.photon_energy_ev,
            peak_fluence_per_um2=ratio * self.mean_peak_fluence_per_um2,
            focus_fwhm_um=math.inf if self.profile == "even" else self.focus_fwhm_um,
            energy_ratio=ratio,
            centre_offset_pixels=(float(dy), float(dx)),
        )

    def draw_place(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """Return where a hit happens: (x, y, 0) in nm, even over the disc that still makes a hit."""
        angle, area = 2.0 * math.pi * rng.random(), rng.random()
        if self.profile == "even":
            return 0.0, 0.0, 0.0
        edge_um = self.focus_fwhm_um / 2.0 * math.sqrt(-math.log2(self.smallest_fluence_ratio))
        radius_nm = 1e3 * edge_um * math.sqrt(area)
        return radius_nm * math.cos(angle), radius_nm * math.sin(angle), 0.0
