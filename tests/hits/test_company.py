"""Two particles apart have a lobe in the autocorrelation at their distance; one has none."""

import numpy as np
import pytest

from xfelspi.hits import COMPANY, Company, SphereFit

SIZE = 128
Y, X = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
PHASE = 0.25


def light(phase=PHASE):
    x = np.maximum(phase * np.hypot(Y, X), 1e-3)
    return (3.0 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def counts(expected, photons, n=10, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(photons * expected / expected.sum(), (n, SIZE, SIZE)).astype(np.uint16)


def pair(distance, angle, brightness=1.0):
    """Two spheres so many diameters apart: fringes of brightness (1, b) under one envelope."""
    fringe = 2 * PHASE * distance * (np.cos(angle) * X + np.sin(angle) * Y)
    return light() * (1 + brightness + 2 * brightness**0.5 * np.cos(fringe))


def scores(frames, good=None):
    good = np.ones((SIZE, SIZE), bool) if good is None else good
    centre = (SIZE - 1) / 2, (SIZE - 1) / 2
    return Company(good, centre)(frames, SphereFit(good, centre)(frames).phase)


@pytest.mark.parametrize("photons", [3_000, 1e5])
@pytest.mark.parametrize(("distance", "angle"), [(1.3, 0.3), (2.5, 1.2), (4.0, 2.8)])
def test_a_pair_has_company_and_a_single_has_none(photons, distance, angle):
    good = np.ones((SIZE, SIZE), bool)
    good[:, 62:66] = good[58:70, 58:70] = False
    assert (scores(counts(pair(distance, angle), photons) * good, good) > COMPANY).all()
    assert (scores(counts(light(), photons) * good, good) < 2.5).all()


def test_noise_alone_is_about_one():
    frames = counts(np.ones((SIZE, SIZE)), 2e3, n=40)
    found = Company(np.ones((SIZE, SIZE), bool), (63.5, 63.5))(frames, np.full(40, PHASE))
    assert 0.8 < np.median(found) < 1.2
    assert found.max() < 2.5


def test_where_the_size_is_unknown_there_is_no_score():
    frames = counts(pair(2.0, 0.4), 3e4)
    whole = np.ones((SIZE, SIZE), bool)
    assert np.isnan(Company(whole, (63.5, 63.5))(frames, np.full(10, np.nan))).all()
    assert np.isnan(Company(whole, (63.5, 63.5))(frames, np.full(10, 2.3))).all()  # as large as all there is


def test_corners_without_a_good_pixel_do_not_matter():
    good = np.hypot(Y, X) < 50
    frames = counts(light(), 1e5, n=3)
    assert np.isfinite(scores(frames * good, good)).all()
