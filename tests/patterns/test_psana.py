"""Runs of LCLS against a psana made up here after the documentation of both of them.

LCLS-I: `DataSource("exp=...:run=...:idx")`, `run.times()`, `run.event(time)`, `Detector(name)` with `image`,
`calib` and `mask`; LCLS-II: `DataSource(exp=..., run=...)`, `run.events()`, `run.build_table()`,
`run.event(timestamp)`, `run.Detector(name).raw`.
"""

import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

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
        assert name == "exp=amo86615:run=0191:idx"
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


RUNS = {
    "exp=amo86615:run=0191": (first_psana, "pnccdFront", "1400000000-15-309", "EBeam, Camp.0:pnCCD.1"),
    "exp=tmoc00318,run=10": (second_psana, "epix", "7003", "ebeam, epix"),
    "exp=tmoc00318:run=10:dir=/data": (second_psana, "epix", "7003", "ebeam, epix"),
}


@pytest.fixture(params=RUNS)
def run(request, monkeypatch):
    make, detector, third, known = RUNS[request.param]
    monkeypatch.setitem(sys.modules, "psana", make())
    return request.param, detector, third, known


def test_psana_puts_frames_together(run):
    name, detector, third, _ = run
    with PatternSet.open(name, detector=detector) as patterns:
        assert (patterns.format, patterns.n, patterns.shape) == ("LCLS", N, (4, 14))
        assert patterns.ids[3] == third
        read = patterns.frames(1, 4)
        expected = np.stack([together(panels) for panels in PANELS[1:4]])
        expected[MISSED - 1] = 0
        assert_array_equal(read.counts, expected)
        assert read.n_nan == 4 * 14
        assert_array_equal(patterns.mask, together(GOOD) == 0)
        assert patterns.centre_yx is None


def test_with_a_geometry_its_panels_are_taken_as_they_are(run, tmp_path):
    name, detector, _, _ = run
    path = tmp_path / "front.geom"
    common = "res = 13333\nclen = 0.5\ndim0 = %\ndim2 = ss\ndim3 = fs\n"
    panel = (
        "{0}/dim1 = {1}\n{0}/min_ss = 0\n{0}/max_ss = 3\n{0}/min_fs = 0\n{0}/max_fs = 5\n"
        "{0}/fs = x\n{0}/ss = y\n{0}/corner_x = {2}\n{0}/corner_y = 1\n"
    )
    path.write_text(common + panel.format("a", 0, -6) + panel.format("b", 1, 0))
    with PatternSet.open(name, detector=detector, geometry=path) as patterns:
        assert_array_equal(patterns.frames(0, 1).counts[0], np.hstack(PANELS[0]))
        assert_array_equal(patterns.mask, np.hstack(GOOD) == 0)
        assert patterns.geometry.distance_m == 0.5
        assert patterns.geometry.photon_energy_ev in (1600.0, 1700.0)
        assert patterns.geometry.centre_yx == (-1.5, 5.5)


def test_detectors_are_listed(run):
    name, _, _, known = run
    with pytest.raises(InputError, match=f"{known}; choose one with --detector"):
        PatternSet.open(name)
    with pytest.raises(InputError, match=f"no detector nobody; it has .*{known}"):
        PatternSet.open(name, detector="nobody")


def test_a_run_without_a_table_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "psana", second_psana(has_table=False))
    with pytest.raises(InputError, match="no table of the events"):
        PatternSet.open("exp=tmoc00318,run=10", detector="epix")


def test_without_psana_one_sentence_names_the_environment(monkeypatch):
    monkeypatch.setitem(sys.modules, "psana", None)
    with pytest.raises(InputError, match=r"psana is not here; at SLAC, source .*psconda\.sh"):
        PatternSet.open("exp=amo86615:run=0191")
