"""Angular power at low orders: large-scale intensity fluctuation around rings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .curve import Curve, Estimate, curve_distance, frame_weights
from .frames import FrameSet, require_frames
from .rings import Rings, offsets

ORDERS = (1, 2, 3, 4, 5, 6)
BAND_EDGES = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Of bands of rings, as fractions of the largest radius."""

ENOUGH_PHOTONS = 30
"""In a band, on average over the frames, for the band to be compared."""


class AngularPower(NamedTuple):
    """Terms of the power, whose sums over anything may be divided; see `value`."""

    power: np.ndarray
    """Power beyond Poisson noise times photons: (n, bands, orders)."""
    photons: np.ndarray
    """Photons less one: (n, bands)."""

    def value(self) -> np.ndarray:
        """Relative power of every frame, weighted by photons over bands: (n, orders)."""
        photons = self.photons.sum(axis=1)[:, None]
        return np.divide(
            self.power.sum(axis=1), photons, out=np.zeros_like(self.power[:, 0]), where=photons > 0
        )


def angular_power(frames: FrameSet) -> AngularPower:
    """Fourier power of the intensity around the centre, orders 1 to 6, without that of Poisson noise.

    c_m = Σ k_j b_j over the pixels of a band, with b_j = exp(-i m φ_j) less its mean over the good pixels
    of j's ring, which is one pixel wide: a light that depends on the radius alone gives nothing, whatever
    the mask. Poisson noise adds Σ λ_j |b_j|² to the mean of |c_m|², estimated by Σ k_j |b_j|². So

        P_m = (|c_m|² - Σ k_j |b_j|²) / (κ² S (S - 1)),   S = Σ k_j,   κ = mean of |b_j|²,

    and I(φ) = 1 + e cos(m φ) gives e² / 4. κ, 1 for whole rings, makes up for pixels that are not good.
    A body obeys Friedel's law, so it has even orders alone; odd ones come from light that is not the
    body's, from a centre that moves (order 1 most), and from the detector.

    Parameters
    ----------
    frames : FrameSet
        Any number of frames.

    Returns
    -------
    angular : AngularPower
        `power` is S - 1 times P_m, `photons` S - 1, so that sums of the one over sums of the other are
        means weighted by photons. Both are 0 where a band has fewer than two photons.
    """
    rings = Rings(frames)
    y, x = (along.ravel()[rings.order] for along in offsets(frames))
    phase = np.exp(-1j * np.arctan2(y, x))
    edges = np.searchsorted(rings.ring, np.array(BAND_EDGES) * rings.n)
    bands = len(BAND_EDGES) - 1
    power, photons = np.zeros((frames.n, bands, len(ORDERS))), np.zeros((frames.n, bands))
    for band in range(bands):
        pixels = slice(edges[band], edges[band + 1])
        if pixels.start == pixels.stop:
            continue
        counts = frames.counts.reshape(frames.n, -1)[:, rings.order[pixels]].astype(np.float32)
        basis = np.stack([_without_mean(phase[pixels] ** m, rings.ring[pixels]) for m in ORDERS], axis=1)
        strength = np.abs(basis) ** 2
        covered = strength.mean(axis=0)
        total = counts.sum(axis=1, dtype=np.float64)
        lit = total > 1
        both = np.hstack([basis.real, basis.imag, strength]).astype(np.float32)
        real, imag, noise = np.split((counts @ both).astype(np.float64), 3, axis=1)
        beyond = np.divide(
            real**2 + imag**2 - noise, covered**2, out=np.zeros_like(real), where=covered > 1e-3
        )
        power[lit, band] = beyond[lit] / total[lit, None]
        photons[lit, band] = total[lit] - 1
    return AngularPower(power, photons)


def angular_curve(frames: FrameSet, seed: int = 0) -> Curve:
    """Relative angular power of a set, band after band, orders 1 to 6 in each.

    Every frame counts by its photons, see `angular_power`; bands are `BAND_EDGES` apart.

    Parameters
    ----------
    frames : FrameSet
        Two frames or more.
    seed : int
        Of the bootstrap over frames.

    Returns
    -------
    curve : Curve
        Of bands times orders points; `x` is the order.

    Raises
    ------
    InputError
        If there are fewer than two frames.
    """
    require_frames(frames, 2)
    angular = angular_power(frames)
    power = angular.power.reshape(frames.n, -1)
    photons = np.repeat(angular.photons, len(ORDERS), axis=1)
    weights = frame_weights(np.random.default_rng(seed), frames.n)

    def ratio(of: np.ndarray) -> np.ndarray:
        above, below = of @ power, of @ photons
        return np.divide(above, below, out=np.zeros_like(above), where=below > 0)

    return Curve(
        x=np.tile(np.array(ORDERS, float), angular.photons.shape[1]),
        value=ratio(np.full((1, frames.n), 1 / frames.n))[0],
        replicates=ratio(weights),
        solid=photons.mean(axis=0) >= ENOUGH_PHOTONS,
    )


def angular_distance(simulated: FrameSet, measured: FrameSet, seed: int = 0) -> Estimate:
    """Relative difference of the angular power, root mean square over bands and orders."""
    return curve_distance(angular_curve(simulated, seed), angular_curve(measured, seed + 1))


def _without_mean(values: np.ndarray, ring: np.ndarray) -> np.ndarray:
    ring = ring - ring[0]
    n = np.maximum(np.bincount(ring), 1)
    mean = (np.bincount(ring, values.real) + 1j * np.bincount(ring, values.imag)) / n
    return values - mean[ring]
