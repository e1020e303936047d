"""Runs of LCLS, named as psana names them: exp=amo86615:run=191, read by psana itself at the facility.

Both are known: psana of LCLS-I (`Detector.image`, `run.times`, `run.event` in index mode) and of LCLS-II
(`det.raw.image`, `run.build_table`, `run.event`). psana subtracts pedestals and common mode and puts panels
together with the geometry it has; with a `.geom` file its panels are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np

from xfelspi.errors import InputError

from .stack import Choices, Stack, require_frame

_RUN = re.compile(r"exp=([\w/]+)[:,]run=(\d+)((?:[:,]\w+=[^:,]+)*)")
_LOOKED_AT = 200  # events among which one has to have a frame


class Source(Protocol):
    """One detector of one run, whichever psana reads it.

    `names` are those of the shots. `frame` and `panels` are calibrated, put together or not, and None for a
    shot without. `good` is 1 for good pixels of the panels, `placed` puts such panels together with 0 between
    them; `photon_energy_ev` is that of a shot.
    """

    names: list[str]

    def frame(self, index: int) -> np.ndarray | None: ...  # noqa: D102

    def panels(self, index: int) -> np.ndarray | None: ...  # noqa: D102

    def good(self, index: int, /) -> np.ndarray | None: ...  # noqa: D102

    def placed(self, index: int, panels: np.ndarray) -> np.ndarray: ...  # noqa: D102

    def photon_energy_ev(self, index: int) -> float | None: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class PsanaStack(Stack):
    """Frames of one detector; shots without one are NaN."""

    looks = 50

    def __init__(self, source: Source, together: bool) -> None:
        self._source = source
        self._read = source.frame if together else source.panels
        self.n = len(source.names)
        self.ids = np.array(source.names)
        first = next((i for i in range(min(self.n, _LOOKED_AT)) if self._read(i) is not None), None)
        if first is None:
            raise InputError(
                f"Of the first {_LOOKED_AT} shots none has a frame of this detector; name another."
            )
        example = self._read(first)
        assert example is not None
        raw_shape = example.shape
        if len(raw_shape) < 2:
            raise InputError(f"This detector gives arrays of shape {raw_shape}, not frames; name another.")
        self.shape = (int(np.prod(raw_shape[:-1])), raw_shape[-1])
        self.raw_shape = None if together else raw_shape
        require_frame(self.shape)
        good = source.good(first)
        if good is not None and good.any():
            placed = source.placed(first, good) if together else good
            self.mask = (placed == 0).reshape(self.shape)
        if good is not None and together:
            self.gaps = source.placed(first, np.ones_like(good)) == 0
        self.photon_energy_ev = source.photon_energy_ev(first)
        self._turn = Lock()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`, one event after the other: psana bears one thread at a time."""
        frames = np.full((stop - start, *self.shape), np.nan, np.float32)
        for index in range(start, stop):
            with self._turn:
                frame = self._read(index)
            if frame is not None:
                frames[index - start] = frame.reshape(self.shape)
        return frames

    def close(self) -> None:
        """Let go of the run."""
        self._source.close()


class FirstPsana:
    """LCLS-I, in index mode."""

    def __init__(self, psana: Any, name: str, detector: str | None) -> None:
        run = next(iter(psana.DataSource(f"{name}:idx").runs()))
        known = [alias or full for full, alias, *_ in psana.DetNames("detectors")]
        self._detector = psana.Detector(_chosen(name, detector, known))
        self._beam = psana.Detector("EBeam") if "EBeam" in known else None
        self._run, self._times = run, run.times()
        self.names = [f"{t.time() >> 32}-{t.time() & 0xFFFFFFFF}-{t.fiducial()}" for t in self._times]

    def frame(self, index: int) -> np.ndarray | None:
        """Frame put together."""
        return self._detector.image(self._event(index))

    def panels(self, index: int) -> np.ndarray | None:
        """Panels, (n, slow, fast)."""
        return self._detector.calib(self._event(index))

    def good(self, index: int) -> np.ndarray | None:
        """1 for good pixels of the panels."""
        event = self._event(index)
        return self._detector.mask(event, calib=True, status=True, edges=True, central=True, unbond=True)

    def placed(self, index: int, panels: np.ndarray) -> np.ndarray:
        """Put panels together; 0 between them."""
        return self._detector.image(self._event(index), panels)

    def photon_energy_ev(self, index: int) -> float | None:
        """Photon energy that the electron beam's makes one expect."""
        beam = None if self._beam is None else self._beam.get(self._event(index))
        return None if beam is None else _positive(beam.ebeamPhotonEnergy())

    def close(self) -> None:
        """Nothing is to be closed."""

    def _event(self, index: int) -> Any:
        return self._run.event(self._times[index])


class SecondPsana:
    """LCLS-II; its events are counted first, and then found by their timestamps."""

    def __init__(self, psana: Any, name: str, detector: str | None) -> None:
        match = _RUN.fullmatch(name)
        assert match is not None
        more = dict(part.split("=", 1) for part in re.split("[:,]", match[3]) if part)
        chosen = {"exp": match[1], "run": int(match[2]), **more}
        self._times = [event.timestamp for event in next(psana.DataSource(**chosen).runs()).events()]
        self._run = next(psana.DataSource(**chosen).runs())
        known = sorted(self._run.detnames)
        self._detector = self._run.Detector(_chosen(name, detector, known)).raw
        self._beam = self._run.Detector("ebeam").raw if "ebeam" in known else None
        self.names = [str(time) for time in self._times]
        self._opened = ExitStack()
        if not self._opened.enter_context(self._run.build_table()):
            raise InputError(
                f"psana finds no table of the events of {name}; ask the beamline's data support."
            )

    def frame(self, index: int) -> np.ndarray | None:
        """Frame put together."""
        return self._detector.image(self._event(index))

    def panels(self, index: int) -> np.ndarray | None:
        """Panels, (n, slow, fast)."""
        return self._detector.calib(self._event(index))

    def good(self, _: int) -> np.ndarray | None:
        """1 for good pixels of the panels."""
        return self._detector._mask(status=True, edges=True, center=True, calib=True)

    def placed(self, index: int, panels: np.ndarray) -> np.ndarray:
        """Put panels together; 0 between them."""
        return self._detector.image(self._event(index), nda=panels)

    def photon_energy_ev(self, index: int) -> float | None:
        """Photon energy that the electron beam's makes one expect."""
        return None if self._beam is None else _positive(self._beam.ebeamPhotonEnergy(self._event(index)))

    def close(self) -> None:
        """Let go of the table."""
        self._opened.close()

    def _event(self, index: int) -> Any:
        return self._run.event(self._times[index])


def recognizes_run(path: Path) -> bool:
    """Tell a run's name, exp=amo86615:run=191, from a file's."""
    return _RUN.fullmatch(str(path)) is not None


def open_run(path: Path, choices: Choices) -> PsanaStack:
    """Open a run with the psana that is there.

    Raises
    ------
    InputError
        If none is there, or the run or the detector is not known to it.
    """
    name = str(path)
    try:
        import psana
    except ImportError:
        raise InputError(
            f"{name} is a run of LCLS, which psana reads, and psana is not here; at SLAC, source "
            "/sdf/group/lcls/ds/ana/sw/conda1/manage/bin/psconda.sh (LCLS-I; conda2 for LCLS-II) first."
        ) from None
    detector = None if choices.detector is None else str(choices.detector)
    of_first = hasattr(psana, "EventId")
    source: Source = (FirstPsana if of_first else SecondPsana)(psana, name, detector)
    try:
        return PsanaStack(source, together=choices.geometry is None)
    except BaseException:
        source.close()
        raise


def _chosen(name: str, detector: str | None, known: Sequence[str]) -> str:
    """Return the detector named."""
    names = ", ".join(known)
    if detector is None:
        raise InputError(f"{name} has the detectors {names}; choose one with --detector.")
    if detector not in known:
        raise InputError(f"{name} has no detector {detector}; it has {names}.")
    return detector


def _positive(value: float | None) -> float | None:
    return float(value) if value is not None and value > 0 else None
