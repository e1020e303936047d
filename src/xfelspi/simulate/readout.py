"""What the detector makes of the light: one copy of it, its electronics, and the second door of chance."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from xfelspi.errors import InputError

from ._photons import poisson_counts
from ._pixels import bar_shadow, bloom, convert_charge, displace_panels, fill_normal, share_charge
from .chance import UNIT, hash64, stream
from .detector import AT_HAND, Detector

HOT, DEAD, SHADOWED = 0x4, 0x8, 0x10
"""CXI pixel mask, beside `MISSING`."""

CLOUD, NOISE, STRIPES, OFFSETS = 1, 2, 3, 4
"""What the key of a read-out is split into, so that no term moves another's chance."""

FARTHEST = 3.0
"""Standard deviations beyond which no panel is off."""


@dataclass(frozen=True, kw_only=True)
class ReadOut:
    """The population of detector copies, and what their electronics do to every shot; all off by default.

    Everything is in photons of the pulse's energy. Values for the LCLS AMO pnCCD binned 4 x 4 at 1.6 keV are
    given where literature has them.

    Parameters
    ----------
    unit : int
        Which copy of the detector: its panels, hot and dead pixels and shadow follow from this number, not
        from the run's seed.
    new_unit_every : int
        If not 0, another copy takes over after so many shots, drawn from the run's seed and `unit`, so that
        a classifier cannot learn one copy by heart. The file's mask then has what all copies share.
    panel_rows, panel_columns : int
        Panels along y and x; the pnCCD has two halves above each other.
    panel_gain_rms : float
        Relative error of a panel's gain, fixed for a copy.
    panel_offset_photons : float
        Standard deviation of the offset left on a panel, fixed for a copy.
    panel_offset_jitter_photons : float
        Standard deviation of a further one, from shot to shot.
    panel_shift_pixels : float
        Standard deviation, along y and along x, of a panel's displacement from where the geometry has it,
        fixed for a copy; three times this at most. Light beyond the frame is taken to be that of its edge.
    common_mode_photons : float
        Standard deviation of what is common to one row of one panel in one shot.
    charge_cloud_pixels : float
        Edge of the square cloud in which a photon's charge arrives. In a pnCCD about 10 um rms, so 35 um, or
        0.12 of a pixel of 300 um.
    threshold_photons : float
        A charge from k - 1 + threshold to k + threshold counts as k photons: 0.5 rounds, 1 rounds down, 0.7
        was used for CSPAD (Daurer et al. 2017, IUCrJ 4, 251, fig. 3).
    conversion_gain : (float, float)
        Range of the log-uniform counts per photon of a copy: a conversion that takes the charge of one photon
        for another number of them.
    blooming : float
        Part of the charge above `detector.saturation_photons` that spills into the next pixels of the column
        with room, half each way, as far as the panel's edge or a missing pixel; the rest is lost. A pnCCD
        pixel holds 3e5 electrons or about 700 photons, 11,000 where 16 of them are binned.
    hot_fraction, hot_photons : float
        Of the pixels, those that count light of their own, fixed for a copy; their mean photons per shot are
        spread exponentially about hot_photons.
    dead_fraction : float
        Of the pixels, those that count nothing, fixed for a copy.
    known_fraction : float
        Of the hot and dead pixels, those that the file's mask has.
    shadow_width_pixels : float
        Width of the shadow of a holder or nozzle, a bar that reaches in from the rim, its direction fixed for
        a copy; 0 for none.
    shadow_tip_pixels, shadow_edge_pixels : float
        Distance of its tip from the middle of the detector, and the width over which its outline fades.
    shadow_transmission : float
        Part of the light that passes.
    shadow_known : bool
        Whether the file's mask has it.
    """

    unit: int = 0
    new_unit_every: int = 0
    panel_rows: int = 2
    panel_columns: int = 1
    panel_gain_rms: float = 0.0
    panel_offset_photons: float = 0.0
    panel_offset_jitter_photons: float = 0.0
    panel_shift_pixels: float = 0.0
    common_mode_photons: float = 0.0
    charge_cloud_pixels: float = 0.0
    threshold_photons: float = 0.5
    conversion_gain: tuple[float, float] = (1.0, 1.0)
    blooming: float = 0.0
    hot_fraction: float = 0.0
    hot_photons: float = 5.0
    dead_fraction: float = 0.0
    known_fraction: float = 0.0
    shadow_width_pixels: float = 0.0
    shadow_tip_pixels: float = 60.0
    shadow_edge_pixels: float = 4.0
    shadow_transmission: float = 0.0
    shadow_known: bool = False

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        ranges = {
            ("unit", "new_unit_every"): (0, 2**31 - 1),
            ("panel_rows", "panel_columns"): (1, 16),
            ("panel_gain_rms",): (0.0, 0.3),
            ("panel_offset_photons", "panel_offset_jitter_photons", "common_mode_photons"): (0.0, 1e4),
            ("panel_shift_pixels",): (0.0, 10.0),
            ("hot_photons",): (0.0, 65_535.0),
            ("hot_fraction", "dead_fraction"): (0.0, 0.5),
            ("charge_cloud_pixels", "blooming", "known_fraction", "shadow_transmission"): (0.0, 1.0),
            ("threshold_photons",): (0.01, 1.0),
            ("shadow_width_pixels", "shadow_tip_pixels"): (0.0, 8192.0),
            ("shadow_edge_pixels",): (0.01, 8192.0),
        }
        for names, (low, high) in ranges.items():
            for name in names:
                value = getattr(self, name)
                if not low <= value <= high:
                    raise InputError(
                        f"readout.{name} is {value:g}; it must lie between {low:g} and {high:g}."
                    )
        low, high = self.conversion_gain
        if not 0.1 <= low <= high <= 10.0:
            raise InputError(
                f"readout.conversion_gain is {low:g} to {high:g}; "
                "give a range between 0.1 and 10, low end first."
            )

    @property
    def shifts(self) -> bool:
        """Whether panels are displaced, so that light beside the good pixels counts too."""
        return self.panel_shift_pixels > 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Unit:
    """One copy of a detector, as drawn from its `ReadOut`; p rows of q panels.

    Attributes
    ----------
    detector : Detector
        Geometry and mask.
    readout : ReadOut
        What it was drawn from.
    row_edges, column_edges : (p + 1,) and (q + 1,) int64
        Panel (i, j) has rows row_edges[i] up to row_edges[i + 1], and likewise columns.
    gain : (p, q) float64
        Counted photons per photon.
    offset_photons : (p, q) float64
        What is left of the offset.
    shift_pixels : (p, q, 2) float64
        Along y and x: a pixel sits where the geometry has the pixel that is so much further on.
    hot, dead : (k,) int64
        Places in the flattened frame; a pixel that is both is dead.
    hot_photons : (k,) float32
        Mean photons per shot.
    shadow : (rows, columns) float32 or None
        Part of the light that passes.
    """

    detector: Detector
    readout: ReadOut
    row_edges: np.ndarray
    column_edges: np.ndarray
    gain: np.ndarray
    offset_photons: np.ndarray
    shift_pixels: np.ndarray
    hot: np.ndarray
    hot_photons: np.ndarray
    dead: np.ndarray
    shadow: np.ndarray | None

    @property
    def is_plain(self) -> bool:
        """Whether counts are the photons drawn, up to saturation."""
        readout = self.readout
        return (
            readout.panel_gain_rms == 0.0
            and readout.conversion_gain == (1.0, 1.0)
            and readout.panel_offset_photons == 0.0
            and readout.panel_offset_jitter_photons == 0.0
            and readout.common_mode_photons == 0.0
            and readout.charge_cloud_pixels == 0.0
            and readout.blooming == 0.0
            and self.detector.read_noise_photons == 0.0
        )

    @cached_property
    def row_gain(self) -> np.ndarray:
        """(rows, q) float32, the gain of each row of each panel."""
        return np.repeat(self.gain, np.diff(self.row_edges), axis=0).astype(np.float32)

    @property
    def mask(self) -> np.ndarray:
        """(rows, columns) uint32 of CXI bits with the bad pixels that are known; 0 is a good pixel."""
        mask = self.detector.mask.copy()
        flat = mask.reshape(-1)
        for places, bit in ((self.hot, HOT), (self.dead, DEAD)):
            flat[places[: round(self.readout.known_fraction * len(places))]] |= np.uint32(bit)
        if self.shadow is not None and self.readout.shadow_known:
            mask[self.shadow < 0.99] |= np.uint32(SHADOWED)
        return mask


def unit_of(detector: Detector, readout: ReadOut, seed: int = 0, index: int = 0) -> Unit:
    """Return the copy of the detector that takes shot `index` of a run.

    Parameters
    ----------
    detector : Detector
        Geometry and mask, the same for all copies.
    readout : ReadOut
        What copies are like.
    seed, index : int
        Run and shot; they matter only where `new_unit_every` is set.

    Examples
    --------
    >>> always, often = ReadOut(panel_gain_rms=0.1), ReadOut(panel_gain_rms=0.1, new_unit_every=1)
    >>> unit_of(Detector(), always, 1, 5) is unit_of(Detector(), always, 2, 7)
    True
    >>> unit_of(Detector(), often, 1, 5) is unit_of(Detector(), often, 1, 6)
    False
    """
    if readout.new_unit_every == 0:
        return _draw_unit(detector, readout, hash64(readout.unit))
    return _draw_unit(detector, readout, hash64(readout.unit, seed, index // readout.new_unit_every))


def file_mask(detector: Detector, readout: ReadOut) -> np.ndarray:
    """Return the mask of a run, (rows, columns) uint32 of CXI bits: what all its shots have in common."""
    return detector.mask if readout.new_unit_every > 0 else unit_of(detector, readout).mask


@lru_cache(maxsize=AT_HAND)
def _draw_unit(detector: Detector, readout: ReadOut, key: int) -> Unit:
    panels = readout.panel_rows, readout.panel_columns

    def normal(part: int, *more: int) -> np.ndarray:
        drawn = stream(key, UNIT, part).standard_normal((*panels, *more))
        return np.clip(drawn, -FARTHEST, FARTHEST)

    hot = _some_pixels(detector, readout.hot_fraction, stream(key, UNIT, 3))
    rates = readout.hot_photons * stream(key, UNIT, 4).standard_exponential(len(hot))
    return Unit(
        detector=detector,
        readout=readout,
        row_edges=np.arange(panels[0] + 1) * detector.rows // panels[0],
        column_edges=np.arange(panels[1] + 1) * detector.columns // panels[1],
        gain=_conversion(readout, stream(key, UNIT, 7)) * (1.0 + readout.panel_gain_rms * normal(0)),
        offset_photons=readout.panel_offset_photons * normal(1),
        shift_pixels=readout.panel_shift_pixels * normal(2, 2),
        hot=hot,
        hot_photons=rates.astype(np.float32),
        dead=_some_pixels(detector, readout.dead_fraction, stream(key, UNIT, 5)),
        shadow=_shadow(detector, readout, stream(key, UNIT, 6)),
    )


def _conversion(readout: ReadOut, rng: np.random.Generator) -> float:
    low, high = readout.conversion_gain
    return low * (high / low) ** float(rng.random())


def _some_pixels(detector: Detector, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Places, in random order, of pixels that are each taken with the same probability."""
    if fraction == 0.0:
        return np.empty(0, dtype=np.int64)
    # The gaps between taken pixels are geometric: their number counts, not that of the pixels.
    mean = detector.rows * detector.columns * fraction
    places = np.cumsum(rng.geometric(fraction, int(mean + 8.0 * math.sqrt(mean) + 16.0))) - 1
    # Gaps of a tiny fraction add up beyond 64 bits and come round as negative places.
    places = places[(places >= 0) & (places < detector.rows * detector.columns)]
    return rng.permutation(places[detector.mask.reshape(-1)[places] == 0])


def _shadow(detector: Detector, readout: ReadOut, rng: np.random.Generator) -> np.ndarray | None:
    if readout.shadow_width_pixels == 0.0:
        return None
    angle = 2.0 * math.pi * rng.random()
    along = np.array([math.sin(angle), math.cos(angle)])
    tip = np.array(detector.middle_yx) + readout.shadow_tip_pixels * along
    shadow = np.empty(detector.shape, dtype=np.float32)
    width, edge = readout.shadow_width_pixels, readout.shadow_edge_pixels
    bar_shadow(tip, along, width / 2.0, edge, readout.shadow_transmission, shadow)
    return shadow


def read_out(expected: np.ndarray, unit: Unit, key: int) -> np.ndarray:
    """Count photons: light falls on one copy of the detector, is drawn, becomes charge and then counts.

    In this order: shadow and displaced panels change the expected light, hot pixels add their own; photons
    are drawn (Poisson); their charge is shared with neighbours and blooms; gain, offsets, common mode and
    noise act; the charge is converted to photons, up to saturation; dead pixels count 0.

    Parameters
    ----------
    expected : (rows, columns) float32
        Mean photons per pixel.
    unit : Unit
        The copy of the detector, see `unit_of`.
    key : int
        64 bits that decide every pixel's chance; the same key gives the same frame.

    Returns
    -------
    counts : (rows, columns) uint16
        Missing pixels are 0.

    Examples
    --------
    >>> bright = np.full((256, 256), 50.0, dtype=np.float32)
    >>> int(read_out(bright, unit_of(Detector(saturation_photons=40), ReadOut()), key=1).max())
    40
    """
    light = _light_on(np.ascontiguousarray(expected, dtype=np.float32), unit)
    counts = np.empty(unit.detector.shape, dtype=np.uint16)
    poisson_counts(light, np.uint64(key), counts)
    if not unit.is_plain:
        _through_electronics(counts, unit, key)
    elif unit.detector.saturation_photons < 65_535:
        np.minimum(counts, np.uint16(unit.detector.saturation_photons), out=counts)
    counts.reshape(-1)[unit.dead] = 0
    return counts


def _light_on(expected: np.ndarray, unit: Unit) -> np.ndarray:
    """Return the mean photons of a unit's pixels, its own included, where they really are."""
    light = expected if unit.shadow is None else expected * unit.shadow
    if unit.readout.shifts:
        moved = np.empty_like(light)
        edges = unit.row_edges, unit.column_edges
        displace_panels(light, *edges, unit.shift_pixels, unit.detector.good, moved)
        light = moved
    if unit.hot.size > 0:
        light = light.copy() if light is expected else light
        light.reshape(-1)[unit.hot] += unit.hot_photons
    return light


def _through_electronics(counts: np.ndarray, unit: Unit, key: int) -> None:
    """Turn photons into charge and charge into counts, in place."""
    detector, readout = unit.detector, unit.readout
    charge = np.zeros((detector.rows + 2, detector.columns + 2), dtype=np.float32)
    charge[1:-1, 1:-1] = counts
    if readout.charge_cloud_pixels > 0.0:
        share_charge(counts, np.float32(readout.charge_cloud_pixels), np.uint64(hash64(key, CLOUD)), charge)
    full_well = np.float32(detector.saturation_photons)
    # A pixel's charge comes from itself and eight others at most.
    if readout.blooming > 0.0 and 9 * int(counts.max()) > full_well:
        bloom(charge, full_well, np.float32(readout.blooming), detector.good, unit.row_edges)
    height = np.diff(unit.row_edges)
    offset = unit.offset_photons
    if readout.panel_offset_jitter_photons > 0.0:
        offset = offset + readout.panel_offset_jitter_photons * _normal(key, OFFSETS, offset.shape)
    base = np.repeat(offset, height, axis=0) + (1.0 - readout.threshold_photons)
    if readout.common_mode_photons > 0.0:
        base += readout.common_mode_photons * _normal(key, STRIPES, base.shape)
    convert_charge(
        charge,
        unit.row_gain,
        base.astype(np.float32),
        np.float32(detector.read_noise_photons),
        np.uint64(hash64(key, NOISE)),
        unit.column_edges,
        detector.good,
        full_well,
        counts,
    )


def _normal(key: int, part: int, shape: tuple[int, ...]) -> np.ndarray:
    drawn = np.empty(shape, dtype=np.float32)
    fill_normal(np.uint64(hash64(key, part)), drawn.reshape(-1))
    return drawn
