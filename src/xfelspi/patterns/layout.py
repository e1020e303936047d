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
from .truth import LABELS, TRUTH_FIELDS

CXI_VERSION = 160
LIBVER = ("earliest", "v110")  # 'latest' cannot be read where HDF5 is 1.12
PROGRAM = "xfelspi"

SOURCE = "entry_1/instrument_1/source_1"
DETECTOR = "entry_1/instrument_1/detector_1"
DATA = "entry_1/data_1/data"
TRUTH = "entry_1/truth_1"
PROCESS = "process_1"
IDENTIFIER = "entry_1/experiment_identifier"

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
    file["cxi_version"] = CXI_VERSION
    write_instrument(file, geometry)
    detector = file[DETECTOR]
    data = detector.create_dataset(
        "data",
        (n, *mask.shape),
        "<u2",
        chunks=(1, *mask.shape),
        shuffle=True,
        compression="gzip",
        compression_opts=DEFLATE_LEVEL,
    )
    data.attrs["axes"] = "experiment_identifier:y:x"
    data.attrs["units"] = "photons"
    detector.create_dataset("mask", data=mask, dtype="<u4", compression="gzip")
    detector["mask"].attrs["description"] = (
        "0 = good; CXI bits: 0x4 hot, 0x8 dead, 0x10 shadowed, 0x200 missing"
    )
    detector["experiment_identifier"] = h5py.SoftLink(f"/{IDENTIFIER}")
    file["entry_1/data_1"] = h5py.SoftLink(f"/{DETECTOR}")
    names = np.array([f"{run['seed']}:{index}".encode() for index in range(n)])
    file.create_dataset(IDENTIFIER, data=names, shuffle=True, compression="gzip")
    room = {"data": data}
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
    _write_process(file, run)
    return room


def write_block(room: dict[str, h5py.Dataset], start: int, block: Block) -> None:
    """Write patterns `start`, `start` + 1, … into the room made by `lay_out`."""
    for index, chunk in enumerate(block.chunks, start):
        room["data"].id.write_direct_chunk((index, 0, 0), chunk)
    for field in TRUTH_FIELDS:
        dataset = room[field.name]
        width = dataset.shape[1] if field.per_particle else 0
        dataset[start : start + len(block.chunks)] = block.column(field.name, width).astype(dataset.dtype)


def has_truth(file: h5py.File) -> bool:
    """Tell whether every field of the truth is there."""
    return all(f"{TRUTH}/{field.name}" in file for field in TRUTH_FIELDS)


def read_truth(file: h5py.File) -> dict[str, np.ndarray] | None:
    """Every field of the truth, shape names as text; None for a file without."""
    if not has_truth(file):
        return None
    group = file[TRUTH]
    return {f.name: group[f.name].asstr()[:] if f.dtype == "S" else group[f.name][:] for f in TRUTH_FIELDS}


def read_run(file: h5py.File) -> dict[str, Any] | None:
    """Read what the writer was told about the run; None for a file that is not ours."""
    process = file.get(PROCESS)
    if process is None or "recipe" not in process or _text(process, "program") != PROGRAM:
        return None
    return {name: _value(item) for name, item in process.items() if name not in ("program", "date")}


def read_geometry(file: h5py.File, shape: tuple[int, int]) -> Geometry | None:
    """Read the geometry of a CXI file; None unless energy, distance and pixel size all stand there.

    Other programs' files often lack `corner_position`; the middle of the frame then stands in.
    """
    energy_j = _mean(file, f"{SOURCE}/energy")
    distance_m = _mean(file, f"{DETECTOR}/distance")
    pixel_size_m = _mean(file, f"{DETECTOR}/x_pixel_size")
    if energy_j is None or distance_m is None or pixel_size_m is None:
        return None
    corner = file.get(f"{DETECTOR}/corner_position")
    centre_yx = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    if corner is not None and corner.shape == (3,):
        # Rounded, since metres and joules do not divide back to the last bit.
        x, y = (round(-float(edge) / pixel_size_m - 0.5, 6) for edge in corner[:2])
        centre_yx = (y, x)
    return Geometry(
        photon_energy_ev=round(energy_j / ELEMENTARY_CHARGE_C, 6),
        distance_m=distance_m,
        pixel_size_m=pixel_size_m,
        centre_yx=centre_yx,
    )


def write_instrument(file: h5py.File, geometry: Geometry) -> None:
    """Write where the detector stands, each quantity with its unit and what it means."""
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
        file[name] = value
        file[name].attrs["units"] = unit
        file[name].attrs["description"] = description


def _write_process(file: h5py.File, run: dict[str, Any]) -> None:
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


def _value(item: h5py.Dataset) -> Any:
    value = item[()]
    if not isinstance(value, bytes):
        return value.item()
    return json.loads(value) if item.attrs.get("encoding") == "json" else value.decode()


def _text(group: h5py.Group, name: str) -> str | None:
    item = group.get(name)
    value = item[()] if isinstance(item, h5py.Dataset) else None
    return value.decode(errors="replace") if isinstance(value, bytes) else None


def _mean(file: h5py.File, name: str) -> float | None:
    """Read a positive number, or the mean of one per shot; None for anything else."""
    item = file.get(name)
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "uif" or item.size == 0:
        return None
    value = float(np.mean(item[()]))
    return value if 0 < value < np.inf else None
