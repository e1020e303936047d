"""Two psanas made up after the documentation of both of them.

LCLS-I: `DataSource("exp=...:run=...:idx")`, `run.times()`, `run.event(time)`, `Detector(name)` with `image`,
`calib` and `mask`; LCLS-II: `DataSource(exp=..., run=...)`, `run.events()`, `run.build_table()`,
`run.event(timestamp)`, `run.Detector(name).raw`.
"""

from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import numpy as np

N = 6
PANELS = np.random.default_rng(1).poisson(3.0, size=(N, 2, 4, 6)).astype(float)
GOOD = np.ones((2, 4, 6))
GOOD[1, 2, 3] = 0
MISSED = 2  # a shot without a frame


def together(panels):
    """What psana does with panels: side by side, two columns apart."""
    image = np.zeros((4, 14))
    image[:, :6], image[:, 8:] = panels
    return image


class Area:
    """An area detector of either kind: frames by the number of the event."""

    def __init__(self, number):
        self.number = number

    def calib(self, event):
        index = self.number(event)
        return None if index == MISSED else PANELS[index]

    def image(self, event, nda=None):
        panels = self.calib(event) if nda is None else nda
        return None if panels is None else together(panels)

    def mask(self, event, **wanted):
        assert all(wanted.values())
        assert self.number(event) is not None
        return GOOD

    def _mask(self, **wanted):
        assert all(wanted.values())
        return GOOD


def first_psana():
    psana = ModuleType("psana")
    times = [
        SimpleNamespace(time=lambda i=i: (1400000000 << 32) | 5 * i, fiducial=lambda i=i: 300 + 3 * i, i=i)
        for i in range(N)
    ]
    run = SimpleNamespace(times=lambda: times, event=lambda time: SimpleNamespace(i=time.i))

    def data_source(name):
        assert name == "exp=amo86615:run=191:idx"
        return SimpleNamespace(runs=lambda: iter([run]))

    def detector(name):
        if name == "EBeam":
            return SimpleNamespace(
                get=lambda event: event and SimpleNamespace(ebeamPhotonEnergy=lambda: 1600.0)
            )
        return Area(lambda event: event.i)

    psana.EventId = object
    psana.DataSource, psana.Detector = data_source, detector
    names = [
        ("Camp.0:pnCCD.0", "pnccdFront", ""),
        ("BldInfo(EBeam)", "EBeam", ""),
        ("Camp.0:pnCCD.1", "", ""),
    ]
    psana.DetNames = {"detectors": names}.get
    return psana


def second_psana(has_table=True):
    psana = ModuleType("psana")

    class Run:
        detnames = ("epix", "ebeam")
        table = False

        def events(self):
            return (SimpleNamespace(timestamp=7000 + i) for i in range(N))

        @contextmanager
        def build_table(self):
            self.table = has_table
            yield has_table
            self.table = False

        def event(self, timestamp):
            assert self.table
            return SimpleNamespace(i=timestamp - 7000)

        def Detector(self, name):
            beam = SimpleNamespace(ebeamPhotonEnergy=lambda event: event and 1700.0)
            return SimpleNamespace(raw=beam if name == "ebeam" else Area(lambda event: event.i))

    def data_source(exp, run, **more):
        assert (exp, run, more) in [("tmoc00318", 10, {}), ("tmoc00318", 10, {"dir": "/data"})]
        return SimpleNamespace(runs=lambda: iter([Run()]))

    psana.DataSource = data_source
    return psana
