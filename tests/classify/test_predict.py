"""Predictions of a file, whatever its length, size of frames and content."""

import h5py
import numpy as np
import pytest
import torch
from toy_shots import SIZE, frames, write_plain

from xfelspi.classify import Framing, Policy, Predictor, decide, settled
from xfelspi.patterns import PatternSet


@pytest.fixture
def predictor(toy_model):
    return Predictor(toy_model)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 150])
def test_every_pattern_gets_the_logit_that_the_network_gives_it_alone(toy_model, predictor, tmp_path, n):
    labels = np.arange(n) % 2
    with PatternSet.open(write_plain(tmp_path / "plain.h5", labels)) as patterns:
        logits = predictor(patterns).logits
        framed = Framing(patterns.shape, patterns.mask, None, toy_model.frame)(frames(labels))
    with torch.inference_mode():
        pair = toy_model.classifier.eval()(torch.from_numpy(framed))
    np.testing.assert_allclose(logits, (pair[:, 1] - pair[:, 0]).numpy(), atol=0.15)  # bfloat16


def test_it_tells_the_toy_classes_apart(toy_model, predictor, tmp_path):
    labels = np.arange(80) % 2
    with PatternSet.open(write_plain(tmp_path / "plain.h5", labels, seed=9)) as patterns:
        prediction = predictor(patterns)
    assert ((prediction.logits > toy_model.thresholds.balanced) == (labels == 1)).mean() > 0.97
    probabilities = toy_model.calibration.probabilities(prediction.logits)
    assert probabilities[labels == 1].min() > 0.5 > probabilities[labels == 0].max()


def test_bad_pixels_are_counted(predictor, tmp_path):
    counts = frames(np.array([1, 0, 1])).astype(np.float32)
    counts[0, 0, :3] = np.nan
    counts[1, 5, 5] = -4
    counts[2, 1, 1] = np.inf
    with h5py.File(tmp_path / "dirty.h5", "w") as file:
        file["patterns"] = counts
    with PatternSet.open(tmp_path / "dirty.h5") as patterns:
        prediction = predictor(patterns)
    assert (prediction.n_nan, prediction.n_negative) == (4, 1)
    assert np.isfinite(prediction.logits).all()


def test_a_frame_without_a_photon_is_no_hit(toy_model, predictor, tmp_path):
    """Of a file with room for more than came, or of a pulse that was not recorded."""
    counts = frames(np.array([1, 0, 1, 1]))
    counts[1:3] = 0
    np.save(tmp_path / "dark.npy", counts)
    with PatternSet.open(tmp_path / "dark.npy") as patterns:
        prediction = predictor(patterns)
    assert prediction.n_dark == 2
    assert np.isneginf(prediction.logits).tolist() == [False, True, True, False]
    for policy in (Policy(), Policy(top=3), Policy(top=9), Policy(abstain=0.01), Policy(prior=0.9)):
        verdict = decide(toy_model, prediction.logits, settled(policy, prediction.logits))
        assert not (verdict.kept | verdict.unsure)[1:3].any()
        assert (verdict.probabilities[1:3] == 0).all()


def test_progress_rises_to_one(predictor, toy_file):
    told = []
    with PatternSet.open(toy_file) as patterns:
        predictor(patterns, lambda what, fraction: told.append((what, fraction)))
    assert {what for what, _ in told} == {"torus.h5"}
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_finer_pixels_say_the_same(predictor, tmp_path):
    """Every pixel split in four, each photon going to one of them: only the detector differs."""
    rng = np.random.default_rng(0)
    labels = np.arange(20) % 2
    coarse = frames(labels, seed=4)
    fine = rng.multinomial(coarse, [0.25] * 4).reshape(20, SIZE, SIZE, 2, 2)
    fine = fine.transpose(0, 1, 3, 2, 4).reshape(20, 2 * SIZE, 2 * SIZE)
    logits = []
    for name, counts, pixel_size_m in (("coarse", coarse, 300e-6), ("fine", fine, 150e-6)):
        path = tmp_path / f"{name}.cxi"
        with h5py.File(path, "w") as file:
            file["cxi_version"] = 160
            file["entry_1/data_1/data"] = counts.astype(np.uint16)
            file["entry_1/instrument_1/source_1/energy"] = 1600.0 * 1.602_176_634e-19
            file["entry_1/instrument_1/detector_1/distance"] = 0.581
            file["entry_1/instrument_1/detector_1/x_pixel_size"] = pixel_size_m
            file["entry_1/instrument_1/detector_1/y_pixel_size"] = pixel_size_m
        with PatternSet.open(path) as patterns:
            assert patterns.geometry is not None
            logits.append(predictor(patterns).logits)
    np.testing.assert_array_equal(*logits)
