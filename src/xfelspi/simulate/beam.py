"""The beam: a population of pulses, and one pulse drawn from it."""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np

from xfelspi.constants import ELEMENTARY_CHARGE_C
from xfelspi.errors import InputError

from .chance import BEAM, DRIFT, stream
from .qspace import wavenumber_per_nm

DRIFT_REACH = 4
"""Knots of the drift on either side of a shot; the next would weigh exp(-16)."""

DARK_FWHM = 5.0
"""Widths from a Gaussian focus at which its light has fallen to 1e-30 of the peak."""

JITTER_CUT = 6.0
"""Standard deviations of the pointing beyond which one pulse in 1e8 goes."""


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
        Full width at half maximum of a round focus; infinite for an even field.
    energy_ratio : float
        Pulse energy over its mean.
    centre_offset_pixels : (float, float)
        Where the light goes that is not deflected, off the detector's middle, along y and x.
    photons : float
        Photons that come through the focus; what is in their way besides the particles scatters them.
    focus_offset_um : (float, float)
        Where this pulse's focus is, off its mean place, along x and y.
    wing_fraction : float
        Part of the peak fluence that the wings have.
    wing_reach_um : float
        Distance from the focus beyond which there is no light.
    coherence_length_um : float
        Transverse coherence length ξ: waves from two places a distance d apart interfere with a
        visibility exp(-d² / 2ξ²) (Gaussian Schell model); infinite for coherent light. Each particle on its
        own is taken as coherently lit, which asks for diameters well below ξ.
    """

    photon_energy_ev: float
    peak_fluence_per_um2: float
    focus_fwhm_um: float
    energy_ratio: float = 1.0
    centre_offset_pixels: tuple[float, float] = (0.0, 0.0)
    photons: float = 0.0
    focus_offset_um: tuple[float, float] = (0.0, 0.0)
    wing_fraction: float = 0.0
    wing_reach_um: float = math.inf
    coherence_length_um: float = math.inf

    @property
    def wavenumber_per_nm(self) -> float:
        """2π/λ."""
        return wavenumber_per_nm(self.photon_energy_ev)

    def fluence_per_um2(self, position_nm: tuple[float, float, float]) -> float:
        """Photons per µm² at a place (x, y, z) in nm from the mean focus; the beam runs along z.

        (1 - w) exp(-4 ln2 r² / FWHM²) + w / (1 + 4 r² / FWHM²) of the peak, r from this pulse's focus and w
        the fraction of the wings: over the few µm of a jet the focus is as long as it wants.
        """
        if math.isinf(self.focus_fwhm_um):
            return self.peak_fluence_per_um2
        x_nm = position_nm[0] - 1e3 * self.focus_offset_um[0]
        y_nm = position_nm[1] - 1e3 * self.focus_offset_um[1]
        r_squared_um2 = (x_nm**2 + y_nm**2) * 1e-6
        core = math.exp(-4.0 * math.log(2.0) * r_squared_um2 / self.focus_fwhm_um**2)
        if self.wing_fraction == 0.0:
            return self.peak_fluence_per_um2 * core
        if r_squared_um2 > self.wing_reach_um**2:
            return 0.0
        wings = 1.0 / (1.0 + 4.0 * r_squared_um2 / self.focus_fwhm_um**2)
        return self.peak_fluence_per_um2 * (core + self.wing_fraction * (wings - core))


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
        "gaussian": a round focus, with wings where they are asked for. "even": every place gets the peak
        fluence.
    focus_fwhm_um : float
        Width of the focus; with the energy it decides the peak fluence of either profile.
    wing_fraction : float
        Part w of a Gaussian focus's peak fluence that wings 1 / (1 + 4r²/FWHM²) take over; the width at half
        maximum stays. Hits in the wings have p(fluence) ∝ 1/fluence² (Daurer et al. 2017, IUCrJ 4, 251:
        "Lorentzian-like tails"); 0 for none.
    wing_reach_fwhm : float
        Distance from the focus, in widths, within which all photons of a winged pulse arrive.
    smallest_fluence_ratio : float
        Particles are placed evenly over the disc in which the fluence is at least this fraction of
        the peak: what the hit finder lets pass. The fluence of hits in a Gaussian is then distributed as
        1/fluence.
    n_modes : float
        SASE modes M ≥ 1; pulse energies are gamma distributed with relative spread 1/√M.
    energy_drift : float
        Relative standard deviation of the mean pulse energy, which wanders slowly over the shots of a run.
    energy_drift_shots : float
        Length ℓ of its correlation exp(-Δ² / 2ℓ²) over shots.
    pointing_jitter_um : float
        Standard deviation, along x and along y, of the focus against the jet: particles placed where the
        hit finder would let them pass meet more or less light than there.
    wavefront_tilt_mrad : (float, float)
        How much the direction of the light differs, along x and along y, from one edge of the disc of hits
        to the other: a curved wave. A pattern's centre goes where the light at its first particle goes, by
        tilt · distance / pixel size. Seen: 1.3 and 1.7 mrad (Daurer et al. 2017, fig. 8). In an even field,
        which has no places, the place is drawn evenly over the disc for every shot.
    coherence_length_um : float
        Transverse coherence length; see `Pulse`. Vartanyants & Singer (2010, New J. Phys. 12, 035004).
    centre_jitter_pixels : float
        Standard deviation, along y and along x, of the place where the direct beam meets the detector.
    photons_per_frame : (float, float) or None
        When set, the expected photons on good pixels are drawn log-uniformly from this range and the fluence
        follows from them. A blank has the background's fractions of what was drawn.
    """

    photon_energy_ev: float = 1_600.0
    pulse_energy_mj: float = 1.0
    transmission: float = 0.05
    profile: Literal["gaussian", "even"] = "gaussian"
    focus_fwhm_um: float = 3.0
    smallest_fluence_ratio: float = 0.05
    n_modes: float = 50.0
    energy_drift: float = 0.0
    energy_drift_shots: float = 2_000.0
    pointing_jitter_um: float = 0.0
    wing_fraction: float = 0.0
    wing_reach_fwhm: float = 10.0
    wavefront_tilt_mrad: tuple[float, float] = (0.0, 0.0)
    coherence_length_um: float = math.inf
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
            ("energy_drift", 0.0, 1.0),
            ("energy_drift_shots", 1.0, 1e9),
            ("pointing_jitter_um", 0.0, 1e4),
            ("wing_fraction", 0.0, 1.0),
            ("wing_reach_fwhm", 3.0, 1e3),
            ("coherence_length_um", 1e-3, math.inf),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"beam.{name} is {getattr(self, name):g}; it must lie between {low:g} and {high:g}."
                )
        if not all(0.0 <= tilt <= 10.0 for tilt in self.wavefront_tilt_mrad):
            raise InputError(
                f"beam.wavefront_tilt_mrad is {list(self.wavefront_tilt_mrad)}; "
                "along x and along y it must lie between 0 and 10."
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

        self._require_light_at_hits()

    def _require_light_at_hits(self) -> None:
        """Refuse a focus that wanders so far that hits are left in the dark."""
        if self.profile == "even":
            return
        winged = self.wing_fraction > 0.0
        edge_um = self.focus_fwhm_um * (self.wing_reach_fwhm if winged else DARK_FWHM)
        farthest_um = self.hit_radius_um + JITTER_CUT * self.pointing_jitter_um
        if farthest_um > edge_um:
            more = "raise beam.wing_reach_fwhm" if winged else "give it wings (beam.wing_fraction)"
            raise InputError(
                f"With beam.smallest_fluence_ratio {self.smallest_fluence_ratio:g} and "
                f"beam.pointing_jitter_um {self.pointing_jitter_um:g} hits would happen "
                f"{farthest_um:.3g} µm from the focus, whose light ends at {edge_um:.3g} µm; "
                f"{more}, or change these two."
            )

    @property
    def mean_photons(self) -> float:
        """Photons that come through the focus in a pulse of mean energy."""
        return self.pulse_energy_mj * 1e-3 * self.transmission / (self.photon_energy_ev * ELEMENTARY_CHARGE_C)

    @property
    def mean_peak_fluence_per_um2(self) -> float:
        """Photons per µm² in the middle of the focus for a pulse of mean energy.

        4 ln2 N / (π FWHM²) of a Gaussian; wings of a fraction w that reach ρ widths divide it by
        1 - w + w ln2 ln(1 + 4ρ²), so that the N photons are those within their reach.
        """
        gaussian = self.mean_photons * 4.0 * math.log(2.0) / (math.pi * self.focus_fwhm_um**2)
        if self.profile == "even" or self.wing_fraction == 0.0:
            return gaussian
        wings = math.log(2.0) * math.log1p(4.0 * self.wing_reach_fwhm**2)
        return gaussian / (1.0 + self.wing_fraction * (wings - 1.0))

    @cached_property
    def hit_radius_um(self) -> float:
        """Distance from the focus at which the fluence has fallen to what still makes a hit."""
        if self.wing_fraction == 0.0:
            return self.focus_fwhm_um / 2.0 * math.sqrt(-math.log2(self.smallest_fluence_ratio))
        near, far = 0.0, self.wing_reach_fwhm * self.focus_fwhm_um
        shape = Pulse(self.photon_energy_ev, 1.0, self.focus_fwhm_um, wing_fraction=self.wing_fraction)
        for _ in range(60):  # the fluence falls all the way: halve the interval
            middle = (near + far) / 2.0
            if shape.fluence_per_um2((1e3 * middle, 0.0, 0.0)) > self.smallest_fluence_ratio:
                near = middle
            else:
                far = middle
        return near

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
            photons=ratio * self.mean_photons,
            wing_fraction=self.wing_fraction,
            wing_reach_um=self.wing_reach_fwhm * self.focus_fwhm_um,
            coherence_length_um=self.coherence_length_um,
        )

    def disturb(
        self, pulse: Pulse, place_nm: tuple[float, float, float], seed: int, index: int
    ) -> tuple[Pulse, tuple[float, float]]:
        """Let the pulse energy drift and the focus wander; tell the tilt of the wave at a place.

        Parameters
        ----------
        pulse : Pulse
            As drawn.
        place_nm : (float, float, float)
            Where the hit happens.
        seed, index : int
            Run and shot.

        Returns
        -------
        pulse : Pulse
            With this shot's energy and focus.
        tilt_mrad : (float, float)
            Along x and y.
        """
        tilted, steady = any(self.wavefront_tilt_mrad), self.pointing_jitter_um == 0.0
        factor = drift(seed, index, self.energy_drift, self.energy_drift_shots) if self.energy_drift else 1.0
        changed: dict[str, Any] = {
            "peak_fluence_per_um2": pulse.peak_fluence_per_um2 * factor,
            "energy_ratio": pulse.energy_ratio * factor,
            "photons": pulse.photons * factor,
        }
        if steady and not tilted:
            return replace(pulse, **changed), (0.0, 0.0)
        rng = stream(seed, BEAM, index)
        x_um, y_um = (self.pointing_jitter_um * rng.standard_normal(2)).tolist()
        angle, area = rng.random(2).tolist()
        pulse = replace(pulse, focus_offset_um=(x_um, y_um), **changed)
        if self.profile == "even":
            reach = math.sqrt(area)
            place = reach * math.cos(2.0 * math.pi * angle), reach * math.sin(2.0 * math.pi * angle)
        else:
            edge = self.hit_radius_um or math.inf  # hits in the very middle alone see no tilt
            place = (place_nm[0] / 1e3 - x_um) / edge, (place_nm[1] / 1e3 - y_um) / edge
        x_mrad, y_mrad = self.wavefront_tilt_mrad
        return pulse, (x_mrad / 2.0 * place[0], y_mrad / 2.0 * place[1])

    def draw_place(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """Return where a hit happens: (x, y, 0) in nm, even over the disc that still makes a hit."""
        angle, area = 2.0 * math.pi * rng.random(), rng.random()
        if self.profile == "even":
            return 0.0, 0.0, 0.0
        radius_nm = 1e3 * self.hit_radius_um * math.sqrt(area)
        return radius_nm * math.cos(angle), radius_nm * math.sin(angle), 0.0


def drift(seed: int, index: int, spread: float, length_shots: float) -> float:
    """Slow drift of a run at one shot: log-normal over runs, with mean 1 and standard deviation `spread`.

    The logarithm is a sum over knots, one every `length_shots` ℓ, of normal numbers under exp(-Δ²/ℓ²), which
    makes its correlation exp(-Δ² / 2ℓ²); it depends on seed and index alone.
    """
    at = index / length_shots
    nearest = round(at)
    knots = range(nearest - DRIFT_REACH, nearest + DRIFT_REACH + 1)
    weights = [math.exp(-((at - knot) ** 2)) for knot in knots]
    normal = sum(weight * _knot(seed, knot) for weight, knot in zip(weights, knots, strict=True))
    normal /= math.sqrt(sum(weight * weight for weight in weights))
    variance = math.log1p(spread**2)
    return math.exp(math.sqrt(variance) * normal - variance / 2.0)


@lru_cache(maxsize=256)
def _knot(seed: int, knot: int) -> float:
    return float(stream(seed, DRIFT, knot).standard_normal())
