"""Small patterns that look like ours: pattern i is a function of i alone, as in a real run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from xfelspi.patterns import Geometry, PatternWriter, ShotTruth, compress_frame, gather

SHAPE = (24, 32)
N = 23
BLOCK_SIZE = 5
GEOMETRY = Geometry(photon_energy_ev=1600.0, distance_m=0.581, pixel_size_m=3e-4, centre_yx=(11.5, 15.25))
MASK = np.zeros(SHAPE, np.uint32)
MASK[10:14, 14:18] = 0x10
RUN = {
    "recipe": {"name": "toy", "beam": {"photon_energy_ev": 1600.0}, "numbers": [0.6, 0.3, 0.1]},
    "seed": 7,
    "shape": "torus",
    "n": N,
    "version": "0.1.0",
    "command": "xfel simulate --shape torus",
}


def frame(index: int) -> np.ndarray:
    rng = np.random.default_rng((1, index))
    counts = rng.poisson(0.3, SHAPE).astype(np.uint16)
    counts[3, 4] = 300 * index  # above 255 needs the high byte
    return counts


def truth(index: int) -> ShotTruth:
    rng = np.random.default_rng((2, index))
    k = (1, 2, 0, 3)[index % 4]
    return ShotTruth(
        label="blank" if k == 0 else "single" if k == 1 else "multiple",
        shape="torus" if index % 2 else "größer",  # a mesh file's stem may be anything
        diameter_nm=rng.normal(69, 3, k),
        position_nm=rng.normal(0, 200, (k, 3)),
        orientation=rng.normal(size=(k, 4)),
        fluence_per_um2=rng.random(k) * 1e10,
        photons=rng.random(k) * 1e4,
        runner_up_fraction=0.3 if k > 1 else 0.0,
        separation_nm=50.0 * index if k > 1 else np.nan,
        expected_photons=1e4 + index,
        background_photons=700.0,
        centre_offset_pixels=rng.normal(0, 1, 2),
        pulse_energy_ratio=1.0 + index / 100,
    )


def writer(path: Path, *, run: dict[str, Any] = RUN, **changes: Any) -> PatternWriter:
    settings: dict[str, Any] = {
        "geometry": GEOMETRY,
        "shape": SHAPE,
        "mask": MASK,
        "n": N,
        "block_size": BLOCK_SIZE,
    }
    return PatternWriter(path, run=run, **(settings | changes))


def append(patterns: PatternWriter, block: int) -> None:
    indices = range(block * BLOCK_SIZE, min(N, (block + 1) * BLOCK_SIZE))
    patterns.append(block, gather([compress_frame(frame(i)) for i in indices], [truth(i) for i in indices]))


def write(path: Path, **changes: Any) -> Path:
    with writer(path, **changes) as patterns:
        for block in list(patterns.missing_blocks):
            append(patterns, block)
        return patterns.finish()


def content(path: Path) -> dict[str, Any]:
    """Everything in the file but the date: values, attributes and links."""
    found: dict[str, Any] = {}
    with h5py.File(path) as file:

        def note(name: str, item: h5py.HLObject) -> None:
            value = item[()] if isinstance(item, h5py.Dataset) else "group"
            attributes = {key: np.asarray(value).tolist() for key, value in item.attrs.items()}
            found[name] = np.asarray(value).tobytes(), np.shape(value), attributes

        file.visititems(note)
    del found["process_1/date"]
    return found
