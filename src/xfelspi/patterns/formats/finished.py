"""From what a file holds to frames of photons: units become photons, then panels one flat frame."""

from __future__ import annotations

import math

import numpy as np

from xfelspi.errors import InputError

from ..adu import to_photons
from ..beside import read_array
from ..crystfel import CrystfelGeometry
from ..crystfel_words import Quantity
from ..geometry import Geometry
from ..hdf5 import Hdf5File
from ..layout import mean_of_known
from ..panels import Assembly
from ..sizes import load, require_stored
from .stack import Choices, Stack

_LOOKED_AT = 50  # masks, where each frame has its own


def finished(stack: Stack, choices: Choices) -> Stack:
    """Return frames as they are to be seen: in photons if the user says how, and with panels put together.

    Raises
    ------
    InputError
        If panels are to be put together and nobody says how, or choices do not fit each other or the frames.
    """
    if choices.pedestal is not None and choices.adu is None:
        raise InputError(
            "A pedestal belongs to frames in ADU; say how many make a photon (--adu-per-photon)."
        )
    layout = stack.layout if choices.geometry is None else choices.geometry
    raw_shape = stack.shape if stack.raw_shape is None else stack.raw_shape
    if layout is None and math.prod(raw_shape[:-2]) > 1:
        raise InputError(
            f"Its frames are {math.prod(raw_shape[:-2])} panels of {raw_shape[-2]} x {raw_shape[-1]} pixels; "
            "say how they stand with --geometry FILE.geom."
        )
    if layout is None and choices.adu is None:
        return stack
    return FinishedStack(stack, layout, choices)


class FinishedStack(Stack):
    """Frames of another stack, in photons and flat."""

    def __init__(self, stack: Stack, layout: CrystfelGeometry | None, choices: Choices) -> None:
        self._stack, self._layout, self._adu = stack, layout, choices.adu
        self.n, self.room, self.labels, self.run = stack.n, stack.room, stack.labels, stack.run
        self.hdf5 = stack.hdf5
        self.shape, self.mask, self.gaps = stack.shape, stack.mask, stack.gaps
        self.geometry, self.centre_yx = stack.geometry, stack.centre_yx
        self.looks, self.remarks, self.found = stack.looks, stack.remarks, stack.found
        self.has_own_masks, self.detector_group = stack.has_own_masks, stack.detector_group
        self._raw_shape = stack.shape if stack.raw_shape is None else stack.raw_shape
        self._assembly: Assembly | None = None
        bad = np.zeros(stack.shape, bool) if stack.mask is None else stack.mask
        self._bad = bad.reshape(self._raw_shape)
        if layout is not None:
            assembly = Assembly(layout.panels, self._raw_shape)
            self._bad = self._bad | layout.bad_in_raw(self._raw_shape) | _masked(layout, stack)
            self._put_together(assembly, layout, given=choices.geometry is not None)
        self._pedestal = None if choices.pedestal is None else self._raw(choices.pedestal)

    @property
    def ids(self) -> np.ndarray | None:  # type: ignore[override]  # may be long: read when asked for
        """Those of the other stack."""
        return self._stack.ids

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`."""
        raw = self._stack.read(start, stop).reshape(-1, *self._raw_shape)
        if self._adu is not None:
            panels = None if self._layout is None else [panel.place for panel in self._layout.panels]
            raw = to_photons(raw, self._adu, bad=self._bad, pedestal=self._pedestal, panels=panels)
        return raw if self._assembly is None else self._assembly(raw)

    def read_truth(self) -> dict[str, np.ndarray] | None:
        """Read that of the other stack."""
        return self._stack.read_truth()

    def lay_out(self, array: np.ndarray) -> np.ndarray:
        """Bring an array that belongs to raw frames to the shape of frames."""
        if self._assembly is None or array.shape not in (self._stack.shape, self._raw_shape):
            return array
        return self._assembly(array.reshape(1, *self._raw_shape))[0]

    def close(self) -> None:
        """Close the other stack."""
        self._stack.close()

    def _put_together(self, assembly: Assembly, layout: CrystfelGeometry, given: bool) -> None:
        """Note what a frame put together looks like."""
        self._assembly, self.shape, self.gaps = assembly, assembly.shape, assembly.gaps
        if self._stack.gaps is not None:
            self.gaps = self.gaps | assembly(self._stack.gaps.reshape(1, *self._raw_shape))[0]
        self.mask = assembly(self._bad[None])[0] | self.gaps
        self.mask |= layout.bad_in_flat(assembly.shape, assembly.centre_yx)
        if self.mask.all():
            raise InputError(
                f"{layout.path} leaves no good pixel in the frames; give another geometry or mask."
            )
        self.centre_yx = assembly.centre_yx if given else None
        there = self._stack.geometry
        file = self.hdf5
        energy_ev = _value(layout.photon_energy_ev, file) or self._stack.photon_energy_ev
        distance_m = _value(layout.distance_m, file)
        if there is not None:
            energy_ev, distance_m = energy_ev or there.photon_energy_ev, distance_m or there.distance_m
        self.geometry = None
        if energy_ev is not None and distance_m is not None:
            self.geometry = Geometry(
                photon_energy_ev=energy_ev,
                distance_m=distance_m,
                pixel_size_m=layout.pixel_size_m,
                centre_yx=assembly.centre_yx,
            )

    def _raw(self, given: object) -> np.ndarray:
        """Read an array for raw frames."""
        array = read_array(str(given), self.hdf5, "pedestal")
        if array.size != math.prod(self._raw_shape):
            raise InputError(
                f"The pedestal {given} has shape {array.shape} and raw frames {self._raw_shape}; give one of "
                "that shape."
            )
        return array.reshape(self._raw_shape)


def _masked(layout: CrystfelGeometry, stack: Stack) -> np.ndarray:
    """Mark what the geometry's masks in the data file call bad; where each frame has one, all of them."""
    raw_shape = stack.shape if stack.raw_shape is None else stack.raw_shape
    bad = np.zeros(raw_shape, bool)
    for mask in layout.masks:
        item = None if stack.hdf5 is None else stack.hdf5.dataset(mask.location)
        if item is None or item.dtype.kind not in "bui":
            continue  # files of raw frames and of calibrated ones share geometries
        if item.size == bad.size:
            bad |= mask.bad(load(item)).reshape(raw_shape)
        elif item.ndim and item.shape[0] >= stack.n and item.size == item.shape[0] * bad.size:
            require_stored(item, stack.n)
            looked_at = np.unique(np.linspace(0, stack.n - 1, _LOOKED_AT).astype(int)).tolist()
            bad |= np.logical_and.reduce([mask.bad(item[i]).reshape(raw_shape) for i in looked_at])
    return bad


def _value(quantity: Quantity | None, file: Hdf5File | None) -> float | None:
    """Find the value of what a geometry says; where it points to the data file, the mean of what is there."""
    if quantity is None:
        return None
    item = None if quantity.location is None or file is None else file.dataset(quantity.location)
    stands = None
    if item is not None and item.dtype.kind in "uif" and item.size:
        values = load(item).astype(float)
        # Lengths that add up with an offset may be negative; wavelengths and energies of no shot are not.
        stands = float(np.median(values)) if quantity.offset else mean_of_known(values)
    return quantity.of(stands)
