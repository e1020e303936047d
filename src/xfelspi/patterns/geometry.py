"""Where the detector stands and what hits it: all that is needed to compare frames."""

from __future__ import annotations

from dataclasses import dataclass

from xfelspi.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A flat detector across the beam; SI units but for the energy.

    Columns run along +x (left looking downstream), rows along +y (up).

    Attributes
    ----------
    photon_energy_ev : float
        Photon energy in eV.
    distance_m : float
        Sample to detector.
    pixel_size_m : float
        Edge of a square pixel.
    centre_yx : tuple of float
        Where the beam crosses the detector, in pixels; the middle is ((ny - 1) / 2, (nx - 1) / 2).
    """

    photon_energy_ev: float
    distance_m: float
    pixel_size_m: float
    centre_yx: tuple[float, float]

    def __post_init__(self) -> None:
        for name in ("photon_energy_ev", "distance_m", "pixel_size_m"):
            value = getattr(self, name)
            if not value > 0:
                raise InputError(f"{name} is {value}; it must be positive.")
