"""Grad-CAM looks where the network looks, pattern by pattern, and is what others compute."""

import numpy as np
import pytest
import torch
from torch import nn
from toy_vgg import random_weights

from xfelspi.classify import Architecture, Classifier, Inputs, Transfer, explain_patterns, grad_cam
from xfelspi.classify.explain import activations, stages
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.pictures import Explained, explanation_sheet

NETWORKS = [
    Architecture(),
    Architecture(network="resnet", blocks=(1, 1)),
    Architecture(inputs=Inputs(views=("pattern", "polar")), fusion="late", blocks=(1, 1)),
    Transfer(convention="bgr", sha256="", size=64),
]
NAMES = ["pooled", "resnet", "towers", "vgg16"]


def classifier_of(architecture):
    """With weights drawn at random and a normalization that has seen something."""
    torch.manual_seed(5)
    classifier = Classifier(architecture)
    if isinstance(architecture, Transfer):
        classifier.network.vgg.load_state_dict(random_weights(), assign=True)
    elif architecture.network == "resnet":
        classifier.prepare.per_deviation.fill_(1.0)
    else:
        classifier(frames(8, architecture.size))
    return classifier.eval()


def frames(n, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((n, size, size), 3.0), generator=generator)


class Logit(nn.Module):
    """The logit of being single, as one number a frame: what others explain."""

    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, frame):
        pair = self.classifier(frame)
        return pair[:, 1] - pair[:, 0]


@pytest.mark.parametrize("architecture", NETWORKS, ids=NAMES)
def test_it_is_what_captum_computes(architecture):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    classifier = classifier_of(architecture)
    layer = stages(classifier)[-1].layer
    for frame in frames(2, architecture.size).split(1):
        logit, cam = grad_cam(classifier, frame, layer)
        judge = captum.LayerGradCam(Logit(classifier), layer).attribute(frame.clone().requires_grad_())
        scale = judge.abs().max().item()
        assert scale > 0
        torch.testing.assert_close(cam, judge[0, 0].detach(), rtol=1e-4, atol=1e-5 * scale)
        assert logit == pytest.approx(Logit(classifier)(frame).item(), abs=1e-5)


@pytest.mark.parametrize("quadrant", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_network_that_sees_one_quadrant_lights_up_that_quadrant(quadrant):
    classifier = classifier_of(Architecture(network="resnet"))
    for part in classifier.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()  # nothing in, nothing out
    classifier.prepare.per_deviation.zero_()
    y, x = (slice(64 * side, 64 * side + 64) for side in quadrant)
    classifier.prepare.per_deviation[y, x] = 1.0
    _, cam = grad_cam(classifier, frames(1, 128), stages(classifier)[-1].layer)
    y, x = (slice(8 * side, 8 * side + 8) for side in quadrant)
    total = cam.abs().sum()
    assert total > 0
    assert cam[y, x].abs().sum() > 0.75 * total  # the blocks see a little further
    y, x = (slice(8 - 8 * side, 16 - 8 * side) for side in quadrant)
    assert cam[y, x].abs().sum() < 0.02 * total  # across the middle there is nothing


def test_of_averaged_channels_the_map_adds_up_to_the_logit():
    """Σ_yx cam = Σ_k w_k ⟨A_k⟩: the logit less the last offset (Zhou et al. 2016, CVPR, eq. 2)."""
    classifier = classifier_of(Architecture())
    bias = classifier.network.logits.bias.detach()
    for frame in frames(3, 128).split(1):
        logit, cam = grad_cam(classifier, frame, stages(classifier)[-1].layer)
        assert cam.sum().item() == pytest.approx(logit - (bias[1] - bias[0]).item(), abs=1e-5)


def test_what_speaks_for_the_one_speaks_against_the_other():
    classifier = classifier_of(Architecture())
    frame, layer = frames(1, 128), stages(classifier)[-1].layer
    logit, cam = grad_cam(classifier, frame, layer)
    last = classifier.network.logits
    with torch.no_grad():
        last.weight.copy_(last.weight.flip(0))
        last.bias.copy_(last.bias.flip(0))
    turned_logit, turned = grad_cam(classifier, frame, layer)
    torch.testing.assert_close(turned, -cam)
    assert turned_logit == pytest.approx(-logit, abs=1e-6)


@pytest.mark.parametrize("architecture", NETWORKS, ids=NAMES)
def test_stages_shrink_and_nothing_is_left_behind(architecture):
    classifier = classifier_of(architecture)
    frame = frames(1, architecture.size)
    with torch.no_grad():
        before = classifier(frame)
        seen = activations(classifier, frame, stages(classifier))
    edges = [maps.shape[1] for maps in seen.values()]
    assert len(edges) == 3
    assert edges == sorted(edges, reverse=True)
    assert all((maps >= 0).all() and maps.max() > 0 for maps in seen.values())
    grad_cam(classifier, frame, stages(classifier)[-1].layer)
    with torch.no_grad():
        torch.testing.assert_close(classifier(frame), before)
    assert all(parameter.grad is None for parameter in classifier.parameters())


def test_each_pattern_is_explained_alone(toy_model, toy_file):
    with PatternSet.open(toy_file) as patterns:
        together = explain_patterns(toy_model, patterns, [4, 1])
        apart = [explain_patterns(toy_model, patterns, [index])[0] for index in (4, 1)]
    for one, other in zip(together, apart, strict=True):
        assert one.index == other.index
        np.testing.assert_array_equal(one.cam, other.cam)
    assert np.isnan(together[0].frame[62:66, 62:66]).all()  # masked there


def test_a_frame_without_a_photon_is_no_hit(toy_model, tmp_path):
    np.save(tmp_path / "dark.npy", np.zeros((2, 128, 128), np.float32))
    with PatternSet.open(tmp_path / "dark.npy") as patterns:
        assert [one.probability for one in explain_patterns(toy_model, patterns, [0, 1])] == [0, 0]


def test_a_sheet_is_drawn_in_whole_rows(tmp_path, rng):
    from matplotlib.image import imread

    def row():
        pattern = rng.poisson(2.0, (32, 32)).astype(float)
        pattern[3] = np.nan
        seen = {"first": rng.random((4, 16, 16)), "last": np.zeros((4, 4, 4))}
        return Explained(caption="#1", pattern=pattern, activations=seen, cam=rng.normal(size=(4, 4)))

    sizes = [
        imread(explanation_sheet([row() for _ in range(n)], tmp_path / f"{n}.png", title="toy")).shape
        for n in (1, 3)
    ]
    assert sizes[0][1] == sizes[1][1] == 8 + 7 * (160 + 8)
    assert sizes[1][0] - sizes[0][0] == 2 * (160 + 16 + 8)
    with pytest.raises(InputError, match="No pattern"):
        explanation_sheet([], tmp_path / "none.png", title="toy")
