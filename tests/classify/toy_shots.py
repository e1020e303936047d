"""Frames that tell one class from the other at a glance: a smooth spot, or the same with stripes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from xfelspi.classify import TrainConfig
from xfelspi.patterns import Geometry, PatternWriter, ShotTruth, compress_frame, gather

SIZE = 128
GEOMETRY = Geometry(photon_energy_ev=1600.0, distance_m=0.581, pixel_size_m=3e-4, centre_yx=(63.5, 63.5))


def frames(labels: np.ndarray, seed: int = 0, size: int = SIZE) -> np.ndarray:
    """(n, size, size) uint16 Poisson counts; stripes where the label is 0."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    spot = np.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    phase = rng.uniform(0, 2 * np.pi, len(labels))[:, None, None]
    stripes = 1 + np.cos(2 * np.pi * x / 8 + phase)
    bright = rng.uniform(1, 4, len(labels))[:, None, None]
    expected = bright * spot * np.where(labels[:, None, None] == 1, 1.0, stripes)
    return rng.poisson(expected).astype(np.uint16)


def write_plain(path: Path, labels: np.ndarray, seed: int = 0) -> Path:
    """A file as somebody else would write it: frames and labels, no more."""
    with h5py.File(path, "w") as file:
        file["patterns"] = frames(labels, seed)
        file["labels"] = labels.astype(np.int8)
    return path


def write_simulated(path: Path, n: int, shape: str = "torus", seed: int = 0) -> Path:
    """A file of ours: pairs of a single and a multiple; every third multiple is not a clear one."""
    labels = np.arange(n) % 2
    run = {"recipe": {"name": "toy"}, "seed": seed, "shape": shape, "n": n, "version": "0.1.0"}
    chunks = [compress_frame(frame) for frame in frames(labels, seed)]
    truths = [_truth(int(label), shape, is_clear=index % 3 > 0) for index, label in enumerate(labels)]
    mask = np.zeros((SIZE, SIZE), np.uint32)
    mask[60:68, 60:68] = 0x10
    with PatternWriter(
        path, run=run, geometry=GEOMETRY, shape=(SIZE, SIZE), mask=mask, n=n, block_size=n
    ) as writer:
        writer.append(0, gather(chunks, truths))
        return writer.finish()


def _truth(label: int, shape: str, is_clear: bool) -> ShotTruth:
    k = 1 if label else 2
    return ShotTruth(
        label="single" if label else "multiple",
        shape=shape,
        diameter_nm=np.full(k, 69.0),
        position_nm=np.zeros((k, 3)),
        orientation=np.zeros((k, 4)),
        fluence_per_um2=np.ones(k),
        photons=np.ones(k),
        runner_up_fraction=0.0 if label else 0.4,
        separation_nm=np.nan if label else 200.0 if is_clear else 10.0,
        expected_photons=1e4,
        background_photons=0.0,
        centre_offset_pixels=np.zeros(2),
        pulse_energy_ratio=1.0,
    )


QUICK = TrainConfig(blocks=(1, 1), epochs=3, batch_size=16, seed=3)
"""Settings that train in a second."""
