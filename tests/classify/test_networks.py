"""The networks are what they are said to be."""

import copy
import subprocess
import sys

import pytest
import torch
from torch.testing import assert_close

from xfelspi.classify import Architecture, Classifier, Inputs, ResNet
from xfelspi.classify.framing import MASKED
from xfelspi.classify.predict import fold_normalization
from xfelspi.classify.prepare import SquareRoot, Standardize
from xfelspi.classify.resnet import Pool, Thinned
from xfelspi.errors import InputError


def weights(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_network_has_ten_layers_and_the_published_shapes():
    network = ResNet(2, 2)
    shapes = []
    for part in (network.stem, network.blocks[0], network.blocks[1], network.pool):
        part.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    assert network(torch.zeros(2, 1, 128, 128)).shape == (2, 2)
    assert shapes == [(16, 64, 64), (32, 32, 32), (64, 16, 16), (64, 8, 8)]
    kernels = [part for part in network.modules() if isinstance(part, torch.nn.Conv2d | torch.nn.Linear)]
    assert len([part for part in kernels if getattr(part, "kernel_size", None) != (1, 1)]) == 10


def test_number_of_weights():
    """169.6 k without projections (16 x 32 + 32 x 64) and normalization, whose 496 channels have two each."""
    network = ResNet(2, 2)
    extra = (
        16 * 32
        + 32 * 64
        + 2 * sum(part.num_features for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d))
    )
    assert weights(network) == 173_170
    assert weights(network) - extra == 169_618
    assert weights(ResNet(3, 2)) - weights(network) == 2 * (32 * 32 * 9 + 64)
    assert weights(network) - weights(ResNet(2, 2, pooling="mean")) == 2 * 64 * 63


TWO = Inputs(views=("pattern", "patterson"))


@pytest.mark.parametrize(
    ("kind", "n_views"),
    [
        ({"network": "pooled"}, 1),
        ({"network": "resnet"}, 1),
        ({"pooling": "mean+max", "width": 0.5}, 1),
        ({"inputs": TWO}, 2),
        ({"inputs": TWO, "fusion": "late"}, 2),
    ],
)
def test_folding_the_normalization_changes_nothing(kind, n_views):
    torch.manual_seed(0)
    whole = Classifier(Architecture(blocks=(2, 1), **kind)).network
    for _ in range(3):  # averages that are not 0 and 1
        whole(torch.randn(8, n_views, 128, 128) + 1)
    whole.eval()
    folded = fold_normalization(copy.deepcopy(whole))
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    x = torch.randn(4, n_views, 128, 128)
    assert_close(folded(x), whole(x), rtol=1e-4, atol=1e-5)


def test_every_second_place_is_a_stride():
    x = torch.randn(3, 5, 8, 8, dtype=torch.float64)
    thinned = Thinned(5, 7, 2).double()
    assert_close(thinned(x), torch.nn.functional.conv2d(x, thinned.weight, stride=2))


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_few_channels_learn_without_harm_to_memory(width):
    """In a process of its own: what writes beyond its memory ends it."""
    code = f"""
import torch
from xfelspi.classify import Architecture, Classifier
network = Classifier(Architecture(width={width})).to(memory_format=torch.channels_last)
for _ in range(3):
    network(torch.ones(32, 128, 128)).sum().backward()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_wider_network_has_more_channels_everywhere():
    wide = ResNet(2, 2, pooling="mean", width=1.5)
    assert [
        part[0].out_channels for part in (wide.stem, wide.blocks[0][0].first, wide.blocks[1][0].first)
    ] == [
        24,
        48,
        96,
    ]
    assert wide.logits.in_features == 96


def test_highest_values_stand_beside_the_means():
    x = torch.randn(3, 5, 6, 6)
    assert torch.equal(Pool(highest=True)(x), torch.cat([Pool(highest=False)(x), x.amax((2, 3))], dim=1))


def test_views_that_come_together_late_do_not_mix():
    """Features of one view stay as they are whatever the other shows."""
    torch.manual_seed(0)
    towers = Classifier(Architecture(inputs=TWO, fusion="late")).network.eval()
    seen = []
    towers.logits.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.randn(2, 2, 128, 128)
    towers(x)
    x[:, 1] = torch.randn(2, 128, 128)
    towers(x)
    assert torch.equal(seen[0][:, :64], seen[1][:, :64])
    assert not torch.allclose(seen[0][:, 64:], seen[1][:, 64:])


def test_square_root_does_not_see_brightness():
    torch.manual_seed(0)
    expected = 20 + 200 * torch.rand(1, 64, 64)
    dim, bright = SquareRoot()(expected), SquareRoot()(5 * expected)
    assert_close(dim, bright, rtol=0.05, atol=0.02)


def test_square_root_makes_poisson_noise_even():
    torch.manual_seed(0)
    mean = torch.tensor([2.0, 8.0, 30.0]).repeat_interleave(4000).expand(1, 1, -1)
    shown = SquareRoot()(torch.poisson(mean))[0, 0, 0] * mean.mean().sqrt()
    assert_close(shown.view(3, -1).var(dim=1), torch.full((3,), 0.25), rtol=0.12, atol=0)


def test_masked_pixels_are_zero_whatever_prepares():
    frames = torch.poisson(torch.full((50, 16, 16), 3.0))
    frames[:, 4, 5] = MASKED
    standardize = Standardize(16)
    standardize.learn([frames[:50]])
    for prepare in (SquareRoot(), standardize):
        assert (prepare(frames)[:, 0, 4, 5] == 0).all()
    frames[:, 7, 7] = MASKED  # and masks of another detector
    assert (standardize(frames)[:, 0, 7, 7] == 0).all()


def test_a_frame_without_photons_is_no_accident():
    frames = torch.zeros(2, 16, 16)
    frames[1] = MASKED
    assert SquareRoot()(frames).abs().max() == 0


def test_standardized_pixels_have_no_mean_and_unit_variance():
    torch.manual_seed(0)
    frames = torch.poisson(torch.rand(16, 16) * 9 + 1.0 + torch.zeros(3000, 1, 1)).half()
    frames[:, 0, 0] = 0  # never changes
    standardize = Standardize(16)
    standardize.learn(frames.split(1024))
    shown = standardize(frames.float())[:, 0]
    expected = torch.ones(16, 16)
    expected[0, 0] = 0
    assert_close(shown.std(dim=0), expected, rtol=1e-3, atol=1e-3)
    assert_close(shown.mean(dim=0), torch.zeros(16, 16), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"network": "vgg"}, "pooled, resnet"),
        ({"blocks": (0, 2)}, "2,2"),
        ({"blocks": (2, 2, 2)}, "2,2"),
        ({"size": 100}, "16"),
        ({"pooling": "max"}, "mean, mean\\+max"),
        ({"fusion": "middle"}, "early, late"),
        ({"width": 0.0}, "0.25"),
        ({"network": "resnet", "width": 2.0}, "pooled"),
        ({"network": "resnet", "inputs": TWO}, "pooled"),
    ],
)
def test_what_is_no_architecture_is_one_sentence(given, said):
    with pytest.raises(InputError, match=said):
        Architecture(**given)
