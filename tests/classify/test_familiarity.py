"""Frames unlike the training's are told apart, others are not."""

import h5py
import numpy as np
import pytest
from toy_shots import SIZE, frames, write_plain

from xfelspi.classify import Predictor
from xfelspi.classify.familiarity import FAMILIAR, fit_familiarity
from xfelspi.patterns import PatternSet


def ood(model, path, counts):
    with h5py.File(path, "w") as file:
        file["patterns"] = counts
    with PatternSet.open(path) as patterns:
        return Predictor(model)(patterns).ood


def permuted(rng):
    counts = frames(np.arange(40) % 2, seed=8).reshape(40, -1)
    return rng.permuted(counts, axis=1).reshape(40, SIZE, SIZE)


def saturated(_):
    counts = frames(np.arange(40) % 2, seed=8)
    counts[:, :, SIZE // 2 :] = 65_535
    return counts


def noise(rng):
    return rng.poisson(0.05, (40, SIZE, SIZE)).astype(np.uint16)


@pytest.mark.parametrize("junk", [permuted, saturated, noise])
def test_junk_is_strange(toy_model, tmp_path, rng, junk):
    assert (ood(toy_model, tmp_path / "junk.h5", junk(rng)) > 1).mean() > 0.95


def test_frames_like_those_of_the_training_are_not(toy_model, tmp_path):
    with PatternSet.open(write_plain(tmp_path / "plain.h5", np.arange(200) % 2, seed=9)) as patterns:
        assert (Predictor(toy_model)(patterns).ood > 1).mean() < 0.15  # a limit from 24 frames


def test_held_out_frames_are_strange_at_the_stated_rate(rng):
    mixing = rng.normal(size=(16, 16))
    draws = [rng.normal(size=(4000, 16)).astype(np.float32) @ mixing.astype(np.float32) for _ in range(3)]
    familiarity = fit_familiarity(*draws[:2])
    share = (familiarity.ood(draws[2]) > 1).mean()
    assert share == pytest.approx(1 - FAMILIAR, abs=0.005)
    assert (familiarity.ood(draws[2] + 30 * mixing[0].astype(np.float32)) > 1).all()


def test_distance_does_not_depend_on_the_units_of_a_channel(rng):
    learned, held, new = (rng.normal(size=(500, 3)).astype(np.float32) for _ in range(3))
    units = np.array([1.0, 2.0, 0.5], np.float32)
    one = fit_familiarity(learned, held).ood(new)
    other = fit_familiarity(learned * units, held * units).ood(new * units)
    np.testing.assert_allclose(one, other, rtol=0.02)


def test_channels_that_never_light_up_do_no_harm(rng):
    learned, held = (np.pad(rng.normal(size=(200, 4)), ((0, 0), (0, 2))).astype(np.float32) for _ in range(2))
    assert np.isfinite(fit_familiarity(learned, held).ood(held)).all()
