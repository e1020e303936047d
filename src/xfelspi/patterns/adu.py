"""Photons from what a detector's electronics count: pedestal, common mode, gain and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xfelspi.errors import InputError

from .panels import Place

COMMON_MODES = ("none", "panel", "row")
"""What is taken to shift together in one shot: nothing, a panel, or each row of a panel by itself."""

_DARKEST = 0.1  # quantile from which the search for dark pixels starts: so many must be dark
_ROUNDS = 4  # after which the level of Gaussian noise of 0.3 photons is found to 0.03 photons
_FEWEST = 8  # good pixels that tell a level
_OUTLYING = 5 * 1.4826  # median absolute deviations; 1.4826 of them are one standard deviation


@dataclass(frozen=True, kw_only=True)
class AduConversion:
    """How a detector's units (ADU) become photons, with the words of `simulate.ReadOut`.

    Attributes
    ----------
    adu_per_photon : float
        Units that one photon gives.
    threshold_photons : float
        A charge from k - 1 + threshold to k + threshold counts as k photons: 0.5 rounds.
    common_mode : str
        One of `COMMON_MODES`.
    panel_rows, panel_columns : int
        Panels along y and x of a frame that comes without a geometry.
    """

    adu_per_photon: float = 1.0
    threshold_photons: float = 0.5
    common_mode: str = "none"
    panel_rows: int = 1
    panel_columns: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.adu_per_photon < np.inf:
            raise InputError(f"adu_per_photon is {self.adu_per_photon:g}; it must be positive.")
        if not 0.0 < self.threshold_photons <= 1.0:
            raise InputError(
                f"threshold_photons is {self.threshold_photons:g}; it must lie above 0 and not above 1."
            )
        if self.common_mode not in COMMON_MODES:
            raise InputError(
                f"common_mode is {self.common_mode!r}; it must be one of {', '.join(COMMON_MODES)}."
            )
        for name in ("panel_rows", "panel_columns"):
            if not 1 <= getattr(self, name) <= 1024:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie between 1 and 1024.")


def split_panels(shape: tuple[int, int], rows: int, columns: int) -> list[Place]:
    """Cut a frame into panels, as `simulate.ReadOut` does.

    Raises
    ------
    InputError
        If there are more panels than pixels.

    Examples
    --------
    >>> split_panels((4, 5), 1, 2)
    [(slice(0, 4, None), slice(0, 2, None)), (slice(0, 4, None), slice(2, 5, None))]
    """
    if rows > shape[0] or columns > shape[1]:
        raise InputError(
            f"{rows} x {columns} panels do not fit into frames of {shape[0]} x {shape[1]} pixels; give fewer."
        )
    edges = [
        [n * part // parts for part in range(parts + 1)]
        for n, parts in zip(shape, (rows, columns), strict=True)
    ]
    down, across = ([slice(low, high) for low, high in pairwise(e)] for e in edges)
    return [(y, x) for y in down for x in across]


def to_photons(
    adu: np.ndarray,
    conversion: AduConversion,
    *,
    bad: np.ndarray | None = None,
    pedestal: np.ndarray | None = None,
    panels: Sequence[Place] | None = None,
) -> np.ndarray:
    """Count photons: floor((adu - pedestal - common mode) / gain + 1 - threshold), 0 at the least.

    Parameters
    ----------
    adu : (k, ny, nx), or with more indices than these for `panels` that have more
        What the detector's electronics count.
    conversion : AduConversion
        Gain, threshold, and what shifts together.
    bad : (ny, nx) bool, optional
        Pixels that tell nothing about the common mode; True = bad.
    pedestal : (ny, nx), optional
        What a pixel counts in the dark; 0 where it has been subtracted already.
    panels : sequence of Place, optional
        Where panels lie; by default as many as `conversion` says.

    Returns
    -------
    photons : (k, ny, nx) float32
        Whole numbers; NaN where `adu` or `pedestal` is not finite.

    Examples
    --------
    >>> adu = np.array([[[103.0, 98.0, 117.0, 121.0]]])
    >>> to_photons(adu, AduConversion(adu_per_photon=10.0), pedestal=np.full((1, 4), 100.0))
    array([[[0., 0., 2., 2.]]], dtype=float32)
    """
    photons = charge_in_photons(adu, conversion, bad=bad, pedestal=pedestal, panels=panels)
    photons += np.float32(1.0 - conversion.threshold_photons)
    np.floor(photons, out=photons)
    return np.maximum(photons, 0.0, out=photons)


def charge_in_photons(
    adu: np.ndarray,
    conversion: AduConversion,
    *,
    bad: np.ndarray | None = None,
    pedestal: np.ndarray | None = None,
    panels: Sequence[Place] | None = None,
) -> np.ndarray:
    """(adu - pedestal - common mode) / gain, float32: what `to_photons` counts, before it is counted."""
    charge = adu.astype(np.float32)
    if pedestal is not None:
        charge -= pedestal.astype(np.float32)
    charge[~np.isfinite(charge)] = np.nan
    if conversion.common_mode != "none":
        if panels is None:
            shape = (adu.shape[-2], adu.shape[-1])
            panels = split_panels(shape, conversion.panel_rows, conversion.panel_columns)
        known = charge if bad is None else np.where(bad, np.float32(np.nan), charge)
        for place in panels:
            charge[:, *place] -= _common_mode(known[:, *place], conversion)
    charge /= np.float32(conversion.adu_per_photon)
    return charge


def _common_mode(panel: np.ndarray, conversion: AduConversion) -> np.ndarray:
    """(k, 1 or ny, 1) shift of one panel, (k, ny, nx), in each shot."""
    photon = conversion.adu_per_photon
    if conversion.common_mode == "panel":
        return dark_level(panel.reshape(len(panel), 1, -1), 0.5 * photon)[..., None]
    levels = dark_level(panel, 0.5 * photon)
    # Rows without a dark pixel seem shifted by a photon or more; they get what the others have.
    middle = np.median(levels, axis=-1, keepdims=True)
    away = np.abs(levels - middle)
    spread = np.median(away, axis=-1, keepdims=True)
    return np.where(away > 0.5 * photon + _OUTLYING * spread, middle, levels)[..., None]


def dark_level(values: np.ndarray, reach: float) -> np.ndarray:
    """Median of the dark among n pixels: those that are not more than `reach` above that median.

    It starts from the darkest tenth, so that light on nine pixels of ten does not matter.

    Parameters
    ----------
    values : (..., n)
        NaN tells nothing.
    reach : float
        Half of what a photon gives.

    Returns
    -------
    level : (...)
        0 where fewer than 8 pixels tell anything.

    Examples
    --------
    >>> row = np.array([3.0, 2.0, 3.0, 4.0, 3.0, 13.0, 23.0, 13.0, 2.0, 4.0, np.nan])
    >>> float(dark_level(row, 5.0))
    3.0
    """
    ordered = np.sort(values, axis=-1)  # NaN comes last
    n = np.count_nonzero(~np.isnan(values), axis=-1)
    level = _pick(ordered, _DARKEST * np.maximum(n - 1, 0))
    for _ in range(_ROUNDS):
        dark = np.count_nonzero(ordered <= level[..., None] + reach, axis=-1)
        level = _pick(ordered, 0.5 * np.maximum(dark - 1, 0))
    return np.where(n < _FEWEST, 0.0, level).astype(values.dtype)


def _pick(ordered: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Value at a place between two along the last axis, their mean in the middle."""
    low = np.floor(place).astype(int)[..., None]
    high = np.ceil(place).astype(int)[..., None]
    pair = np.take_along_axis(ordered, low, -1), np.take_along_axis(ordered, high, -1)
    return (0.5 * (pair[0] + pair[1]))[..., 0]
