"""Light that reaches the detector beside what the particles scatter: its mean strengths."""

from dataclasses import dataclass
from typing import Literal

from xfelspi.errors import InputError

from .apertures import MOST_ARMS


@dataclass(frozen=True, kw_only=True)
class Background:
    """Light that makes no pattern, component by component; each is off at its default.

    How much there is of a component is said in one of two ways, by what the beam does. Where
    `beam.photons_per_frame` fixes a frame's photons, the ``*_fraction`` settings are the components' parts of
    them. Otherwise the fractions are not looked at, and photons (or mbar·cm, or the counts of the blanks) are
    given for a pulse of mean energy. `incoherent_fraction` is of the particles' photons in both cases.

    Parameters
    ----------
    flat_fraction, flat_photons_per_pixel : float
        The same in every pixel.
    halo_fraction, halo_photons, halo_decay_pixels : float
        exp(-r/decay) around the beam; photons on good pixels.
    gas, gas_fraction, gas_mbar_cm : "N2" or "He", float, float
        Carrier gas in the beam, pressure times length; see `gas.gas_photons`.
    aperture_fraction, aperture_photons : float
        Apertures and slits; photons on good pixels with the beam in the middle.
    aperture_power : float
        Their light falls as r^-power.
    aperture_arms : int
        Number of arms in it, the flares of slit edges; directions are drawn once for a run.
    aperture_arm_share : float
        Part of it that is in the arms.
    aperture_arm_spread : float
        Relative standard deviation of each arm's strength from shot to shot (log-normal).
    incoherent_fraction : float
        Isotropic light from the particles (fluorescence, Compton) over what they scatter coherently onto
        good pixels. Calculated for 69 nm of protein at 1.6 keV: some 1e-6, below anything seen; heavy
        elements and small particles have more.
    streak_probability : float
        Of a streak through the beam in a shot: light from the surface of a jet or a rod.
    streak_fraction, streak_photons : float
        Of a streak, on good pixels.
    streak_width_pixels, streak_length_pixels : float
        Standard deviation across, ending at three of them, and length ℓ of the fall (1 + s²/ℓ²)^(-3/2)
        along it: q^-3 far out, as for a smooth cylinder.
    streak_angle_deg, streak_angle_spread_deg : float
        Its direction from the x axis towards the y axis, evenly up to the spread to either side; 90 is any.
    amplitude_spread : float
        Relative standard deviation (log-normal, mean 1) of a factor common to flat light, halo, gas and
        apertures, beyond the pulse energy. As fractions of fixed photons, the background of one shot never
        takes more than nine tenths.
    centre_spread_pixels : float
        Standard deviation, along y and x, of the middle of halo and aperture light from the direct beam.
    file : str
        Pattern file with measured blanks, one of which lights every shot; see `blanks.read_blanks`.
    file_fraction, file_scale : float
        Mean part of fixed photons; else factor on the measured counts. Blanks have a spread of their own:
        pulse energy and `amplitude_spread` do not scale them.
    file_smoothing_pixels : float
        σ of the Gaussian that smooths their counts into expected photons.
    """

    flat_fraction: float = 0.0
    halo_fraction: float = 0.0
    flat_photons_per_pixel: float = 0.0
    halo_photons: float = 0.0
    halo_decay_pixels: float = 30.0
    gas: Literal["N2", "He"] = "N2"
    gas_fraction: float = 0.0
    gas_mbar_cm: float = 0.0
    aperture_fraction: float = 0.0
    aperture_photons: float = 0.0
    aperture_power: float = 3.0
    aperture_arms: int = 4
    aperture_arm_share: float = 0.5
    aperture_arm_spread: float = 0.5
    incoherent_fraction: float = 0.0
    streak_probability: float = 0.0
    streak_fraction: float = 0.0
    streak_photons: float = 0.0
    streak_width_pixels: float = 2.0
    streak_length_pixels: float = 30.0
    streak_angle_deg: float = 0.0
    streak_angle_spread_deg: float = 90.0
    amplitude_spread: float = 0.0
    centre_spread_pixels: float = 0.0
    file: str = ""
    file_fraction: float = 0.0
    file_scale: float = 1.0
    file_smoothing_pixels: float = 3.0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for name, low, high in (
            ("flat_photons_per_pixel", 0.0, 1e9),
            ("halo_photons", 0.0, 1e9),
            ("aperture_photons", 0.0, 1e9),
            ("streak_photons", 0.0, 1e9),
            ("flat_fraction", 0.0, 1.0),
            ("halo_fraction", 0.0, 1.0),
            ("gas_fraction", 0.0, 1.0),
            ("aperture_fraction", 0.0, 1.0),
            ("streak_fraction", 0.0, 1.0),
            ("file_fraction", 0.0, 1.0),
            ("incoherent_fraction", 0.0, 1e3),
            ("gas_mbar_cm", 0.0, 1e3),
            ("aperture_power", 0.0, 10.0),
            ("aperture_arms", 0, MOST_ARMS),
            ("aperture_arm_share", 0.0, 1.0),
            ("aperture_arm_spread", 0.0, 3.0),
            ("streak_probability", 0.0, 1.0),
            ("streak_width_pixels", 0.5, 100.0),
            ("streak_angle_deg", -180.0, 180.0),
            ("streak_angle_spread_deg", 0.0, 90.0),
            ("amplitude_spread", 0.0, 3.0),
            ("centre_spread_pixels", 0.0, 10.0),
            ("file_scale", 0.0, 1e6),
            ("file_smoothing_pixels", 0.0, 64.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"background.{name} is {getattr(self, name):g}; it must lie between {low:g} and {high:g}."
                )
        for name in ("halo_decay_pixels", "streak_length_pixels"):
            if not 1.0 <= getattr(self, name) <= 1e5:
                raise InputError(
                    f"background.{name} is {getattr(self, name):g}; it must lie between 1 and 1e5."
                )
        if self.fractions >= 1.0:
            raise InputError(
                "The background fractions add up to 1 or more; leave some light to the particles."
            )

    @property
    def fractions(self) -> float:
        """Part of fixed photons that the background may take together."""
        steady = self.flat_fraction + self.halo_fraction + self.gas_fraction + self.aperture_fraction
        return steady + self.streak_fraction + self.file_fraction
