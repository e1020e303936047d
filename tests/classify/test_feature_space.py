"""Features are what the last layer sees."""

import copy
from dataclasses import replace

import numpy as np
import torch
from toy_shots import write_plain

from xfelspi.classify import features
from xfelspi.classify.predict import Predictor
from xfelspi.patterns import PatternSet


def test_the_last_layer_makes_the_logits_of_them(toy_model, tmp_path):
    labels = np.arange(40) % 2
    chosen = np.array([7, 0, *range(3, 38)])
    before = toy_model.classifier.training
    alone = replace(toy_model, classifier=copy.deepcopy(toy_model.classifier))
    alone.classifier.reach = None  # what it adds to the logits does not come from the features
    with PatternSet.open(write_plain(tmp_path / "plain.h5", labels)) as patterns:
        found = features(toy_model, patterns, chosen)
        logits = Predictor(alone)(patterns).logits[chosen]
    last = toy_model.classifier.network.logits
    assert found.shape == (len(chosen), last.in_features)
    with torch.inference_mode():
        pair = last(torch.from_numpy(found))
    np.testing.assert_allclose((pair[:, 1] - pair[:, 0]).numpy(), logits, atol=0.15)  # bfloat16
    assert toy_model.classifier.training == before
    assert not last._forward_pre_hooks


def test_no_frames_have_no_features(toy_model, tmp_path):
    with PatternSet.open(write_plain(tmp_path / "plain.h5", np.array([0, 1]))) as patterns:
        assert features(toy_model, patterns, []).shape == (0, toy_model.classifier.network.logits.in_features)
