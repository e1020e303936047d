"""Runs of European XFEL: a folder of files, one or several for each detector module, read through extra-data.

Frames are (modules, slow, fast); a `.geom` file says how the modules stand. Where none is given, extra-geom's
example of the detector stands in, good enough for a look.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.constants import HC_EV_NM
from xfelspi.errors import InputError

from ..crystfel import CrystfelGeometry, read_crystfel
from .stack import Choices, Stack, require_frame

_RUN_FILE = re.compile(r"(RAW|CORR|PROC)-R\d+-\w+-S\d+\.h5")
_EXAMPLES = {
    "AGIPD1M": "AGIPD_1MGeometry",
    "AGIPD500K": "AGIPD_500K2GGeometry",
    "LPD1M": "LPD_1MGeometry",
    "JUNGFRAU": "JUNGFRAUGeometry",
}
"""Detectors with square pixels, and what extra-geom calls them. DSSC's are hexagons."""

_LOOKED_AT = 16  # frames for what the calibration masks in all of them


class EuxfelStack(Stack):
    """Frames of one detector of a run; those of trains in which no module has data are left out."""

    looks = 50
    raw_shape: tuple[int, int, int]

    def __init__(self, run: Any, name: str, kind: type) -> None:
        self._run = run
        self._detector = _component(kind, run, name)
        self._key = "data.adc" if kind.__name__ == "JUNGFRAU" else "image.data"
        self._data = self._detector[self._key]
        # What one shot is: a memory cell of JUNGFRAU, else an entry of the image group.
        self._per_train = self._counts()
        self._first = np.concatenate([[0], np.cumsum(self._per_train)])
        self.n = int(self._first[-1])
        slow, fast = self._detector.module_shape
        self._present = sorted(self._detector.modno_to_source)
        modules = self._detector.n_modules if len(self._present) > 1 else 1
        self.raw_shape = (modules, slow, fast)
        self.shape = (modules * slow, fast)
        require_frame(self.shape)
        if self.n == 0:
            raise InputError(f"The detector {name} has no frames in this run; name another with --detector.")
        self._is_calibrated = self._detector._mask_data_key in self._detector
        self.mask = self._find_mask()
        self.photon_energy_ev = _photon_energy_ev(run)

    @cached_property
    def ids(self) -> np.ndarray | None:  # type: ignore[override]  # read when asked for
        """Train, pulse and memory cell, "10005:32:4"; train and place in it where there are no pulses."""
        trains = np.repeat(np.asarray(self._detector.train_ids), self._per_train).tolist()
        if self._key == "data.adc":
            places = np.concatenate([np.arange(count) for count in self._per_train]).tolist()
            return np.array([f"{train}:{place}" for train, place in zip(trains, places, strict=True)])
        pulses = self._data.pulse_id_coordinates().tolist()
        cells = self._data.cell_id_coordinates().tolist()
        return np.array([f"{t}:{p}:{c}" for t, p, c in zip(trains, pulses, cells, strict=True)])

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`, as slabs (modules * slow, fast), NaN where calibration masks them."""
        parts = []
        train = int(np.searchsorted(self._first, start, side="right")) - 1
        while start < stop:
            low = start - int(self._first[train])
            high = min(int(self._per_train[train]), low + stop - start)
            if high > low:
                parts.append(self._of_train(train, low, high))
            start, train = start + high - low, train + 1
        return np.concatenate(parts).reshape(-1, *self.shape)

    def close(self) -> None:
        """Close the run's files."""
        for file in self._run.files:
            file.close()

    def _counts(self) -> np.ndarray:
        """Frames in each train."""
        if self._key == "data.adc":
            return np.full(len(self._detector.train_ids), self._data.shape[2])
        return self._detector.frame_counts.to_numpy().astype(int)

    def _of_train(self, train: int, low: int, high: int) -> np.ndarray:
        """(k, modules, slow, fast) frames `low` up to `high` of one train."""
        from extra_data import by_index

        key = self._detector.masked_data(self._key) if self._is_calibrated else self._data
        one = key.select_trains(np.s_[train : train + 1])
        gaps = {"module_gaps": self.raw_shape[0] > 1}
        if self._key == "data.adc":
            frames = one.ndarray(roi=np.index_exp[low:high], **gaps)[:, 0]
        else:
            # Raw AGIPD frames are pairs of data and gain, others have one index too many.
            is_raw_agipd = self._data.ndim == 5
            chosen = one.select_pulses(by_index[low:high])
            frames = chosen.ndarray(roi=(0,) if is_raw_agipd else (), **gaps)
        return np.moveaxis(frames, 1, 0)

    def _find_mask(self) -> np.ndarray | None:
        """Mark modules without data, as gaps too, and what the calibration masks in all frames looked at."""
        bad = np.zeros(self.raw_shape, bool)
        if self.raw_shape[0] > 1:
            first = self._detector._modnos_start_at
            missing = set(range(self.raw_shape[0])) - {number - first for number in self._present}
            bad[sorted(missing)] = True
        bad = bad.reshape(self.shape)
        self.gaps = bad.copy()
        if self._is_calibrated:
            looked_at = np.unique(np.linspace(0, self.n - 1, _LOOKED_AT).astype(int)).tolist()
            bad |= np.logical_and.reduce([np.isnan(self.read(i, i + 1)[0]) for i in looked_at])
        if bad.all():
            raise InputError(
                "The calibration of this run masks every pixel; read another run, or the raw one."
            )
        return bad if bad.any() else None


def recognizes_run(path: Path) -> bool:
    """Tell a folder with files named as European XFEL names them."""
    return path.is_dir() and any(_RUN_FILE.fullmatch(file.name) for file in path.glob("*.h5"))


def open_run(path: Path, choices: Choices) -> EuxfelStack:
    """Open a run folder and choose the detector named, or the only one.

    Raises
    ------
    InputError
        If extra-data is not installed, or there is no such detector, or several.
    """
    try:
        import extra_data
        from extra_data.components import identify_multimod_detectors
    except ImportError:
        raise InputError(
            f"{path} is a run of European XFEL, which extra-data reads; install it with pip install "
            "'xfelspi[euxfel]'."
        ) from None
    run = extra_data.RunDirectory(str(path), parallelize=False)
    try:
        found = {
            name: kind for name, kind in sorted(identify_multimod_detectors(run), key=lambda pair: pair[0])
        }
        names = ", ".join(found)
        if not found:
            raise InputError(f"{path} has no AGIPD, LPD, DSSC or JUNGFRAU detector; name another run.")
        if choices.detector is None and len(found) > 1:
            raise InputError(f"{path} has several detectors: {names}; choose one with --detector.")
        name = names if choices.detector is None else str(choices.detector)
        if name not in found:
            raise InputError(f"{path} has no detector {name}; it has {names}.")
        stack = EuxfelStack(run, name, found[name])
        modules = stack.raw_shape[0]
        if choices.geometry is None and modules > 1:
            stack.layout = _example(found[name].__name__, modules, path)
            stack.remarks = (
                f"The modules of {name} stand as in extra-geom's example, good enough for a look; say how "
                "they stood with --geometry FILE.geom.",
            )
        return stack
    except BaseException:
        for file in run.files:
            file.close()
        raise


def _component(kind: type, run: Any, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # raw data where no corrected are is what we ask for
        if kind.__name__ == "JUNGFRAU":
            pattern = re.compile(re.escape(name) + r"/\w+/\D*(\d+)")
            numbers = [int(m[1]) for m in map(pattern.match, run.instrument_sources) if m]
            if len(numbers) == 1:
                return kind(run, name, first_modno=numbers[0])
        return kind(run, name)


def _example(kind: str, modules: int, path: Path) -> CrystfelGeometry:
    """Ask extra-geom, in the words of CrystFEL, how the modules of such a detector stand."""
    if kind not in _EXAMPLES:
        raise InputError(
            f"The pixels of {kind} are not square; assemble {path} with extra-geom and save npy."
        )
    try:
        import extra_geom
    except ImportError:
        raise InputError(
            f"The modules of {kind} have to be put together; say how they stand with --geometry FILE.geom."
        ) from None
    of_kind = getattr(extra_geom, _EXAMPLES[kind])
    example = of_kind.example(modules) if kind == "JUNGFRAU" else of_kind.example()
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / f"{kind}.geom"
        example.write_crystfel_geom(str(written))
        return read_crystfel(written)


def _photon_energy_ev(run: Any) -> float | None:
    """Find the wavelength that a gas monitor was told, in nm."""
    key = "pulseEnergy.wavelengthUsed.value"
    for source in sorted(run.control_sources):
        if "XGM" in source and key in run.keys_for_source(source):
            wavelengths_nm = run[source, key].ndarray()
            wavelengths_nm = wavelengths_nm[wavelengths_nm > 0]
            if wavelengths_nm.size:
                return float(HC_EV_NM / np.median(wavelengths_nm))
    return None
