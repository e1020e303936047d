"""Runs of LCLS against made-up psanas: what they give is what is read."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from toy_psana import GOOD, MISSED, PANELS, N, first_psana, second_psana, together

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

RUNS = {
    "exp=amo86615:run=191": (first_psana, "pnccdFront", "1400000000-15-309", "EBeam, Camp.0:pnCCD.1"),
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


def test_a_mask_of_the_users_leaves_gaps_gaps(run, tmp_path):
    name, detector, _, _ = run
    mask = np.zeros((4, 14), np.uint8)
    mask[0, 0] = 1
    np.save(tmp_path / "mine.npy", mask)
    with PatternSet.open(name, detector=detector, mask=tmp_path / "mine.npy") as patterns:
        assert_array_equal(patterns.mask, (mask == 1) | (together(np.ones_like(GOOD)) == 0))


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
