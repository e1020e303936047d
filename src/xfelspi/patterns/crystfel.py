"""CrystFEL's `.geom` files: where each panel of a detector stands, and which of its pixels are bad.

White et al. 2012, J. Appl. Cryst. 45, 335; the words are those of the manual page crystfel_geometry(5). What
concerns crystals alone is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xfelspi.errors import InputError

from .crystfel_words import (
    ENERGIES,
    LENGTHS,
    WAVELENGTHS,
    Quantity,
    Statements,
    number_of,
    quantity,
    read_statements,
    step,
    whole,
)
from .panels import Panel, Place

_MOST_BYTES = 1 << 26
_FARTHEST_PIXELS = 1e6  # from the beam


class BitMask(NamedTuple):
    """A mask in the data file, bad where a bad bit is set or a good one is not.

    A file that names no bits means them all to be bad.
    """

    location: str
    good_bits: int
    bad_bits: int

    def bad(self, mask: np.ndarray) -> np.ndarray:
        """Tell bad pixels: bool.

        Examples
        --------
        >>> BitMask("/mask", good_bits=0, bad_bits=0xFFFF).bad(np.array([0, 1, 0x10000])).tolist()
        [False, True, False]
        """
        bits = mask.astype(np.int64)
        return ((bits & self.bad_bits) != 0) | ((bits & self.good_bits) != self.good_bits)


@dataclass(frozen=True, kw_only=True, eq=False)
class CrystfelGeometry:
    """What a `.geom` file says.

    Attributes
    ----------
    path : Path
        The file.
    panels : tuple of Panel
        Those that are of use.
    pixel_size_m : float
        Edge of their pixels.
    distance_m, photon_energy_ev : Quantity or None
        Of the panels as a whole.
    data : str or None
        Where in the data file raw frames are.
    masks : tuple of BitMask
        Where in the data file masks are.
    bad_places : tuple of Place
        Bad pixels in raw frames.
    bad_xy : tuple of ((low x, high x), (low y, high y))
        Bad parts of the assembled frame, in pixels from the beam.
    """

    path: Path
    panels: tuple[Panel, ...]
    pixel_size_m: float
    distance_m: Quantity | None = None
    photon_energy_ev: Quantity | None = None
    data: str | None = None
    masks: tuple[BitMask, ...] = ()
    bad_places: tuple[Place, ...] = ()
    bad_xy: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()

    def bad_in_raw(self, raw_shape: tuple[int, ...]) -> np.ndarray:
        """Mark the bad pixels of raw frames: bool of that shape."""
        bad = np.zeros(raw_shape, bool)
        for place in self.bad_places:
            bad[place] = True
        return bad

    def bad_in_flat(self, shape: tuple[int, int], centre_yx: tuple[float, float]) -> np.ndarray:
        """Mark the bad regions of the assembled frame: (ny, nx) bool."""
        y, x = (np.arange(n) - centre for n, centre in zip(shape, centre_yx, strict=True))
        bad = np.zeros(shape, bool)
        for (x_low, x_high), (y_low, y_high) in self.bad_xy:
            bad |= np.outer((y_low <= y) & (y <= y_high), (x_low <= x) & (x <= x_high))
        return bad


def read_crystfel(path: Path) -> CrystfelGeometry:
    """Read a `.geom` file.

    Raises
    ------
    InputError
        If it is not one, or lacks what is needed to place its panels.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is larger than any geometry; name a .geom file.")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"The geometry {path} is not a readable text file; check the name.") from None
    return parse_crystfel(text, path)


def parse_crystfel(text: str, path: Path) -> CrystfelGeometry:
    """Make sense of the text of a `.geom` file; `path` is for errors.

    Raises
    ------
    InputError
        If a line cannot be understood, or something that is needed is missing.
    """
    said = read_statements(text, path)
    panels, bad_places = [], []
    for name, keys in said.panels.items():
        panel = _panel(name, keys, said, f"{path}, panel {name}")
        if keys.get("no_index", "0") in ("0", "false"):
            panels.append(panel)
            bad_places += _edges(panel, whole(keys.get("mask_edge_pixels", "0"), f"{path}, mask_edge_pixels"))
    if not panels:
        raise InputError(f"{path} has no panels (name/min_fs = ...); name a CrystFEL geometry.")
    named = {panel.name: panel for panel in panels}
    bad_xy = []
    for name, keys in said.bad.items():
        if "min_fs" in keys or "min_ss" in keys:
            bad_places += _bad_place(name, keys, named, path)
        else:
            limits = [
                number_of(keys.get(f"{end}_{axis}"), f"{path}, {name}/{end}_{axis}")
                for axis in "xy"
                for end in ("min", "max")
            ]
            bad_xy.append(((limits[0], limits[1]), (limits[2], limits[3])))
    sizes = [_pixel_size_m(keys, f"{path}, panel {name}") for name, keys in said.panels.items()]
    if max(sizes) > 1.001 * min(sizes):
        raise InputError(f"{path} has pixels of {min(sizes):g} and of {max(sizes):g} m; needed is one size.")
    first = next(iter(said.panels.values()))
    return CrystfelGeometry(
        path=path,
        panels=tuple(panels),
        pixel_size_m=max(sizes),
        distance_m=_distance(said, path),
        photon_energy_ev=_energy(said, path),
        data=first.get("data"),
        masks=_masks(first, path),
        bad_places=tuple(bad_places),
        bad_xy=tuple(bad_xy),
    )


def _panel(name: str, keys: dict[str, str], said: Statements, where: str) -> Panel:
    low_ss, high_ss, low_fs, high_fs = (
        whole(keys.get(key), f"{where}: {key}") for key in ("min_ss", "max_ss", "min_fs", "max_fs")
    )
    if low_ss > high_ss or low_fs > high_fs:
        raise InputError(f"{where} ends before it begins; mend min_ss to max_fs.")
    corner = [number_of(keys.get(key), f"{where}: {key}") for key in ("corner_x", "corner_y")]
    if max(map(abs, corner)) > _FARTHEST_PIXELS:
        raise InputError(
            f"{where} is {max(map(abs, corner)):g} pixels from the beam; mend corner_x and corner_y."
        )
    for axis, key in enumerate(("detector_shift_x", "detector_shift_y")):
        shift = quantity(said.everywhere.get(key), LENGTHS, "m", f"{where}: {key}")
        if shift is not None and shift.number is not None:
            corner[axis] += shift.number * shift.scale / _pixel_size_m(keys, where)
    slow, fast = (step(keys.get(key), f"{where}: {key}") for key in ("ss", "fs"))
    index = {"ss": slice(low_ss, high_ss + 1), "fs": slice(low_fs, high_fs + 1)}
    dims = _dims(keys, where)
    place = tuple(index[part] if isinstance(part, str) else part for part in dims)
    return Panel(name=name, place=place, corner_xy=np.array(corner), slow_xy=slow, fast_xy=fast)


def _pixel_size_m(keys: dict[str, str], where: str) -> float:
    """Turn pixels in a metre into the edge of one."""
    per_metre = number_of(keys.get("res"), f"{where}: res")
    if not 1.0 <= per_metre <= 1e9:
        raise InputError(f"{where}: res is {per_metre:g}; needed are the pixels in a metre.")
    return 1 / per_metre


def _dims(keys: dict[str, str], where: str) -> list[int | str]:
    """Find the indices of a raw frame: whole numbers, then "ss" and "fs"; that of frames is left out."""
    said = {key: value for key, value in keys.items() if re.fullmatch(r"dim\d", key)}
    dims: list[int | str] = []
    for place, key in enumerate(sorted(said)):
        value = said[key]
        if value == "%":
            if place:
                raise InputError(f"{where} has frames along {key}; needed are files with frames along dim0.")
        else:
            dims.append(value if value in ("ss", "fs") else whole(value, f"{where}: {key}"))
    dims = dims or ["ss", "fs"]
    if [part for part in dims if isinstance(part, str)] != ["ss", "fs"]:
        raise InputError(f"{where} has the indices {dims}; needed are ss and fs, in this order.")
    return dims


def _edges(panel: Panel, width: int) -> list[Place]:
    """Pixels at the rim of a panel."""
    if width <= 0:
        return []
    places: list[Place] = []
    for axis, part in enumerate(panel.place):
        if isinstance(part, slice):
            ends = slice(part.start, part.start + width), slice(max(part.start, part.stop - width), part.stop)
            places += [(*panel.place[:axis], end, *panel.place[axis + 1 :]) for end in ends]
    return places


def _bad_place(name: str, keys: dict[str, str], panels: dict[str, Panel], path: Path) -> list[Place]:
    """Where a bad region in data coordinates lies; nowhere if its panel is of no use anyway."""
    ranges = []
    for axis in ("ss", "fs"):
        low, high = (
            whole(keys.get(f"{end}_{axis}"), f"{path}, {name}/{end}_{axis}") for end in ("min", "max")
        )
        ranges.append(slice(low, high + 1))
    if "panel" not in keys:
        raise InputError(f"{path}, {name} has fs and ss without a panel; add {name}/panel = ...")
    panel = panels.get(keys["panel"])
    return [] if panel is None else [(*panel.place[:-2], *ranges)]


def _masks(keys: dict[str, str], path: Path) -> tuple[BitMask, ...]:
    masks = []
    for number in range(8):
        names = [f"mask{number}_{part}" for part in ("data", "goodbits", "badbits")]
        older = ["mask", "mask_good", "mask_bad"] if number == 0 else [""] * 3
        location, good, bad = (keys.get(name, keys.get(old)) for name, old in zip(names, older, strict=True))
        if location is not None:
            if f"mask{number}_file" in keys or (number == 0 and "mask_file" in keys):
                raise InputError(
                    f"{path} has its mask in another file; leave it out there and give it with --mask."
                )
            bad = "-1" if good is None and bad is None else bad
            masks.append(BitMask(location, _bits(good, path), _bits(bad, path)))
    return tuple(masks)


def _bits(text: str | None, path: Path) -> int:
    try:
        return int(text or "0", 0)
    except ValueError:
        raise InputError(f"{path} has mask bits {text!r}; needed is a whole number such as 0xffff.") from None


def _distance(said: Statements, path: Path) -> Quantity | None:
    """Of the beam's way to the panels as a whole: clen, and the middle of their coffset."""
    first = next(iter(said.panels.values()))
    text = said.everywhere.get("clen", first.get("clen"))
    located = text is not None and text.startswith("/")
    distance = quantity(text, LENGTHS, "mm" if located else "m", f"{path}, clen")
    if distance is None:
        return None
    offsets = [
        quantity(keys.get("coffset"), LENGTHS, "m", f"{path}, coffset") for keys in said.panels.values()
    ]
    metres = [0.0 if q is None or q.number is None else q.number * q.scale for q in offsets]
    return distance._replace(offset=float(np.median(metres)))


def _energy(said: Statements, path: Path) -> Quantity | None:
    energy = quantity(said.everywhere.get("photon_energy"), ENERGIES, "ev", f"{path}, photon_energy")
    if energy is not None:
        return energy
    wavelength = quantity(said.everywhere.get("wavelength"), WAVELENGTHS, "m", f"{path}, wavelength")
    return None if wavelength is None else wavelength._replace(is_wavelength=True)
