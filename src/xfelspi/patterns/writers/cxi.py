"""Shots to CXI 1.6: scores and tags where the standard puts them, truth and recipe if there are any.

Scores are `detector_1/score`, (scores, shots) float64, tags `detector_1/tags`, (tags, shots) int8 with 1 for
a shot that has it; the attribute `headings` names the rows (CXI file format, version 1.6, class Detector).
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from xfelspi import __version__

from ..chunk import compress_frame
from ..layout import (
    DETECTOR,
    LIBVER,
    PROCESS,
    SCORE,
    TAGS,
    frames_room,
    truth_room,
    write_process,
    write_where,
)
from ..truth import TRUTH_FIELDS
from .output import Output, text_in
from .shots import Shots

_LABELS = f"{DETECTOR}/labels"
_CONVERSION = "conversion"


def write_cxi(shots: Shots, out: Output) -> list[str]:
    """Write everything that is known about the shots; one block of frames is in memory at a time."""
    patterns = shots.patterns
    with h5py.File(out.file, "w", libver=LIBVER) as file:
        write_where(file, patterns.geometry, patterns.centre_yx)
        names = np.array([name.encode() for name in shots.names])
        data = frames_room(file, patterns.bits, names, shots.dtype)
        if patterns.run is not None:
            data.attrs["units"] = "photons"
        _write_truth(file, shots)
        write_rows(file, f"{DETECTOR}/{SCORE}", shots.scores, "<f8")
        write_rows(file, f"{DETECTOR}/{TAGS}", shots.tags, "i1")
        run = {"version": __version__} | (patterns.run or {})
        write_process(file, run | {_CONVERSION: out.identity})
        for start, frames in shots.blocks():
            _write_frames(data, start, frames)
            out.file.require_written()
    return []


def cxi_identity(path: Path) -> str | None:
    """Tell which conversion wrote this; None if none did."""
    return text_in(path, f"{PROCESS}/{_CONVERSION}")


def write_rows(file: h5py.File, name: str, rows: dict[str, np.ndarray], dtype: str) -> None:
    """Write a row for each name; nothing without any."""
    if rows:
        values = np.array(list(rows.values()), dtype)
        file.create_dataset(name, data=values, shuffle=True, compression="gzip")
        file[name].attrs["headings"] = list(rows)


def _write_truth(file: h5py.File, shots: Shots) -> None:
    truth = shots.truth
    if truth is None:
        if shots.labels is not None:
            file.create_dataset(_LABELS, data=shots.labels, shuffle=True, compression="gzip")
            file[_LABELS].attrs["description"] = "1 single, 0 not, -1 unknown"
        return
    most_particles = truth["diameter_nm"].shape[1]
    shapes = [name.encode() for name in truth["shape"]]
    room = truth_room(file, len(shots), most_particles, max(map(len, shapes), default=1) or 1)
    for field in TRUTH_FIELDS:
        values = np.array(shapes) if field.dtype == "S" else truth[field.name]
        room[field.name][:] = values.astype(room[field.name].dtype)


def _write_frames(data: h5py.Dataset, start: int, frames: np.ndarray) -> None:
    """Compress uint16 here, which is several times faster than HDF5's own filters; they read it back."""
    if data.dtype != np.uint16:
        data[start : start + len(frames)] = frames
        return
    for index, frame in enumerate(frames, start):
        data.id.write_direct_chunk((index, 0, 0), compress_frame(frame))
