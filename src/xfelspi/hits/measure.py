"""Size and company of particles in some of a file's shots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xfelspi.constants import HC_EV_NM
from xfelspi.patterns import Geometry, PatternSet, pick

from .company import Company
from .sphere import SphereFit

_AT_ONCE = 32

Progress = Callable[[str, float], None]
"""Called with the name of a file and the fraction done."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What patterns say about their particles.

    Attributes
    ----------
    diameter_nm, error_nm : (n,) float64
        Of the sphere of the particle's volume, and one standard deviation; NaN for shots that were not
        measured, without a geometry, and where the sphere is larger or smaller than can be told.
    company : (n,) float64
        See `Company`; NaN likewise.
    """

    diameter_nm: np.ndarray
    error_nm: np.ndarray
    company: np.ndarray


def measure(
    patterns: PatternSet, indices: np.ndarray | None = None, progress: Progress | None = None
) -> Measured:
    """Measure the particles of some shots of a file, or of all.

    Parameters
    ----------
    patterns : PatternSet
        The shots.
    indices : (k,) int, optional
        Ascending.
    progress : callable, optional
        Told after every part.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    indices = np.arange(patterns.n) if indices is None else np.asarray(indices)
    geometry = patterns.geometry
    per_phase_nm = math.nan if geometry is None else diameter_per_phase_nm(geometry)
    pixel_rad = 0.0 if geometry is None else geometry.pixel_size_m / geometry.distance_m
    fit = SphereFit(~patterns.mask, patterns.beam_yx, pixel_rad)
    company = Company(~patterns.mask, patterns.beam_yx)
    found = np.full((3, patterns.n), np.nan)
    for start in range(0, indices.size, _AT_ONCE):
        chosen = indices[start : start + _AT_ONCE]
        counts = pick(patterns, chosen).counts
        seen = fit(counts)
        phase = np.where(seen.bounded, seen.phase, np.nan)
        diameter_nm = phase * per_phase_nm
        found[:, chosen] = diameter_nm, diameter_nm * seen.relative_error, company(counts, phase)
        if progress is not None:
            progress("sizes", min(1.0, (start + _AT_ONCE) / indices.size))
    return Measured(diameter_nm=found[0], error_nm=found[1], company=found[2])


def diameter_per_phase_nm(geometry: Geometry) -> float:
    """Diameter of a sphere whose edge's wave turns by 1 rad from pixel to pixel: λ distance / (π pixel).

    Examples
    --------
    >>> amo = Geometry(photon_energy_ev=1600.0, distance_m=0.581, pixel_size_m=3e-4, centre_yx=(127.5, 127.5))
    >>> round(diameter_per_phase_nm(amo))
    478
    """
    wavelength_nm = HC_EV_NM / geometry.photon_energy_ev
    return wavelength_nm * geometry.distance_m / (math.pi * geometry.pixel_size_m)


def within(measured: Measured, smallest_nm: float, largest_nm: float) -> np.ndarray:
    """Tell whose diameter lies between two: (n,) bool, False where it is unknown."""
    return (measured.diameter_nm >= smallest_nm) & (measured.diameter_nm <= largest_nm)
