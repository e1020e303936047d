"""What every format gives: a stack of frames, read in blocks, with whatever the file says about them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..adu import AduConversion
from ..crystfel import CrystfelGeometry
from ..geometry import Geometry
from ..hdf5 import Hdf5File


class Stack(Protocol):
    """Frames of one file, folder or run, open for reading.

    Formats subclass it; what they do not know stays None.

    Attributes
    ----------
    n : int
        Number of frames.
    shape : (ny, nx)
        Of one frame.
    room : int or None
        Frames that there is room for, where fewer are written: what goes with them may have as many rows.
    mask : (ny, nx) bool or None
        True = bad.
    bits : (ny, nx) uint32 or None
        The same in the bits of CXI, where the file tells why a pixel is bad.
    has_own_masks : bool
        Each frame has a mask of its own, and what that hides is NaN.
    geometry : Geometry or None
        As far as the file says.
    ids : (n,) str or None
        What names each shot beyond this file: train and pulse, run and event, seed and index.
    labels : (n,) int8 or None
        1 single, 0 not, -1 unknown.
    run : dict or None
        What the writer was told about the run, for our own files.
    hdf5 : Hdf5File or None
        The file whose datasets the user may name for mask and labels.
    centre_yx : (float, float) or None
        Where the beam crosses the frame, where the file says so; a geometry may have the middle instead.
    gaps : (ny, nx) bool or None
        Where there is no pixel, whatever mask the user gives.
    raw_shape : tuple of int or None
        Of a frame whose panels are still to be put together, as (modules, slow, fast); `shape` then has its
        first indices as one.
    layout : CrystfelGeometry or None
        How such panels stand, more or less, where the user does not say it.
    photon_energy_ev : float or None
        Where the file says that much and no more.
    looks : int
        How many frames can be looked at, one here and one there, in a few seconds.
    remarks : tuple of str
        What the user should know about this reading of the file; sentences.
    found : tuple of Path
        Files that were found beside it and read as well.
    """

    n: int
    shape: tuple[int, int]
    room: int | None = None
    mask: np.ndarray | None = None
    bits: np.ndarray | None = None
    has_own_masks: bool = False
    geometry: Geometry | None = None
    ids: np.ndarray | None = None
    labels: np.ndarray | None = None
    run: dict[str, Any] | None = None
    hdf5: Hdf5File | None = None
    centre_yx: tuple[float, float] | None = None
    gaps: np.ndarray | None = None
    raw_shape: tuple[int, ...] | None = None
    layout: CrystfelGeometry | None = None
    photon_energy_ev: float | None = None
    looks: int = 1000
    remarks: tuple[str, ...] = ()
    detector_group: str | None = None
    found: tuple[Path, ...] = ()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to, not including, `stop`, 0 <= start < stop <= n: (k, ny, nx) numbers.

        Called from several threads at once. Never more than these are in memory. Pixels without a value are
        NaN. What fails may raise any of `DAMAGE`: the reader makes a sentence of it.
        """
        ...

    def read_truth(self) -> dict[str, np.ndarray] | None:
        """Read the fields of `TRUTH_FIELDS`, one row per frame; None where nobody knows."""
        return None

    def lay_out(self, array: np.ndarray) -> np.ndarray:
        """Bring an array that belongs to raw frames, such as a mask, to the shape of frames."""
        return array

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user may say about a file beyond its name.

    Attributes
    ----------
    dataset : str or None
        Which of several arrays holds the frames.
    detector : Path or None
        A file with the geometry and mask that the frames' own file lacks; or the name of one of several
        detectors of a run.
    follow_links : bool
        Read other files that an HDF5 file points to.
    geometry : CrystfelGeometry or None
        How the panels of raw frames stand.
    adu : AduConversion or None
        How to make photons of what raw frames hold.
    pedestal : str or Path or None
        What raw pixels hold in the dark: `.npy`, "file.h5:dataset", or a dataset of the frames' file.
    """

    dataset: str | None = None
    detector: Path | None = None
    follow_links: bool = False
    geometry: CrystfelGeometry | None = None
    adu: AduConversion | None = None
    pedestal: str | Path | None = None

    @property
    def most_dims(self) -> int:
        """Of an array of frames: a geometry puts (n, modules, ny, nx) together."""
        return 3 if self.geometry is None else 4


class Format(NamedTuple):
    """A kind of file: what people call it, how it is told from others, how it is opened.

    `recognizes` looks, and raises nothing for files of other kinds; `open` raises `InputError`, or any of
    `DAMAGE`, of which the reader makes a sentence. `takes` names the choices that mean something to it.
    """

    name: str
    recognizes: Callable[[Path], bool]
    open: Callable[[Path, Choices], Stack]
    takes: tuple[str, ...] = ("dataset", "detector", "follow_links")


MOST_PIXELS = 1 << 26
"""Of one frame; no detector in use has half as many, and a frame of them still fits into any memory."""


def require_frame(shape: tuple[int, ...]) -> None:
    """Refuse frames without pixels, and with more than any detector has.

    Raises
    ------
    ValueError
        If there are.
    """
    if not 0 < math.prod(shape) <= MOST_PIXELS:
        raise ValueError(f"frames of {' x '.join(map(str, shape))} pixels")
