"""One shot's light beside the particles: drawn by chance, then given its photons."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ._light import add_beside, add_streak
from ._widen import row_weights, widen_columns, widening_weights
from .apertures import MOST_ARMS, aperture_templates, draw_arms
from .background import Background
from .beam import Pulse
from .blanks import Blanks
from .chance import SURROUND, stream
from .detector import AT_HAND, Detector
from .fluctuation import Fluctuation
from .gas import gas_template
from .halo import halo_corner
from .qspace import solid_angle

MOST_OF_A_FRAME = 0.9
"""Part of a frame's fixed photons that a strong background may take."""


@dataclass(frozen=True)
class Surround:
    """What chance decided about the light beside the particles; the default is nothing out of the ordinary.

    Parameters
    ----------
    amplitude : float
        Factor on flat light, halo, gas and apertures.
    centre_shift_pixels : (float, float)
        Middle of halo and aperture light from the pattern's centre, along y and x.
    arms : tuple of (float, float, float)
        Direction and width in radians of each arm of the apertures' light, and its part of the arms' light:
        on average these parts add up to 1.
    streak_angle : float or None
        Direction of the streak in radians; None without.
    blank : (rows, columns) float32 or None
        A measured blank's photons.
    blank_photons, blank_ratio : float
        Its sum over good pixels, and that over the mean of all blanks.
    blobs : (rows, columns) float32 or None
        Coarse nodes of the field that spreads a part of all light.
    blobs_fraction, blobs_step : float, int
        That part, and pixels between the nodes.
    """

    amplitude: float = 1.0
    centre_shift_pixels: tuple[float, float] = (0.0, 0.0)
    arms: tuple[tuple[float, float, float], ...] = ()
    streak_angle: float | None = None
    blank: np.ndarray | None = None
    blank_photons: float = 0.0
    blank_ratio: float = 0.0
    blobs: np.ndarray | None = None
    blobs_fraction: float = 0.0
    blobs_step: int = 1


NOTHING = Surround()


def draw_surround(
    background: Background,
    fluctuation: Fluctuation,
    detector: Detector,
    blanks: Blanks | None,
    seed: int,
    index: int,
) -> Surround:
    """Draw what surrounds one shot; every term draws the same numbers whether others are on or off."""
    if background.file and blanks is None:
        raise ValueError("background.file needs the blanks that read_blanks makes of it")
    apertures = background.aperture_photons + background.aperture_fraction > 0.0
    blobs_fraction = fluctuation.additive_fraction
    spread = background.amplitude_spread + background.centre_spread_pixels + background.streak_probability
    if not (apertures or blobs_fraction or spread or blanks):
        return NOTHING
    rng = stream(seed, SURROUND, index)
    normal = rng.standard_normal(3 + MOST_ARMS).tolist()
    streak, towards, pick = rng.random(3).tolist()
    angle_deg = background.streak_angle_deg + background.streak_angle_spread_deg * (2.0 * towards - 1.0)
    arms: tuple[tuple[float, float, float], ...] = ()
    if apertures and background.aperture_arms > 0:
        here = draw_arms(seed)[: background.aperture_arms]
        every = sum(share for _, _, share in here)
        arms = tuple(
            (direction, width, share / every * _log_normal(strength, background.aperture_arm_spread))
            for (direction, width, share), strength in zip(here, normal[3:], strict=False)
        )
    chosen: dict[str, Any] = {}
    if blanks is not None:
        i = int(pick * len(blanks.frames))
        total = float(blanks.totals[i])
        ratio = total / float(blanks.totals.mean())
        chosen = {"blank": blanks.frames[i], "blank_photons": total, "blank_ratio": ratio}
    return Surround(
        amplitude=_log_normal(normal[0], background.amplitude_spread),
        centre_shift_pixels=(
            background.centre_spread_pixels * normal[1],
            background.centre_spread_pixels * normal[2],
        ),
        arms=arms,
        streak_angle=math.radians(angle_deg) if streak < background.streak_probability else None,
        **chosen,
        blobs=fluctuation.draw_blobs(rng, detector) if blobs_fraction > 0.0 else None,
        blobs_fraction=blobs_fraction,
        blobs_step=fluctuation.additive_step,
    )


def _log_normal(normal: float, spread: float) -> float:
    """Return a factor of mean 1 and standard deviation `spread` from a standard normal number."""
    variance = math.log1p(spread**2)
    return math.exp(math.sqrt(variance) * normal - variance / 2.0)


@dataclass(frozen=True)
class Strengths:
    """Photons of each component on good pixels; for apertures the even part, then each arm."""

    flat: float
    halo: float
    gas: float = 0.0
    streak: float = 0.0
    blank: float = 0.0
    apertures: tuple[float, ...] = ()

    @property
    def total(self) -> float:
        """All of them."""
        return self.flat + self.halo + self.beside

    @property
    def beside(self) -> float:
        """All but flat light and halo."""
        return self.gas + self.streak + self.blank + sum(self.apertures)


def strengths(
    background: Background, surround: Surround, pulse: Pulse, detector: Detector, photons: float | None
) -> Strengths:
    """Share out the photons of one shot's background.

    Parameters
    ----------
    background : Background
        Mean strengths.
    surround, pulse : Surround, Pulse
        What was drawn.
    detector : Detector
        Geometry.
    photons : float or None
        A frame's photons where the recipe fixes them: fractions count then.
    """
    if photons is None:
        energy = pulse.energy_ratio
        flat = background.flat_photons_per_pixel * detector.n_good * energy
        halo = background.halo_photons * energy
        apertures = background.aperture_photons * energy
        streak = background.streak_photons * energy
        blank = background.file_scale * surround.blank_photons
        gas = 0.0
        if background.gas_mbar_cm > 0.0:
            _, per_photon = gas_template(background.gas, pulse.photon_energy_ev, detector)
            gas = pulse.photons * background.gas_mbar_cm * per_photon
    else:
        flat = background.flat_fraction * photons
        halo = background.halo_fraction * photons
        apertures = background.aperture_fraction * photons
        streak = background.streak_fraction * photons
        blank = background.file_fraction * photons * surround.blank_ratio
        gas = background.gas_fraction * photons
    if surround is NOTHING:
        return Strengths(flat, halo, gas)
    in_arms = background.aperture_arm_share if surround.arms else 0.0
    parts = (1.0 - in_arms, *(in_arms * part for _, _, part in surround.arms)) if apertures > 0.0 else ()
    amplitude = surround.amplitude
    found = Strengths(
        flat * amplitude,
        halo * amplitude,
        gas * amplitude,
        streak if surround.streak_angle is not None else 0.0,
        blank,
        tuple(apertures * amplitude * part for part in parts),
    )
    if photons is None:
        return found
    most = max(MOST_OF_A_FRAME, background.fractions) * photons
    less = min(1.0, most / found.total) if found.total > 0.0 else 1.0
    return Strengths(
        found.flat * less,
        found.halo * less,
        found.gas * less,
        found.streak * less,
        found.blank * less,
        tuple(part * less for part in found.apertures),
    )


def light_beside(
    photons: np.ndarray,
    gain: float,
    incoherent: float,
    light: Strengths,
    all_photons: float,
    surround: Surround,
    background: Background,
    pulse: Pulse,
    detector: Detector,
) -> float:
    """Turn what particles scatter into all light but flat and halo, in place; return what was added.

    Parameters
    ----------
    photons : (ny, nx) float32
        Coherently scattered photons.
    gain : float
        Factor on them.
    incoherent : float
        Photons on good pixels that the particles send out incoherently.
    light : Strengths
        Of the background's components.
    all_photons : float
        On good pixels, of which the blobs take their part.
    surround, background, pulse, detector : Surround, Background, Pulse, Detector
        The shot, and what it came from.

    Returns
    -------
    added : float
        Photons on good pixels that are neither scattered coherently nor flat nor halo, before any of them go
        into blobs.
    """
    dark = np.empty((0, 0), dtype=np.float32)
    gas = gas_template(background.gas, pulse.photon_energy_ev, detector)[0] if light.gas > 0.0 else dark
    even = isotropic_template(detector) if incoherent > 0.0 else dark
    blank, blank_gain = dark, 0.0
    if surround.blank is not None and surround.blank_photons > 0.0:
        blank, blank_gain = surround.blank, light.blank / surround.blank_photons
    apertures, spans = np.empty((0, 0, 0), dtype=np.float32), np.empty((0, 0, 0), dtype=np.int64)
    if light.apertures:
        directions = tuple((direction, width) for direction, width, _ in surround.arms)
        apertures, spans = aperture_templates(detector, background.aperture_power, directions)
    offset = pulse.centre_offset_pixels
    centre = (offset[0] + surround.centre_shift_pixels[0], offset[1] + surround.centre_shift_pixels[1])
    nodes = dark if surround.blobs is None else surround.blobs
    step = surround.blobs_step
    blobs = np.empty((1, len(nodes), detector.columns), dtype=np.float32)
    widen_columns(nodes[None], row_weights(step, detector.columns), step, blobs)
    keep = 1.0 - surround.blobs_fraction
    added = add_beside(
        photons,
        np.float32(gain),
        np.float32(keep),
        gas,
        np.float32(light.gas),
        even,
        np.float32(incoherent),
        blank,
        np.float32(blank_gain),
        apertures,
        spans,
        np.array(light.apertures, dtype=np.float32),
        halo_corner(centre),
        blobs,
        np.float32(surround.blobs_fraction * all_photons / detector.n_good),
        widening_weights(step),
        detector.good,
    )
    if surround.streak_angle is not None and light.streak > 0.0:
        middle = np.array([detector.middle_yx[0] + offset[0], detector.middle_yx[1] + offset[1]])
        shape = (surround.streak_angle, background.streak_width_pixels, background.streak_length_pixels)
        added += add_streak(photons, middle, *shape, keep * light.streak, detector.good) / keep
    return added


@lru_cache(maxsize=AT_HAND)
def isotropic_template(detector: Detector) -> np.ndarray:
    """Light that goes everywhere alike, (ny, nx) float32 with a sum of 1 over good pixels."""
    y, x = detector.positions_m(np.arange(detector.rows)[:, None], np.arange(detector.columns)[None, :])
    light = solid_angle(x, y, detector.distance_m, detector.pixel_size_m)
    return (light / light[detector.mask == 0].sum()).astype(np.float32)
