"""What stands where in a pattern file: CXI 1.6, with the truth and the recipe beside it.

SI units as CXI wants them, said in a `units` attribute; truth fields end in their own unit.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import h5py
import numpy as np

from xfelspi.constants import ELEMENTARY_CHARGE_C

from .block import Block
from .chunk import DEFLATE_LEVEL
from .geometry import Geometry
from .hdf5 import Hdf5File
from .sizes import load, require_stored
from .truth import LABELS, TRUTH_FIELDS, TruthField

CXI_VERSION = 160
LIBVER = ("earliest", "v110")  # 'latest' cannot be read where HDF5 is 1.12
PROGRAM = "xfelspi"

SOURCE = "entry_1/instrument_1/source_1"
DETECTOR = "entry_1/instrument_1/detector_1"
DATA = "entry_1/data_1/data"
TRUTH = "entry_1/truth_1"
PROCESS = "process_1"
IDENTIFIER = "entry_1/experiment_identifier"
SCORE, TAGS = "score", "tags"
"""Beside the frames of a detector: what they were given as numbers, and as yes or no."""

_PIXELS = ("pixel", "pixels", b"pixel", b"pixels")
_TRUTH_ROWS = 1024  # shots in one chunk of a truth field


def lay_out(
    file: h5py.File,
    *,
    run: dict[str, Any],
    geometry: Geometry,
    mask: np.ndarray,
    n: int,
    most_particles: int,
    name_length: int,
) -> dict[str, h5py.Dataset]:
    """Write all that is not per shot, and make room for `n` patterns and their truth.

    The room is returned as open datasets, "data" and the names of the truth: closed in between, HDF5
    would compress a half-filled chunk again for every block.
    """
    names = np.array([f"{run['seed']}:{index}".encode() for index in range(n)])
    write_instrument(file, geometry)
    room = {"data": frames_room(file, mask, names, np.dtype("<u2"))}
    room["data"].attrs["units"] = "photons"
    room |= truth_room(file, n, most_particles, name_length)
    write_process(file, run)
    return room


def frames_room(file: h5py.File, mask: np.ndarray, names: np.ndarray, dtype: np.dtype) -> h5py.Dataset:
    """Make room for frames, one a chunk, and write what goes with them: mask and names of the shots.

    Parameters
    ----------
    mask : (ny, nx) uint32
        CXI bits, 0 = good.
    names : (n,) bytes
        What identifies each shot.
    dtype : dtype
        Of a pixel.
    """
    file["cxi_version"] = CXI_VERSION
    detector = file.require_group(DETECTOR)
    data = detector.create_dataset(
        "data",
        (len(names), *mask.shape),
        dtype,
        chunks=(1, *mask.shape),
        shuffle=True,
        compression="gzip",
        compression_opts=DEFLATE_LEVEL,
    )
    data.attrs["axes"] = "experiment_identifier:y:x"
    detector.create_dataset("mask", data=mask, dtype="<u4", compression="gzip")
    detector["mask"].attrs["description"] = (
        "0 = good; CXI bits: 0x4 hot, 0x8 dead, 0x10 shadowed, 0x200 missing"
    )
    detector["experiment_identifier"] = h5py.SoftLink(f"/{IDENTIFIER}")
    file["entry_1/data_1"] = h5py.SoftLink(f"/{DETECTOR}")
    file.create_dataset(IDENTIFIER, data=names, shuffle=True, compression="gzip")
    return data


def truth_room(file: h5py.File, n: int, most_particles: int, name_length: int) -> dict[str, h5py.Dataset]:
    """Make room for the truth of `n` patterns: open datasets by their names."""
    room = {}
    for field in TRUTH_FIELDS:
        item = (most_particles, *field.item) if field.per_particle else field.item
        dtype = h5py.string_dtype("utf-8", name_length) if field.dtype == "S" else f"<{field.dtype}"
        dataset = file.create_dataset(
            f"{TRUTH}/{field.name}",
            (n, *item),
            dtype,
            chunks=(min(n, _TRUTH_ROWS), *item),
            shuffle=True,
            compression="gzip",
            compression_opts=DEFLATE_LEVEL,
        )
        dataset.attrs["units"] = field.unit
        dataset.attrs["description"] = field.description
        room[field.name] = dataset
    room["label"].attrs["names"] = list(LABELS)
    return room


def write_block(room: dict[str, h5py.Dataset], start: int, block: Block) -> None:
    """Write patterns `start`, `start` + 1, … into the room made by `lay_out`."""
    for index, chunk in enumerate(block.chunks, start):
        room["data"].id.write_direct_chunk((index, 0, 0), chunk)
    for field in TRUTH_FIELDS:
        dataset = room[field.name]
        width = dataset.shape[1] if field.per_particle else 0
        dataset[start : start + len(block.chunks)] = block.column(field.name, width).astype(dataset.dtype)


def has_truth(file: Hdf5File) -> bool:
    """Tell whether every field of the truth is there."""
    return all(file.dataset(f"{TRUTH}/{field.name}") is not None for field in TRUTH_FIELDS)


def read_truth(file: Hdf5File, n: int) -> dict[str, np.ndarray] | None:
    """Every field of the truth of `n` shots, shape names as text; None for a file without.

    Raises
    ------
    ValueError
        If a field is not one row for each shot, or of another type, or a label none of ours.
    """
    if not has_truth(file):
        return None
    truth = {f.name: _column(file, f) for f in TRUTH_FIELDS}
    for field in TRUTH_FIELDS:
        shape = truth[field.name].shape
        is_whole = shape[:1] == (n,) and shape[1 + field.per_particle :] == field.item
        if not is_whole or len(shape) != 1 + field.per_particle + len(field.item):
            raise ValueError(f"{field.name} has shape {shape} for {n} shots")
        if truth[field.name].dtype.kind != np.dtype(field.dtype if field.dtype != "S" else object).kind:
            raise ValueError(f"{field.name} holds {truth[field.name].dtype}")
    if truth["label"].max(initial=0) >= len(LABELS):
        raise ValueError(f"there is no label {truth['label'].max()}")
    return truth


def is_own(file: Hdf5File) -> bool:
    """Tell whether we wrote this."""
    return PROCESS in file and _text(file.dataset(f"{PROCESS}/program")) == PROGRAM


def read_run(file: Hdf5File) -> dict[str, Any] | None:
    """Read what the writer was told about the run; None for a file that is not ours."""
    process = file.get(PROCESS)
    if not isinstance(process, h5py.Group) or "recipe" not in process:
        return None
    items = {name: file.dataset(f"{PROCESS}/{name}") for name in process}
    if _text(items.get("program")) != PROGRAM:
        return None
    return {n: _value(i) for n, i in items.items() if i is not None and n not in ("program", "date")}


def read_geometry(file: Hdf5File, shape: tuple[int, int], detector: str = DETECTOR) -> Geometry | None:
    """Read the geometry of a CXI file; None unless energy, distance and pixel size all stand there.

    Other programs' files often lack `corner_position`; the middle of the frame then stands in.
    """
    energy = read_mean(file, f"{SOURCE}/energy")
    distance_m = read_mean(file, f"{detector}/distance")
    pixel_size_m = read_mean(file, f"{detector}/x_pixel_size")
    if energy is None or distance_m is None or pixel_size_m is None:
        return None
    # CXI wants joules; some programs write electronvolts all the same, and no photon has a joule.
    energy_ev = energy / ELEMENTARY_CHARGE_C if energy < 1 else energy
    centre_yx = read_centre(file, detector) or ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    return Geometry(
        photon_energy_ev=round(energy_ev, 6),
        distance_m=distance_m,
        pixel_size_m=pixel_size_m,
        centre_yx=centre_yx,
    )


def read_centre(file: Hdf5File, detector: str = DETECTOR) -> tuple[float, float] | None:
    """Find y, x in pixels where corner + (y + 1/2) step_y + (x + 1/2) step_x comes to x = y = 0.

    Without `corner_position` NeXus's `beam_center_y` and `beam_center_x` serve, where they are in pixels.
    None where the file has neither, or steps that lead nowhere.
    """
    corner = _numbers(file, f"{detector}/corner_position", (3,))
    pixel_size_m = read_mean(file, f"{detector}/x_pixel_size")
    if corner is None or pixel_size_m is None:
        return _beam_center(file, detector)
    steps = _numbers(file, f"{detector}/basis_vectors", (2, 3))
    across = np.array([[0.0, pixel_size_m], [pixel_size_m, 0.0]]) if steps is None else steps[:, :2]
    if abs(np.linalg.det(across)) < 0.5 * pixel_size_m**2:
        return None
    # Rounded, since metres and joules do not divide back to the last bit.
    y, x = (round(float(edge) - 0.5, 6) for edge in np.linalg.solve(across.T, -corner[:2]))
    return (y, x) if np.isfinite([y, x]).all() else None


def _beam_center(file: Hdf5File, detector: str) -> tuple[float, float] | None:
    """Read NeXus's centre; it counts from the edge of a pixel, ours from the middle."""
    found = []
    for axis in "yx":
        name = f"{detector}/beam_center_{axis}"
        item, one = file.dataset(name), _numbers(file, name, ())
        value = read_mean(file, name) if one is None else float(one)  # beside the frame it is negative
        if item is None or value is None or item.attrs.get("units") not in _PIXELS:
            return None
        found.append(round(value - 0.5, 6))
    return found[0], found[1]


def write_where(file: h5py.File, geometry: Geometry | None, centre_yx: tuple[float, float] | None) -> None:
    """Write all that is known of where the detector stands: the geometry, or at least the centre."""
    if geometry is not None:
        write_instrument(file, geometry, centre_known=centre_yx is not None)
    elif centre_yx is not None:
        for axis, value in zip("yx", centre_yx, strict=True):
            name = f"{DETECTOR}/beam_center_{axis}"
            file[name] = value + 0.5
            file[name].attrs["units"] = "pixel"
            file[name].attrs["description"] = "from the outer corner of pixel [0, 0] to the beam"


def write_instrument(file: h5py.File, geometry: Geometry, *, centre_known: bool = True) -> None:
    """Write where the detector stands, each quantity with its unit and what it means.

    Where nobody knows the centre, the place of the detector across the beam is left out.
    """
    pixel_m = geometry.pixel_size_m
    y, x = geometry.centre_yx
    quantities = {
        f"{SOURCE}/energy": (geometry.photon_energy_ev * ELEMENTARY_CHARGE_C, "J", "photon energy"),
        f"{DETECTOR}/distance": (geometry.distance_m, "m", "sample to detector"),
        f"{DETECTOR}/x_pixel_size": (pixel_m, "m", "pixel edge along a row"),
        f"{DETECTOR}/y_pixel_size": (pixel_m, "m", "pixel edge along a column"),
        f"{DETECTOR}/corner_position": (
            (-(x + 0.5) * pixel_m, -(y + 0.5) * pixel_m, geometry.distance_m),
            "m",
            "x, y, z of the outer corner of pixel [0, 0]; z along the beam, y up, x left looking downstream",
        ),
        f"{DETECTOR}/basis_vectors": (
            ((0.0, pixel_m, 0.0), (pixel_m, 0.0, 0.0)),
            "m",
            "x, y, z of one step along the first index (y), and along the second (x)",
        ),
    }
    for name, (value, unit, description) in quantities.items():
        if not centre_known and name.endswith(("/corner_position", "/basis_vectors")):
            continue
        file[name] = value
        file[name].attrs["units"] = unit
        file[name].attrs["description"] = description


def write_process(file: h5py.File, run: dict[str, Any]) -> None:
    """Text and whole numbers as they are; all else as JSON, marked so."""
    process = file.create_group(PROCESS)
    process["program"] = PROGRAM
    process["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    for name, value in run.items():
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            process[name] = value
        else:
            process[name] = json.dumps(value, sort_keys=True)
            process[name].attrs["encoding"] = "json"


def _column(file: Hdf5File, field: TruthField) -> np.ndarray:
    item = file.dataset(f"{TRUTH}/{field.name}")
    assert item is not None
    if field.dtype != "S":
        return load(item)
    require_stored(item)
    return item.asstr()[:]


def _value(item: h5py.Dataset) -> Any:
    value = load(item)[()]
    if not isinstance(value, bytes):
        return value.item()
    return json.loads(value) if item.attrs.get("encoding") == "json" else value.decode()


def _text(item: h5py.Dataset | None) -> str | None:
    value = None if item is None or item.shape != () else item[()]
    return value.decode(errors="replace") if isinstance(value, bytes) else None


def read_mean(file: Hdf5File, name: str) -> float | None:
    """Read a positive number, or the mean of one per shot where shots say it; None for anything else."""
    item = file.dataset(name)
    if item is None or item.dtype.kind not in "uif" or not item.size:
        return None
    return mean_of_known(load(item))


def mean_of_known(values: np.ndarray) -> float | None:
    """Mean of what is positive and finite: shots that were not measured say 0 or NaN; None without any."""
    known = values[np.isfinite(values) & (values > 0)].astype(float)
    return float(known.mean()) if known.size else None


def _numbers(file: Hdf5File, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Read finite numbers of that shape; None for anything else."""
    item = file.dataset(name)
    if item is None or item.shape != shape or item.dtype.kind not in "uif":
        return None
    values = load(item).astype(float)
    return values if np.isfinite(values).all() else None
