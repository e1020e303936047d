"""A block of patterns as one journal record: compressed frames and their truth.

3 x uint32     shots, particles, bytes of the longest shape name
uint32 each    length of every chunk
rows           one per shot: the fields of the truth that a shot has once
rows           one per particle of the block: the fields that each particle has
chunks         back to back
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from .truth import LABELS, TRUTH_FIELDS, ShotTruth

_COUNTS = struct.Struct("<III")  # shots, particles, longest shape name
_LENGTH = np.dtype("<u4")
_PARTICLE_FIELDS = [f for f in TRUTH_FIELDS if f.per_particle]
_SHOT_FIELDS = [f for f in TRUTH_FIELDS if not f.per_particle]
_PARTICLE = np.dtype([(f.name, f.dtype, f.item) for f in _PARTICLE_FIELDS])


def _shot_dtype(name_length: int) -> np.dtype:
    return np.dtype(
        [(f.name, f"S{name_length}" if f.dtype == "S" else f.dtype, f.item) for f in _SHOT_FIELDS]
    )


@dataclass(frozen=True)
class Block:
    """Consecutive patterns: `chunks` one per shot, `shots` and `particles` structured rows of truth."""

    chunks: list[bytes]
    shots: np.ndarray
    particles: np.ndarray

    @property
    def most_particles(self) -> int:
        """Particles in the fullest shot."""
        return int(self.shots["n_particles"].max(initial=0))

    @property
    def name_length(self) -> int:
        """Bytes of the longest shape name."""
        return self.shots.dtype["shape"].itemsize

    def column(self, name: str, width: int) -> np.ndarray:
        """One field of the truth for every shot, per-particle fields padded with NaN to `width`."""
        if name not in {f.name for f in _PARTICLE_FIELDS}:
            return self.shots[name]
        values = self.particles[name]
        padded = np.full((len(self.shots), width, *values.shape[1:]), np.nan)
        padded[np.arange(width) < self.shots["n_particles"][:, None]] = values
        return padded


def gather(chunks: list[bytes], truth: list[ShotTruth]) -> Block:
    """Put compressed frames and their truth, shot by shot, into one block.

    Parameters
    ----------
    chunks : list of bytes
        Frames, each through `compress_frame`.
    truth : list of ShotTruth
        One for each frame.
    """
    if len(chunks) != len(truth):
        raise ValueError(f"{len(chunks)} frames and {len(truth)} truths")
    names = [shot.shape.encode() for shot in truth]
    shots = np.empty(len(truth), _shot_dtype(max(map(len, names), default=1) or 1))
    for field in _SHOT_FIELDS:
        if field.name not in ("label", "shape"):
            shots[field.name] = [getattr(shot, field.name) for shot in truth]
    shots["label"] = [LABELS.index(shot.label) for shot in truth]
    shots["shape"] = names
    particles = np.empty(int(shots["n_particles"].sum()), _PARTICLE)
    for field in _PARTICLE_FIELDS:
        values = [np.reshape(getattr(shot, field.name), (shot.n_particles, *field.item)) for shot in truth]
        particles[field.name] = np.concatenate(values)
    return Block(chunks, shots, particles)


def pack(block: Block) -> bytes:
    """Turn a block into bytes."""
    lengths = np.array([len(chunk) for chunk in block.chunks], _LENGTH)
    counts = _COUNTS.pack(len(block.shots), len(block.particles), block.name_length)
    return b"".join(
        (counts, lengths.tobytes(), block.shots.tobytes(), block.particles.tobytes(), *block.chunks)
    )


def unpack(payload: bytes) -> Block:
    """Undo `pack`."""
    n_shots, n_particles, name_length = _COUNTS.unpack_from(payload)
    at = _COUNTS.size
    tables = []
    for dtype, rows in ((_LENGTH, n_shots), (_shot_dtype(name_length), n_shots), (_PARTICLE, n_particles)):
        tables.append(np.frombuffer(payload, dtype, rows, at))
        at += dtype.itemsize * rows
    lengths, shots, particles = tables
    stops = at + np.cumsum(lengths)
    chunks = [payload[stop - length : stop] for stop, length in zip(stops, lengths, strict=True)]
    return Block(chunks, shots, particles)
