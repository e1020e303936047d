"""Detector files of Dragonfly: where each pixel of an EMC file lies, and whether it is of use.

HDF5 (qx, qy, qz, corr, mask, detd, ewald_rad) or text: a line of numbers of pixels, detd and ewald_rad (the
oldest have the first alone), then qx qy qz corr mask for each pixel. q is in voxels on the Ewald sphere, detd
and ewald_rad in pixels and voxels; mask 0 is good, 1 left out of orienting, 2 bad.

Ayyer et al. 2016, J. Appl. Cryst. 49, 1320.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import h5py
import numpy as np

from xfelspi.errors import InputError

from ..damage import damage_told
from ..geometry import Geometry
from ..hdf5 import Hdf5File, holds, open_hdf5
from ..sizes import load
from .stack import MOST_PIXELS, require_frame

_FIELDS = ("qx", "qy", "qz", "mask")
_BAD = 2
_COMMON = ("det", "detector", "det_sim", "det_exp")  # names of detectors for all photons of a folder
_MOST_TEXT_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class DragonflyDetector:
    """Places of the pixels of an EMC file.

    Attributes
    ----------
    place : (num_pix,) int
        Index of each pixel in the flat frame.
    shape : (ny, nx)
        Of the frame.
    mask : (ny, nx) bool
        True = bad, or no pixel at all.
    geometry : Geometry or None
        Only where the file also says, as ours do, how long a pixel is and what the photons' energy was.
    centre_yx : (float, float) or None
        Where q is 0, in pixels; None without a detector file.
    path : Path or None
        The detector file.
    """

    place: np.ndarray
    shape: tuple[int, int]
    mask: np.ndarray
    geometry: Geometry | None = None
    centre_yx: tuple[float, float] | None = None
    path: Path | None = None


def is_detector(path: Path) -> bool:
    """Tell a detector file in HDF5 by its columns."""
    return holds(path, lambda file: all(file.dataset(name) is not None for name in _FIELDS))


def square(num_pix: int) -> DragonflyDetector:
    """Take the pixels for a square frame, row by row.

    Raises
    ------
    InputError
        If their number is not a square.
    """
    edge = round(num_pix**0.5)
    if edge * edge != num_pix:
        raise InputError(
            f"The frames have {num_pix} pixels, which make no square; name Dragonfly's detector file with "
            "--detector."
        )
    return DragonflyDetector(np.arange(num_pix), (edge, edge), np.zeros((edge, edge), bool))


def detector_for(photons: Path, given: Path | None, num_pix: int) -> DragonflyDetector:
    """Read the detector file given, else one found beside with as many pixels, else take a square.

    Raises
    ------
    InputError
        If the one given cannot be read or does not fit, one found cannot be read, or none is found and the
        frames are no square.
    """
    if given is not None:
        detector = read_detector(given)
        if len(detector.place) != num_pix:
            raise InputError(
                f"{given} has {len(detector.place)} pixels and the frames of {photons} have {num_pix}; "
                "name the detector they were taken with."
            )
        return detector
    stem = photons.stem
    own = f"{stem}_det", f"{stem}-det", f"det_{stem}"
    for name, suffix in product((*own, *_COMMON), (".h5", ".dat")):
        beside = photons.with_name(name + suffix)
        if not beside.is_file() or (name in _COMMON and not _may_be_one(beside)):
            continue
        detector = read_detector(beside)
        if len(detector.place) == num_pix:
            return detector
    return square(num_pix)


def _may_be_one(path: Path) -> bool:
    """Tell a detector file by how it begins: other programs have files of such names too."""
    if h5py.is_hdf5(path):
        return is_detector(path)
    with path.open(encoding="ascii", errors="replace") as file:
        try:
            return len([float(word) for word in file.readline(200).split()]) in (1, 3)
        except ValueError:
            return False


def read_detector(path: Path) -> DragonflyDetector:
    """Read a detector file.

    Raises
    ------
    InputError
        If it is not one.
    """
    with damage_told(
        f"{path} is no detector file of Dragonfly", "needed are qx, qy, qz, corr, mask, detd and ewald_rad"
    ):
        detector = _of_hdf5(path) if path.is_file() and h5py.is_hdf5(path) else _of_text(path)
    return replace(detector, path=path)


def _of_hdf5(path: Path) -> DragonflyDetector:
    with open_hdf5(path) as file:
        columns = [file.dataset(name) for name in _FIELDS]
        missing = [name for name, item in zip(_FIELDS, columns, strict=True) if item is None]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        qx, qy, qz, mask = (load(item).ravel().astype(float) for item in columns)
        detd, ewald_rad = (_number(file, name) for name in ("detd", "ewald_rad"))
        scale = [_number(file, name) for name in ("photon_energy_ev", "distance_m", "pixel_size_m")]
    return _assemble(np.stack([qx, qy, qz]), mask, detd, ewald_rad, scale)


def _of_text(path: Path) -> DragonflyDetector:
    if not path.is_file():
        raise InputError(f"The detector {path} does not exist; check the name.")
    if path.stat().st_size > _MOST_TEXT_BYTES:
        raise ValueError("it is larger than any detector file")
    with path.open(encoding="ascii") as file:
        header = [float(word) for word in file.readline(200).split()]
        if len(header) not in (1, 3) or not 0 < header[0] <= MOST_PIXELS:
            raise ValueError("its first line is not the number of pixels, detd and ewald_rad")
        table = np.loadtxt(file, ndmin=2, max_rows=int(header[0]) + 1)
    if table.shape != (int(header[0]), 5):
        raise ValueError(f"it announces {header[0]:g} pixels of 5 numbers and has {table.shape}")
    detd, ewald_rad = header[1:] or (None, None)
    return _assemble(table[:, :3].T, table[:, 4], detd, ewald_rad, [])


def _assemble(
    q: np.ndarray, mask: np.ndarray, detd: float | None, ewald_rad: float | None, scale: list[float | None]
) -> DragonflyDetector:
    """Put pixels of momentum transfer `q`, (3, num_pix) voxels, back on their flat detector."""
    if q.shape[1] == 0 or mask.shape != q.shape[1:] or not np.isfinite(q).all():
        raise ValueError("its columns are empty, not finite or not of one length")
    along_beam = np.abs(q[2])  # some point z up, some down the beam
    if ewald_rad is None:  # on the sphere |q|^2 = 2 R |q_z|
        farthest = np.argmax(along_beam)
        ewald_rad = float((q[:, farthest] ** 2).sum() / (2 * along_beam[farthest]))
    with np.errstate(all="ignore"):  # what is not finite is refused
        slope = q[:2] / (ewald_rad - along_beam)
        if detd is None:  # neighbours in the list are mostly neighbours on the detector, a pixel apart
            detd = 1 / float(np.median(np.hypot(*np.diff(slope))))
        x, y = slope * detd
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("its pixels are not on a sphere")
    # Row by row: what changes from pixel to pixel runs along a row, as frames without a detector are taken.
    x_is_fast = np.abs(np.diff(x)).sum() > np.abs(np.diff(y)).sum()
    rows, columns = (y, x) if x_is_fast else (x, y)
    first = rows.min(), columns.min()
    extent = rows.max() - first[0], columns.max() - first[1]
    if max(extent) > MOST_PIXELS:
        raise ValueError("its pixels are too far apart")
    shape = round(extent[0]) + 1, round(extent[1]) + 1
    require_frame(shape)
    place = np.rint(rows - first[0]).astype(int) * shape[1] + np.rint(columns - first[1]).astype(int)
    good = np.zeros(shape, bool)
    good.ravel()[place[mask != _BAD]] = True
    if not good.any():
        raise ValueError("it leaves no good pixel")
    geometry = None
    centre_yx = round(-float(first[0]), 6), round(-float(first[1]), 6)
    if len(scale) == 3 and all(scale):
        energy_ev, distance_m, pixel_size_m = (float(value or 0) for value in scale)
        geometry = Geometry(
            photon_energy_ev=energy_ev, distance_m=distance_m, pixel_size_m=pixel_size_m, centre_yx=centre_yx
        )
    return DragonflyDetector(place, shape, ~good, geometry, centre_yx)


def _number(file: Hdf5File, name: str) -> float | None:
    """Read one positive number; None for anything else."""
    item = file.dataset(name)
    if item is None or item.size != 1 or item.dtype.kind not in "uif":
        return None
    value = float(np.ravel(item[()])[0])
    return value if 0 < value < np.inf else None
