"""How far the Patterson function reaches: a single's ends at its diameter, whatever the shape."""

import numpy as np
import pytest
import torch

from xfelspi.classify import Architecture, Classifier
from xfelspi.classify.chance import chance
from xfelspi.classify.framing import MASKED
from xfelspi.classify.networks import NETWORK_SHARE
from xfelspi.classify.reach import NEAREST, Reach, stretch
from xfelspi.errors import InputError

SIZE, EDGE = 128, 6  # a particle of 6 pixels of lag, as 69 nm are for a detector of 300 um at 0.581 m


def density(places, form):
    """Particles on a grid whose spacing is a pixel of lag."""
    picture = np.zeros((SIZE, SIZE))
    for y, x in places:
        picture[y : y + EDGE, x : x + EDGE] += form
    return picture


def frames_of(places, form, photons, n, rng):
    light = np.abs(np.fft.fftshift(np.fft.fft2(density(places, form)))) ** 2
    light *= photons / light.sum()
    counts = torch.from_numpy(rng.poisson(light, (n, SIZE, SIZE)).astype(np.float32))
    counts[:, 60:68, 60:68] = MASKED
    return counts


def square():
    return np.ones((EDGE, EDGE))


def ring():
    form = square()
    form[1:-1, 1:-1] = 0.0
    return form


def corner():
    return np.tril(square())


def disc(radius):
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    return 1.0 / (1 + np.exp(4 * (np.hypot(y, x) - radius)))  # an edge that is smooth on this grid


@pytest.fixture(scope="module")
def reach():
    return Reach(SIZE).eval()


def value(reach, frames, lag):
    return reach.measure(frames).exp()[:, lag - NEAREST]


@pytest.mark.parametrize("form", [square, ring, corner], ids=lambda f: f.__name__)
@pytest.mark.parametrize("apart", [14, 30])
def test_a_pair_reaches_as_far_as_it_is_apart_and_a_single_does_not(reach, rng, form, apart):
    single = frames_of([(40, 40)], form(), 2e4, 16, rng)
    pair = frames_of([(40, 40), (40, 40 + apart)], form(), 2e4, 16, rng)
    beyond = 2 * EDGE
    assert value(reach, single, beyond).max() < 0.6 * value(reach, pair, beyond).min()
    noise = value(reach, pair, apart + beyond).median()
    assert value(reach, pair, apart).min() > 2.0 * noise


@pytest.mark.parametrize("mean", [0.5, 20.0])
def test_noise_alone_is_the_unit(reach, rng, mean):
    """|Fourier transform| of even noise has the rms 1: the strongest of some 6,000 is about √ln 6000."""
    frames = torch.from_numpy(rng.poisson(mean, (16, SIZE, SIZE)).astype(np.float32))
    assert value(reach, frames, 20).mean().item() == pytest.approx(np.sqrt(np.log(6000)), rel=0.1)


def test_how_a_frame_lies_does_not_matter(reach, rng):
    frames = frames_of([(40, 40), (52, 61)], corner(), 5e3, 4, rng)
    expected = reach.measure(frames)
    for laid in (frames.flip(1), frames.flip(2), frames.transpose(1, 2)):
        torch.testing.assert_close(reach.measure(laid.contiguous()), expected, rtol=1e-3, atol=1e-3)


def test_a_frame_without_photons_says_nothing(reach):
    assert torch.isfinite(reach.measure(torch.zeros(2, SIZE, SIZE))).all()
    assert torch.isfinite(reach.measure(torch.full((2, SIZE, SIZE), MASKED))).all()


def test_logits_are_those_of_the_network_and_of_reach_together(rng):
    classifier = Classifier(Architecture(reach=True)).eval()
    frames = frames_of([(40, 40)], square(), 1e4, 3, rng)
    with torch.inference_mode():
        network, reach = classifier.network(classifier.prepare(frames)), classifier.reach(frames)
        torch.testing.assert_close(classifier(frames), NETWORK_SHARE * network + reach)


def test_stretched_reach_is_that_of_a_particle_as_much_larger(reach):
    light = [np.abs(np.fft.fftshift(np.fft.fft2(one))) ** 2 for one in (disc(6.0), disc(7.2))]
    small, large = (torch.from_numpy(1e7 * one / one.sum()).float()[None] for one in light)
    measured = reach.measure(small)
    stretched = stretch(measured, torch.tensor([1.2]))
    near = slice(10 - NEAREST, 18 - NEAREST)  # from within the particles to beyond both
    wanted = reach.measure(large)[:, near]
    assert (stretched[:, near] - wanted).abs().mean() < 0.5 * (measured[:, near] - wanted).abs().mean()
    assert torch.equal(stretch(measured, torch.ones(1)), measured)


def test_in_training_every_frame_has_a_size_of_its_own_and_the_seed_decides(rng):
    classifier = Classifier(Architecture(reach=True)).eval()
    frame = frames_of([(40, 40)], square(), 1e4, 1, rng)
    frames = frame.expand(4, -1, -1).contiguous()
    with torch.inference_mode():
        first, again = (classifier.opinions(frames, frames, chance(3))[1] for _ in range(2))
    assert torch.equal(first, again)
    assert len(torch.unique(first[:, 0])) == 4


def test_the_published_network_has_none():
    with pytest.raises(InputError, match="as published"):
        Architecture(network="resnet", reach=True)
