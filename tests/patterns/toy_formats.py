"""The same few frames in every format that is read, each written without the package."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from PIL import Image

N, SHAPE = 6, (10, 10)
FRAMES = np.random.default_rng(5).poisson(0.4, (N, *SHAPE)).astype(np.uint16)
FRAMES[:, 2, 3] = np.arange(N) * 300  # above a byte
FRAMES[3] = 0
MASK = np.zeros(SHAPE, bool)
MASK[4:6, 5] = True


def hdf5(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("run/frames", data=FRAMES, chunks=(2, *SHAPE), compression="gzip")
        file["run/mask"] = MASK
    return path


def cxi(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["cxi_version"] = 150
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector.create_dataset("data", data=FRAMES, chunks=(1, *SHAPE), compression="gzip")
        detector["mask"] = np.where(MASK, 0x4, 0x20).astype(
            "<u4"
        )  # hot; in a peak, which does not hide a pixel
        detector["distance"] = 0.5
        detector["x_pixel_size"] = detector["y_pixel_size"] = 1e-4
        detector["corner_position"] = (-5e-4, -4e-4, 0.5)
        file["entry_1/instrument_1/source_1/energy"] = np.full(N, 1.602176634e-16)
        file["entry_1/experiment_identifier"] = [f"run7:{index}" for index in range(N)]
        file["entry_1/data_1"] = h5py.SoftLink("/entry_1/instrument_1/detector_1")
    return path


def photons(frames: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Places of ones, places of more, and how many, of each frame."""
    flat = frames.reshape(len(frames), -1)
    multi = [np.flatnonzero(frame > 1) for frame in flat]
    return [np.flatnonzero(f == 1) for f in flat], multi, [f[m] for f, m in zip(flat, multi, strict=True)]


def emc(path: Path, frames: np.ndarray = FRAMES, kind: int = 0) -> Path:
    header = np.zeros(256, "<i4")
    header[:3] = len(frames), frames[0].size, kind
    if kind:
        body = [frames.astype({1: "<i4", 2: "<f8"}[kind])]
    else:
        columns = photons(frames)
        lengths = [[len(row) for row in column] for column in columns[:2]]
        body = [np.asarray(part, "<i4") for part in (*lengths, *map(np.concatenate, columns))]
    path.write_bytes(b"".join(part.tobytes() for part in (header, *body)))
    return path


def emc_hdf5(path: Path, frames: np.ndarray = FRAMES) -> Path:
    with h5py.File(path, "w") as file:
        file["num_pix"] = [frames[0].size]
        for name, rows in zip(("place_ones", "place_multi", "count_multi"), photons(frames), strict=True):
            column = file.create_dataset(name, (len(frames),), h5py.vlen_dtype(np.int32))
            for index, row in enumerate(rows):
                column[index] = row.astype(np.int32)
    return path


def on_sphere(y: np.ndarray, x: np.ndarray, detd: float, ewald_rad: float) -> np.ndarray:
    """Momentum transfer of pixels, (3, n): the formula of Dragonfly's wiki."""
    length = np.sqrt(x**2 + y**2 + detd**2)
    return ewald_rad * np.stack([x / length, y / length, detd / length - 1])


def detector(path: Path, y: np.ndarray, x: np.ndarray, mask: np.ndarray, old: bool = False) -> Path:
    """Dragonfly's detector file: HDF5, or text by its suffix, with one number in the first line if old."""
    detd, ewald_rad = 1200.0, 300.0
    qx, qy, qz = on_sphere(y, x, detd, ewald_rad)
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            columns = {"qx": qx, "qy": qy, "qz": qz, "corr": np.ones(len(qx)), "mask": mask.astype("u1")}
            for name, value in (columns | {"detd": detd, "ewald_rad": ewald_rad}).items():
                file[name] = value
        return path
    rows = [f"{a:.15e} {b:.15e} {c:.15e} 1.0 {m:d}" for a, b, c, m in zip(qx, qy, qz, mask, strict=True)]
    first = str(len(qx)) if old else f"{len(qx)} {detd:.6f} {ewald_rad:.6f}"
    path.write_text("\n".join([first, *rows]) + "\n")
    return path


def square_detector(path: Path, old: bool = False) -> Path:
    """The detector of `FRAMES`: rows along y, beam between the pixels."""
    y, x = np.indices(SHAPE).reshape(2, -1) - 4.5
    return detector(path, y, x, np.where(MASK.ravel(), 2, 0), old)


def npy(path: Path) -> Path:
    np.save(path, FRAMES)
    return path


def npz(path: Path) -> Path:
    np.savez_compressed(path, shots=FRAMES, mask=MASK, labels=np.array([1, 0, -1, 0, 1, 1]))
    return path


def tiff(path: Path) -> Path:
    first, *others = (Image.fromarray(frame) for frame in FRAMES)
    first.save(path, save_all=True, append_images=others)
    return path


def png(path: Path) -> Path:
    Image.fromarray(FRAMES[0]).save(path)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    for index, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(path / f"shot{2 * index + 1}.{'png' if index % 2 else 'tif'}")
    (path / "notes.txt").write_text("not a frame")
    return path


WRITERS = {
    "HDF5": (hdf5, "a.h5"),
    "CXI": (cxi, "a.cxi"),
    "EMC": (emc, "a.emc"),
    "EMC in HDF5": (emc_hdf5, "photons.h5"),
    "npy": (npy, "a.npy"),
    "npz": (npz, "a.npz"),
    "TIFF or PNG": (tiff, "a.tif"),
    "TIFF or PNG files": (folder, "frames"),
}
"""By the name that the format goes by: who writes it, and where."""
