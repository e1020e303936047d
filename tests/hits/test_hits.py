"""Hits are found where they are, and misses called hits as rarely as promised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from toy_run import HALO, SPOT, run

from xfelspi.errors import InputError
from xfelspi.hits import HitFinding, find_hits, hit_scores, threshold_of


@pytest.mark.parametrize("photons", [20, 300, 1e5])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_blanks_score_as_a_normal_distribution(photons, spread):
    """Of pure Poisson blanks, however bright each is, 1 - Φ(snr) lie above snr."""
    rng = np.random.default_rng(1)
    profile = np.exp(-np.arange(24) / 8)
    brightness = photons * rng.lognormal(0.0, spread, 40_000) / profile.sum()
    scores = hit_scores(rng.poisson(brightness[:, None] * profile).astype(float), profile)
    for snr in (1.0, 2.0, 3.0):
        n_above = int((scores > snr).sum())
        assert n_above <= 1.15 * 40_000 * norm.sf(snr) + 10
        if photons >= 300 and not spread:
            assert binomtest(n_above, 40_000, norm.sf(snr)).pvalue > 1e-4


@given(scale=st.floats(0.5, 1e3), factor=st.floats(0.5, 5.0), seed=st.integers(0, 100))
@settings(max_examples=25)
def test_only_where_light_lies_counts(scale, factor, seed):
    """The background's own scale says nothing, and a frame like it scores low at any brightness."""
    profile = np.random.default_rng(seed).uniform(1, 5, 20)
    frame = np.round(scale * factor * profile)[None]
    np.testing.assert_allclose(hit_scores(frame, profile), hit_scores(frame, scale * profile))
    assert hit_scores(frame, profile)[0] < 0


def test_a_short_window_follows_the_background_at_its_own_pace():
    """Blanks whose background halves at once: none of them is a hit before the threshold knows."""
    expected = np.broadcast_to(HALO, (120, *HALO.shape)).copy()
    expected[100:] /= 2
    found = find_hits(run(expected), HitFinding(score="lit", window=20))
    assert not found.hit.any()
    assert len(np.unique(found.threshold[:100])) == 5


@pytest.mark.parametrize("score", ["poisson", "lit"])
def test_false_alarms_are_as_rare_as_promised_and_hits_are_found(score):
    expected = np.broadcast_to(HALO, (6_000, *HALO.shape)).copy()
    is_hit = np.random.default_rng(2).random(6_000) < 0.03
    expected[is_hit] += 150 / SPOT.sum() * SPOT
    found = find_hits(run(expected), HitFinding(score=score, snr=2.5, window=1_000))
    false_alarms = int(found.hit[~is_hit].sum())
    assert 0.4 * norm.sf(2.5) < false_alarms / (~is_hit).sum() < 1.3 * norm.sf(2.5)
    assert found.hit[is_hit].mean() > 0.95
    assert ((found.score > found.threshold) == found.hit).all()


@pytest.mark.parametrize("score", ["poisson", "lit"])
def test_the_threshold_follows_a_background_that_drifts(score):
    """Halo turns to flat light, twice as much: by the first background, all would be hits at the end."""
    share = np.linspace(0, 1, 5_000)[:, None, None]
    expected = (1 - share) * HALO + share * 2 * HALO.mean()
    is_hit = np.arange(5_000) % 50 == 7
    expected[is_hit] += 400 / SPOT.sum() * SPOT
    shots = run(expected)
    found = find_hits(shots, HitFinding(score=score, snr=4.0, window=200))
    assert found.hit[~is_hit].mean() < 0.02
    assert found.hit[is_hit].mean() > 0.9
    light = shots.counts.reshape(5_000, -1).sum(axis=1)
    begun = light[:200][~is_hit[:200]]
    assert (light[-200:] > begun.mean() + 4 * begun.std()).mean() > 0.9


def test_pulse_energies_take_their_spread_out_of_lit_pixels():
    energies = np.random.default_rng(0).gamma(4.0, size=3_000)
    expected = energies[:, None, None] / energies.mean() * 0.05 * np.ones_like(HALO)
    is_hit = np.arange(3_000) % 40 == 3
    expected[is_hit] += 80 / SPOT.sum() * SPOT
    finding = HitFinding(score="lit", snr=4.0)
    blind, seeing = (find_hits(run(expected), finding, given).hit for given in (None, energies * 1e-3))
    assert blind[is_hit].mean() < 0.2 < seeing[is_hit].mean()


def test_masked_pixels_say_nothing_and_dark_shots_are_misses():
    mask = np.zeros(HALO.shape, bool)
    mask[20:28, 20:28] = True
    expected = np.broadcast_to(np.where(mask, 0, 0.001), (300, *HALO.shape)).copy()
    expected[::9, 20:28, 20:28] = 500.0
    for score in ("poisson", "lit"):
        assert find_hits(run(expected, mask=mask), HitFinding(score=score)).hit.mean() < 0.02


def test_misses_are_kept_by_chance_and_the_same_again():
    shots = run(np.broadcast_to(HALO, (4_000, *HALO.shape)))
    found, again = (find_hits(shots, HitFinding(keep_misses=0.1, seed=3)).kept_as_miss for _ in range(2))
    assert (found == again).all()
    assert binomtest(int(found.sum()), 4_000, 0.1).pvalue > 1e-4
    other = find_hits(shots, HitFinding(keep_misses=0.1, seed=4)).kept_as_miss
    assert (found != other).any()
    assert not find_hits(shots, HitFinding(keep_misses=0.0)).kept_as_miss.any()


@given(share=st.floats(0.0, 0.3), height=st.floats(5.0, 1e4), seed=st.integers(0, 50))
@settings(max_examples=30)
def test_hits_hardly_move_the_threshold(share, height, seed):
    scores = np.random.default_rng(seed).normal(size=2_000)
    scores[: int(share * 2_000)] = height
    assert 2.6 < threshold_of(scores, 3.0) < 3.4 + 6.0 * share


@pytest.mark.parametrize(
    "wrong", [{"snr": 0.0}, {"window": 3}, {"keep_misses": 1.5}, {"lit_photons": 0.0}, {"score": "luck"}]
)
def test_settings_out_of_bounds_are_one_sentence(wrong):
    with pytest.raises(InputError):
        HitFinding(**wrong)


@pytest.mark.parametrize("energies", [np.ones(3), np.zeros(10), np.full(10, np.nan)])
def test_pulse_energies_that_do_not_fit_are_refused(energies):
    with pytest.raises(InputError, match="pulse energies"):
        find_hits(run(np.ones((10, *HALO.shape))), None, energies)
