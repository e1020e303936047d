"""Reading patterns, whatever format they are in."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from xfelspi.errors import InputError

from .adu import AduConversion
from .beside import as_labels, as_mask, read_array, read_label_table
from .crystfel import read_crystfel
from .damage import damage_told
from .formats import Choices, Stack, open_stack
from .geometry import Geometry
from .layout import SCORE, TAGS
from .truth import LABELS, clear_multiples

_BAD = np.uint32(0x80)  # CXI's "not to be trusted, for undefined reasons"
_NO_COUNT = np.float32(1e15)
"""What no detector counts, and programs fill gaps with; squares of what is less do not overflow."""


class Frames(NamedTuple):
    """Some frames, and what had to be set to 0 in them."""

    counts: np.ndarray
    """(k, ny, nx); uint16 where the file has uint16, as ours do, else float32."""
    n_nan: int
    """Pixels that were NaN or infinite."""
    n_negative: int
    """Pixels that were negative."""


class PatternSet:
    """Patterns on disk, with whatever is known about them. Make one with `PatternSet.open`.

    Attributes
    ----------
    path : Path
        The file.
    format : str
        Name of its format, one of `FORMATS`.
    n : int
        Number of patterns.
    shape : (ny, nx)
        Of one frame.
    mask : (ny, nx) bool
        True = bad.
    has_own_masks : bool
        Each frame has a mask of its own beside, and what that hides is NaN.
    geometry : Geometry or None
        As far as the file says.
    centre_yx : (float, float) or None
        Where the beam crosses the frame, where somebody said so.
    looks : int
        How many frames can be looked at, one here and one there, in a few seconds.
    remarks : tuple of str
        What the user should know about the reading of the file.
    detector_group : str or None
        Group of a CXI file that speaks of these frames' detector.
    run : dict or None
        Recipe, seed, shape, version, command: for our own files.
    sources : tuple of Path
        Files that it is read from: `path`, and what was given or found beside.
    """

    def __init__(
        self,
        path: Path,
        format: str,
        stack: Stack,
        mask: np.ndarray | None = None,
        labels: np.ndarray | None = None,
    ) -> None:
        self.path = path
        self.format = format
        self._stack = stack
        self.shape: tuple[int, int] = stack.shape
        self.n: int = stack.n
        self.has_own_masks: bool = stack.has_own_masks
        self.geometry: Geometry | None = stack.geometry
        self.centre_yx: tuple[float, float] | None = stack.centre_yx
        self.looks: int = stack.looks
        self.remarks: tuple[str, ...] = stack.remarks
        self.run: dict[str, Any] | None = stack.run
        self.detector_group: str | None = stack.detector_group
        mask = stack.mask if mask is None else mask
        self.mask: np.ndarray = np.zeros(self.shape, bool) if mask is None else mask
        self._has_own_mask = mask is stack.mask
        if stack.gaps is not None:
            self.mask = self.mask | stack.gaps
        self._given_labels: np.ndarray | None = labels
        self.sources: tuple[Path, ...] = (path, *stack.found)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        dataset: str | None = None,
        mask: str | Path | None = None,
        labels: str | Path | None = None,
        detector: str | Path | None = None,
        follow_links: bool = False,
        geometry: str | Path | None = None,
        adu: AduConversion | None = None,
        pedestal: str | Path | None = None,
        centre_yx: tuple[float, float] | None = None,
    ) -> Self:
        """Open a file of any format of `FORMATS` and find patterns, mask and labels in it.

        Parameters
        ----------
        path : path
            A file, a folder of frames or of a run, a pattern such as "frames/*.tif", or the name of a run at
            LCLS such as "exp=amo86615:run=191".
        dataset : str, optional
            Path of a (n, ny, nx) or (ny, nx) array in an HDF5 file, or its name in npz. Without it the place
            CXI gives it, else the only stack of numbers in the file, else the only one with a usual name.
        mask : str or Path, optional
            `.npy` file, "file.h5:dataset", or dataset of this file; 0 = good. Without it a dataset
            called mask, of the shape of a frame, if there is one.
        labels : str or Path, optional
            Likewise, or a `.csv` with index,label; 1 single, 0 not, -1 unknown. Without it the truth,
            else a dataset called labels with one for each pattern, if there is one.
        detector : path, optional
            A file with geometry and mask, for formats that keep these apart, such as EMC's; or the name of
            one of several detectors of a run.
        follow_links : bool
            Read other files that an HDF5 file points to.
        geometry : path, optional
            CrystFEL's `.geom` file of the detector, for frames whose panels are still to be put together.
        adu : AduConversion, optional
            How to make photons of frames in a detector's units.
        pedestal : str or Path, optional
            What their pixels hold in the dark; given like a mask.
        centre_yx : (float, float), optional
            Where the beam crosses the frames, in pixels.

        Raises
        ------
        InputError
            If any of these cannot be read or does not fit; the sentence says what is there.
        """
        path = Path(path)
        choices = Choices(
            dataset=dataset,
            detector=None if detector is None else Path(detector),
            follow_links=follow_links,
            geometry=None if geometry is None else read_crystfel(Path(geometry)),
            adu=adu,
            pedestal=pedestal,
        )
        with damage_told(f"{path} is damaged"):
            name, stack = open_stack(path, choices)
        try:
            bad = None
            if mask is not None:
                array = stack.lay_out(read_array(mask, stack.hdf5, "mask"))
                bad = as_mask(array, stack.shape, str(mask))
            patterns = cls(path, name, stack, bad, None if labels is None else _labels(labels, stack))
            given = (mask, labels, detector, geometry, pedestal)
            patterns.sources += tuple(_file_of(each) for each in given if each is not None)
            if centre_yx is not None:
                patterns.take_centre(centre_yx)
            return patterns
        except BaseException:
            stack.close()
            raise

    def is_read_from(self, path: Path) -> bool:
        """Tell whether a file is one of those that this is read from, so that it must not be replaced."""
        return path.exists() and any(other.exists() and path.samefile(other) for other in self.sources)

    @property
    def has_scores(self) -> bool:
        """Whether scores or tags of the frames stand beside them, the way of CXI."""
        file, group = self._stack.hdf5, self.detector_group
        if file is None or group is None:
            return False
        return any(file.dataset(f"{group}/{name}") is not None for name in (SCORE, TAGS))

    def take_centre(self, centre_yx: tuple[float, float]) -> None:
        """Let the beam cross the frames there, whatever the file says.

        Raises
        ------
        InputError
            If that is farther from the frame than the frame is large.
        """
        for place, n in zip(centre_yx, self.shape, strict=True):
            if not -n <= place <= 2 * n:
                raise InputError(
                    f"The centre {centre_yx[0]:g},{centre_yx[1]:g} (y,x) is far from frames of "
                    f"{self.shape[0]} x {self.shape[1]} pixels; give it in pixels."
                )
        self.centre_yx = centre_yx
        if self.geometry is not None:
            self.geometry = replace(self.geometry, centre_yx=centre_yx)

    @property
    def beam_yx(self) -> tuple[float, float]:
        """Where the beam crosses the frames, in pixels: their middle where nobody says."""
        if self.geometry is not None:
            return self.geometry.centre_yx
        return self.centre_yx or ((self.shape[0] - 1) / 2, (self.shape[1] - 1) / 2)

    @cached_property
    def truth(self) -> dict[str, np.ndarray] | None:
        """The fields of `TRUTH_FIELDS`, one row per pattern; None without truth."""
        with damage_told(f"{self.path} is damaged in its truth"):
            return self._stack.read_truth()

    @cached_property
    def ids(self) -> np.ndarray | None:
        """What names each shot beyond this file: (n,) str, such as train:pulse; None where nobody says."""
        with damage_told(f"{self.path} is damaged in its identifiers"):
            return self._stack.ids

    @property
    def labels(self) -> np.ndarray | None:
        """1 single, 0 not, -1 unknown: (n,) int8; None without."""
        if self._given_labels is not None:
            return self._given_labels
        if self.truth is None:
            return self._stack.labels
        return (self.truth["label"] == LABELS.index("single")).astype(np.int8)

    @property
    def labels_given(self) -> bool:
        """Whether the user named labels, which go before those of the file and its truth."""
        return self._given_labels is not None

    @property
    def shapes(self) -> np.ndarray | None:
        """Particle shape of each shot: (n,) str; None without truth."""
        return None if self.truth is None else self.truth["shape"]

    @property
    def clear(self) -> np.ndarray | None:
        """Multiples that can be told from singles: (n,) bool, see `clear_multiples`; None without truth."""
        return None if self.truth is None else clear_multiples(self.truth)

    @property
    def bits(self) -> np.ndarray:
        """The mask in the bits of CXI, 0 = good: (ny, nx) uint32; "bad" where nobody says why."""
        if self._has_own_mask and self._stack.bits is not None:
            return self._stack.bits
        return np.where(self.mask, _BAD, np.uint32(0))

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Read patterns as they are in the file, of its own type, NaN and negative values among them.

        Raises
        ------
        InputError
            If the file is damaged there.
        """
        start, stop, _ = slice(start, stop).indices(self.n)
        with damage_told(self._damage(start, stop)):
            return self._stack.read(start, max(start, stop))

    def frames(self, start: int, stop: int) -> Frames:
        """Read patterns `start` up to, not including, `stop`.

        NaN, infinite and negative pixels are set to 0 and counted.

        Raises
        ------
        InputError
            If the file is damaged there.
        """
        start, stop, _ = slice(start, stop).indices(self.n)
        if stop <= start:
            return Frames(np.empty((0, *self.shape), np.float32), 0, 0)
        with damage_told(self._damage(start, stop)):
            return _clean(self._stack.read(start, stop))

    def _damage(self, start: int, stop: int) -> str:
        return f"{self.path} is damaged in patterns {start} to {stop - 1}"

    def per_pattern(self, given: str | Path, what: str) -> np.ndarray:
        """Read a number for each pattern, (n,) float64: .npy, "file.h5:dataset", or a dataset of this file.

        Raises
        ------
        InputError
            If there is no such array, or it has another length.
        """
        array = _of_written(read_array(given, self._stack.hdf5, what), self._stack)
        if array.shape != (self.n,):
            raise InputError(
                f"The {what} {given} have shape {array.shape}; needed is one for each of the "
                f"{self.n} patterns."
            )
        return array.astype(float)

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _file_of(given: str | Path) -> Path:
    """Return the file of "file.h5:dataset", or what was given where it is no such thing."""
    other, colon, _ = str(given).rpartition(":")
    return Path(other) if colon and Path(other).exists() else Path(given)


def _labels(given: str | Path, stack: Stack) -> np.ndarray:
    if str(given).endswith(".csv"):
        array = read_label_table(Path(given), stack.n)
    else:
        array = _of_written(read_array(given, stack.hdf5, "labels"), stack)
    return as_labels(array, stack.n, str(given))


def _of_written(array: np.ndarray, stack: Stack) -> np.ndarray:
    """Leave out rows of frames that there is room for and that never came."""
    return array[: stack.n] if array.shape == (stack.room,) else array


def _clean(raw: np.ndarray) -> Frames:
    """Frames without negative pixels and those that are no count; float32 but for uint16."""
    if raw.dtype == np.uint16:
        return Frames(np.require(raw, requirements=("C", "W")), 0, 0)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and counted
        counts = raw.astype(np.float32)
    no_count = ~(np.abs(counts) < _NO_COUNT)  # NaN compares as false
    n_nan = int(np.count_nonzero(no_count))
    if n_nan:
        counts[no_count] = 0
    n_negative = int(np.count_nonzero(counts < 0))
    if n_negative:
        np.maximum(counts, 0, out=counts)
    return Frames(counts, n_nan, n_negative)
