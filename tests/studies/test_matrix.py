"""Scores over seeds, bins of multiple hits, and mistakes: each on a case with a known answer."""

import numpy as np
import pytest

from xfelspi.studies.matrix import Mean, over_rows
from xfelspi.studies.mistakes import _tilt_deg, apart, mistakes
from xfelspi.studies.noise import Point
from xfelspi.studies.second import first_of_each, second_photons


def test_any_score_of_a_row_is_averaged_whatever_its_name():
    rows = [
        {"shape": "torus", "n_single": 9, "auc": auc, "auc_ci": [auc - 0.1, auc], "ece": 0.02, "fpr": fpr}
        for auc, fpr in ((0.8, None), (0.9, 0.1))
    ]
    means = over_rows(rows)
    assert set(means) == {"auc", "ece"}
    assert means["auc"] == pytest.approx((0.85, 0.8, 0.9, 0.75, 0.85))
    assert means["ece"] == (0.02, 0.02, 0.02, None, None)


def test_photons_of_the_second_are_those_of_the_second_brightest():
    photons = np.array([[5.0, 90.0, 30.0], [7.0, np.nan, np.nan], [np.nan] * 3])
    assert second_photons({"photons": photons})[0] == 30.0
    assert np.isnan(second_photons({"photons": photons})[1:]).all()
    assert np.isnan(second_photons({"photons": photons[:, :1]})).all()


def test_every_bin_gives_its_first():
    rng = np.random.default_rng(0)
    place = rng.uniform(-1.0, 5.0, 300)
    place[::7] = np.nan
    chosen = first_of_each(place, (0.0, 1.0, 2.0, 4.0), 5)
    assert np.histogram(place[chosen], (0.0, 1.0, 2.0, 4.0))[0].tolist() == [5, 5, 5]
    assert (np.diff(chosen) > 0).all()
    first = np.flatnonzero((place >= 1.0) & (place < 2.0))[:5]
    assert set(first) <= set(chosen)


def test_mistakes_are_on_the_wrong_side_worst_first():
    logits = np.array([0.5, -3.0, -1.0, 4.0, 2.0, 6.0, 9.0])
    labels = np.array([1, 1, 1, 0, 0, 0, -1])
    clear = np.array([False, False, False, True, True, False, False])
    assert mistakes(logits, labels, 0.0).kept.tolist() == [5, 3, 4]
    found = mistakes(logits, labels, 0.0, clear)
    assert (found.lost.tolist(), found.kept.tolist()) == ([1, 2], [3, 4])


def test_tilt_is_the_angle_of_the_body_to_the_beam():
    half = np.sqrt(0.5)
    turns = np.array([[1.0, 0, 0, 0], [half, half, 0, 0], [half, 0, 0, half], [0, 1.0, 0, 0]])
    assert _tilt_deg(turns).tolist() == pytest.approx([0.0, 90.0, 0.0, 0.0], abs=1e-5)
    truth = {
        "expected_photons": np.array([10.0, 30.0, 1000.0, 7.0]),
        "diameter_nm": np.full((4, 1), 69.0),
        "orientation": turns[:, None, :],
    }
    rows = apart(truth, np.array([0, 1]), np.array([], int))
    assert rows[0] == ("photons", "20", "–")
    assert rows[2][1] == "45"


def test_a_network_that_keeps_everything_does_not_work():
    def mean(value):
        return Mean(value, value, value, None, None)

    assert Point(place=1.0, missed=mean(0.01), kept=mean(0.05)).works
    assert not Point(place=1.0, missed=mean(0.0), kept=mean(1.0)).works
    assert not Point(place=1.0, missed=mean(0.2), kept=mean(0.0)).works
    assert not Point(place=1.0, missed=None, kept=None).works
