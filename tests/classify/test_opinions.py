"""Turns of a frame and several models: the logit is the mean of all."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from xfelspi.classify import Classifier, ModelFrame, Predictor
from xfelspi.classify.ensemble import Ensemble
from xfelspi.classify.predict import ReadyClassifier
from xfelspi.classify.turned import Turned, symmetries
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet


@pytest.fixture
def second(toy_model):
    """Another model of the same kind, its weights untrained."""
    torch.manual_seed(5)
    return replace(toy_model, classifier=Classifier(toy_model.architecture))


def logits_of(patterns, *models, **settings):
    with PatternSet.open(patterns) as opened:
        return Predictor(*models, **settings)(opened).logits


def test_the_symmetries_are_the_eight_of_the_square():
    frame = torch.arange(9.0).view(1, 3, 3)
    views = {tuple(view.flatten().tolist()) for view in symmetries(frame)}
    assert len(views) == 8
    assert all(view[0, 1, 1] == 4 for view in symmetries(frame))
    transposed = frame.transpose(1, 2)
    assert views == {tuple(view.flatten().tolist()) for view in symmetries(transposed)}


def test_turned_logits_are_the_mean_of_eight_and_do_not_turn(toy_model):
    frames = torch.poisson(torch.rand(4, 128, 128) * 3)
    alone = ReadyClassifier(toy_model.classifier, torch.float32, torch.device("cpu"))
    see = Turned(alone.see)

    def turned(frames):
        return see(frames)[0]

    eight = [
        alone(view)
        for flipped in (frames, frames.flip(1))
        for view in (torch.rot90(flipped, quarter, (1, 2)) for quarter in range(4))
    ]
    torch.testing.assert_close(turned(frames), torch.stack(eight).mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(turned(frames), turned(torch.rot90(frames, 1, (1, 2))), rtol=1e-4, atol=1e-4)
    assert (turned(frames) - alone(frames)).abs().max() > 1e-3
    assert torch.equal(see(frames)[1], alone.see(frames)[1])


def test_an_ensemble_says_the_mean_of_its_members():
    members = [lambda frames, gain=gain: (gain * frames.sum((1, 2)), gain * frames[:, 0]) for gain in (1, 3)]
    frames = torch.ones(2, 3, 3)
    logits, features = Ensemble(members)(frames)
    assert logits.tolist() == [18.0, 18.0]
    assert torch.equal(features, frames[:, 0])


def test_models_are_asked_together(toy_model, second, toy_file):
    one, other, both = (
        logits_of(toy_file, *models) for models in ([toy_model], [second], [toy_model, second])
    )
    np.testing.assert_allclose(both, (one + other) / 2, atol=0.15)  # bfloat16
    assert np.abs(one - other).max() > 1


def test_models_and_turns_go_together(toy_model, second, toy_file):
    one, other = (logits_of(toy_file, model, turns=True) for model in (toy_model, second))
    np.testing.assert_allclose(
        logits_of(toy_file, toy_model, second, turns=True), (one + other) / 2, atol=0.15
    )


def test_models_that_see_different_frames_are_not_asked_together(toy_model):
    with pytest.raises(InputError, match="different frames"):
        Predictor(toy_model, replace(toy_model, frame=ModelFrame(size=64)))
