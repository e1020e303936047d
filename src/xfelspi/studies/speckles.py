"""What a detector makes of speckles and fringes: photons in a Shannon pixel, and how fine is too fine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xfelspi.simulate import Detector, Experiment, scattered_light
from xfelspi.simulate.qspace import momentum_transfer, solid_angle, wavenumber_per_nm

ENOUGH = 0.1
"""Photons in a Shannon pixel that still tell orientations apart: patterns could be sorted by orientation with
as few as about 0.1 in an effective pixel, and the wavenumber where these are reached limits the resolution
(Tokuhisa, Taka, Kono & Gō 2012, Acta Cryst. A68, 366)."""

VISIBLE = 0.5
"""Visibility down to which fringes count as seen."""

RINGS_PER_SHANNON = 2
FEWEST_RINGS, MOST_RINGS = 24, 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Speckles:
    """Coherently scattered photons in a Shannon pixel, ring by ring of momentum transfer.

    A Shannon pixel is π/D wide in q along either axis, for a particle of diameter D: intensities are the
    transform of an autocorrelation 2D wide, and are known from samples that far apart.

    Attributes
    ----------
    q_per_nm : (k,) float64
        Middle of each ring that has good pixels.
    mean, low, high : (k,) float64
        Photons: mean over the shots, and 5th and 95th percentile of the shots' ring means.
    """

    q_per_nm: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def reach_per_nm(self) -> float | None:
        """Highest q with `ENOUGH` photons in the mean; None if nowhere."""
        enough = self.q_per_nm[self.mean >= ENOUGH]
        return float(enough[-1]) if enough.size else None


def speckles(experiment: Experiment, n: int) -> Speckles:
    """Return what the first `n` single hits of an experiment send into Shannon pixels."""
    recipe = experiment.recipe
    detector, k = recipe.detector, wavenumber_per_nm(recipe.beam.photon_energy_ev)
    y, x = detector.positions_m(np.arange(detector.rows)[:, None], np.arange(detector.columns)[None, :])
    x, y = np.broadcast_arrays(x, y)
    good = detector.mask == 0
    q = np.linalg.norm(momentum_transfer(x, y, detector.distance_m, k), axis=-1)[good]
    # k²Ω is what a pixel covers of the Ewald sphere.
    pixel = k**2 * solid_angle(x, y, detector.distance_m, detector.pixel_size_m)[good]
    shannon = math.pi / recipe.sample.diameter_nm
    n_rings = int(np.clip(RINGS_PER_SHANNON * q.max() / shannon, FEWEST_RINGS, MOST_RINGS))
    ring = np.minimum((q / q.max() * n_rings).astype(int), n_rings - 1)
    area = np.bincount(ring, minlength=n_rings)
    filled = area > 0
    rings: list[np.ndarray] = []
    index = 0
    while len(rings) < n:
        shot = experiment.draw(index)
        index += 1
        if shot.scene.label == "single":
            photons = scattered_light(shot.scene, shot.pulse, detector).photons[good] * (shannon**2 / pixel)
            rings.append(np.bincount(ring, photons, minlength=n_rings)[filled] / area[filled])
    low, high = np.percentile(rings, [5.0, 95.0], axis=0)
    middles = (np.arange(n_rings) + 0.5) * q.max() / n_rings
    return Speckles(q_per_nm=middles[filled], mean=np.mean(rings, axis=0), low=low, high=high)


def speckle_pixels(diameter_nm: float, photon_energy_ev: float, detector: Detector) -> float:
    """Width of a speckle, λ z / D, in pixels; `require_sampling` asks for 2.

    Examples
    --------
    >>> round(speckle_pixels(69.0, 1600.0, Detector()), 1)
    21.7
    """
    wavelength_nm = 2.0 * math.pi / wavenumber_per_nm(photon_energy_ev)
    return wavelength_nm * detector.distance_m / detector.pixel_size_m / diameter_nm


def visibility(
    separation_nm: np.ndarray, photon_energy_ev: float, detector: Detector, coherence_length_um: float
) -> np.ndarray:
    """Visibility of the fringes of two particles: s(π d p / λ z) exp(-d² / 2ξ²), s(x) = sin x / x.

    A pixel averages over fringes λ z / d wide, seen along one of its axes; the light is coherent over ξ.

    Examples
    --------
    At the default instrument a pixel washes out the fringes of particles 1.5 µm apart:

    >>> visibility(np.array([0.0, 905.0, 1400.0]), 1600.0, Detector(), math.inf).round(2).tolist()
    [1.0, 0.5, 0.07]
    """
    separation_nm = np.asarray(separation_nm, dtype=float)
    fringes = separation_nm / speckle_pixels(1.0, photon_energy_ev, detector)
    return np.sinc(fringes) * np.exp(-0.5 * (separation_nm / (1e3 * coherence_length_um)) ** 2)


def farthest_visible_nm(photon_energy_ev: float, detector: Detector, coherence_length_um: float) -> float:
    """Largest separation across the beam at which fringes are `VISIBLE`."""
    tried = np.linspace(0.0, speckle_pixels(1.0, photon_energy_ev, detector), 20_001)
    seen = visibility(tried, photon_energy_ev, detector, coherence_length_um) >= VISIBLE
    return float(tried[seen][-1])


def fringe_signal(
    first: np.ndarray, second: np.ndarray, beside: np.ndarray, visible: np.ndarray
) -> np.ndarray:
    """Signal to noise of the fringes of two particles, for a filter that knows them.

    Two particles that send N₁ and N₂ photons modulate the light where theirs falls by a cosine of amplitude
    2 √(N₁N₂) V / N, N all photons there. Its squared signal over Poisson noise is half the squared amplitude
    times N: 2 N₁ N₂ V² / N.

    Parameters
    ----------
    first, second : (...) float64
        Photons of the two.
    beside : (...) float64
        All other photons of the frame.
    visible : (...) float64
        Visibility V.

    Examples
    --------
    >>> float(fringe_signal(np.array(50.0), np.array(50.0), np.array(0.0), np.array(1.0)).round(2))
    7.07
    """
    light = np.maximum(first + second + beside, 1e-30)
    return np.sqrt(2.0 * first * second / light) * np.abs(visible)
