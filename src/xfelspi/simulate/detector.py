"""The detector: where its pixels are, its hole and its gap."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xfelspi.errors import InputError

MISSING = 0x200
"""CXI pixel mask: there is no pixel at this place."""

AT_HAND = 32
"""Detectors whose templates are kept at hand: as many recipes may take turns."""


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A flat detector across the beam; the defaults are the LCLS AMO pnCCD binned 4 x 4, as for PR772.

    Parameters
    ----------
    rows, columns : int
        Pixels along y and x.
    pixel_size_m, distance_m : float
        Pixel edge and sample-detector distance.
    hole_pixels : int
        Edge of the square hole for the direct beam, at the middle of the detector; where hole and detector
        are not both even or both odd, half a pixel towards the first row and column.
    gap_rows : int
        Rows missing between the two halves.
    horizontal_polarization : float
        Fraction of the light polarized along x.
    read_noise_photons : float
        Standard deviation of the read-out noise per pixel, in photons; `ReadOut` has the rest of the
        electronics.
    saturation_photons : int
        Largest count that a pixel reports, and what its well holds where charge blooms.
    mask_file : str
        A .npy file, (rows, columns), other than 0 where there is no pixel, in addition to hole and gap.
    """

    rows: int = 256
    columns: int = 256
    pixel_size_m: float = 300e-6
    distance_m: float = 0.581
    hole_pixels: int = 8
    gap_rows: int = 2
    horizontal_polarization: float = 1.0
    read_noise_photons: float = 0.0
    saturation_photons: int = 65_535
    mask_file: str = ""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            value = getattr(self, name)
            if not 16 <= value <= 8192:
                raise InputError(f"detector.{name} is {value}; it must lie between 16 and 8192.")
        for name, low, high in (("pixel_size_m", 1e-7, 1.0), ("distance_m", 1e-4, 1e3)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"detector.{name} is {value:g}; it must lie between {low:g} and {high:g} m.")
        for name in ("hole_pixels", "gap_rows"):
            value = getattr(self, name)
            if not 0 <= value < min(self.rows, self.columns):
                raise InputError(
                    f"detector.{name} is {value}; it must be at least 0 and smaller than the detector."
                )
        if not 0.0 <= self.horizontal_polarization <= 1.0:
            raise InputError(
                f"detector.horizontal_polarization is {self.horizontal_polarization:g}; "
                "it is a fraction between 0 and 1."
            )
        if not 0.0 <= self.read_noise_photons <= 1e4:
            raise InputError(
                f"detector.read_noise_photons is {self.read_noise_photons:g}; it must lie between 0 and 1e4."
            )
        if not 1 <= self.saturation_photons <= 65_535:
            raise InputError(
                f"detector.saturation_photons is {self.saturation_photons}; it must lie between 1 and 65535."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def middle_yx(self) -> tuple[float, float]:
        """Pixel coordinates of the middle, where the direct beam falls unless it jitters."""
        return (self.rows - 1) / 2.0, (self.columns - 1) / 2.0

    def positions_m(
        self, row: np.ndarray, column: np.ndarray, offset_yx: tuple[float, float] = (0.0, 0.0)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return y and x in metres of pixel coordinates, relative to a beam that is off the middle."""
        y = (np.asarray(row) - self.middle_yx[0] - offset_yx[0]) * self.pixel_size_m
        x = (np.asarray(column) - self.middle_yx[1] - offset_yx[1]) * self.pixel_size_m
        return y, x

    @cached_property
    def mask(self) -> np.ndarray:
        """(rows, columns) uint32 of CXI bits; 0 is a good pixel."""
        mask = np.zeros(self.shape, dtype=np.uint32)
        width = self.hole_pixels
        top, left = ((n - width) // 2 for n in self.shape)
        mask[top : top + width, left : left + width] = MISSING
        top = (self.rows - self.gap_rows) // 2
        mask[top : top + self.gap_rows] = MISSING
        if self.mask_file:
            mask[_read_mask(self.mask_file, self.shape)] = MISSING
        if mask.all():
            raise InputError(
                "Hole, gap and mask leave no pixel; lower detector.hole_pixels or detector.gap_rows, or give "
                "another detector.mask_file."
            )
        return mask

    @cached_property
    def good(self) -> np.ndarray:
        """(rows, columns) float32, 1 for a good pixel and 0 for a missing one."""
        return (self.mask == 0).astype(np.float32)

    @cached_property
    def n_good(self) -> int:
        """Number of good pixels."""
        return int(np.count_nonzero(self.mask == 0))


def _read_mask(name: str, shape: tuple[int, int]) -> np.ndarray:
    """Read (rows, columns) bool, True where there is no pixel."""
    try:
        mask = np.load(name, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise InputError(
            f"detector.mask_file is {name}, which is not a .npy file of numbers; give one that is."
        ) from None
    if not isinstance(mask, np.ndarray) or mask.shape != shape or mask.dtype.kind not in "biuf":
        what = mask.shape if isinstance(mask, np.ndarray) else "no array"
        raise InputError(
            f"detector.mask_file {name} holds {what}; numbers of (rows, columns) = {shape} are needed."
        )
    if (mask != 0).all():
        raise InputError(f"detector.mask_file {name} leaves no pixel; 0 means that there is one.")
    return mask != 0
