"""Every view of a frame shows what it promises, and no mask."""

import math

import pytest
import torch
from torch.testing import assert_close

from xfelspi.classify import Architecture, Classifier, Inputs
from xfelspi.classify.framing import MASKED
from xfelspi.classify.prepare import Logarithm, Scaled, SquareRoot
from xfelspi.classify.rings import RingMean, RowMean, radius
from xfelspi.classify.views import Patterson, Polar, Views, Wide
from xfelspi.errors import InputError

SIZE = 64
Y, X = torch.meshgrid(*2 * [torch.arange(SIZE) - (SIZE - 1) / 2], indexing="ij")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def fringes(dy, dx, mean=50.0):
    """Two points, (dy, dx) pixels of lag apart."""
    return mean * (1 + torch.cos(2 * math.pi * (dy * Y + dx * X) / SIZE))[None]


@pytest.mark.parametrize("scaled", [Scaled, SquareRoot, Logarithm])
def test_ring_normalization_takes_the_radial_profile_away(scaled):
    """A pattern times any function of its ring shows the same where there is light."""
    profile = torch.exp(4 * torch.rand(SIZE, generator=generator()))[radius(SIZE).long()]
    bright = 1e6 * (1 + 0.5 * torch.cos(0.7 * X + 0.2 * Y))[None]
    shown = scaled(RingMean(SIZE))
    assert_close(shown(bright * profile), shown(bright), rtol=2e-3, atol=2e-3)
    assert shown(bright).std() > 0.1
    flat = shown(1e6 * profile[None])
    assert flat.std() < 1e-2 * flat.mean()


def test_ring_means_leave_out_what_is_masked():
    counts = torch.full((1, SIZE, SIZE), 7.0)
    good = torch.rand(1, SIZE, SIZE, generator=generator()) < 0.8
    mean = RingMean(SIZE)(counts * good, good)
    assert_close(mean[good], torch.full_like(mean[good], 7.0))


@pytest.mark.parametrize("scaled", [Scaled, SquareRoot, Logarithm])
def test_brightness_is_gone_and_no_photons_are_zero(scaled):
    frames = 1e4 * torch.rand(1, SIZE, SIZE, generator=generator()) + 1e4
    frames[0, 0, 0] = 0
    frames[0, 0, 1] = MASKED
    assert_close(
        scaled()(frames.clamp_min(MASKED)),
        scaled()(torch.where(frames > 0, 9 * frames, frames)),
        rtol=0.02,
        atol=0,
    )
    assert (scaled()(frames)[0, 0, 0, :2] == 0).all()


@pytest.mark.parametrize(("dy", "dx"), [(0, 14), (9, -11), (-20, 3)])
def test_two_points_show_lobes_at_plus_and_minus_their_distance(dy, dx):
    frames = torch.poisson(fringes(dy, dx), generator=generator())
    shown = Patterson(SIZE)(frames)[0, 0]
    middle = SIZE // 2
    top = {(int(i) // SIZE - middle, int(i) % SIZE - middle) for i in shown.flatten().topk(2).indices}
    assert top == {(dy, dx), (-dy, -dx)}
    assert shown.max() > 10 * shown.median()


def test_the_patterson_view_does_not_see_a_masked_gap():
    """Noise alone stays noise behind a mask, and lobes stay where and as high as they were."""
    hidden = (Y.abs() < 5) | (X > 20)
    flat = torch.poisson(torch.full((40, SIZE, SIZE), 30.0), generator=generator())
    patterson = Patterson(SIZE)
    plain, gap = (patterson(f)[:, 0].square().mean(0) for f in (flat, flat.masked_fill(hidden, MASKED)))
    away = torch.hypot(*torch.meshgrid(*2 * [torch.arange(SIZE) - SIZE / 2], indexing="ij")) > 6
    assert plain[away].max() < 2.5
    assert gap[away].max() < 2.5
    pair = torch.poisson(fringes(4, 15), generator=generator())
    whole, cut = (patterson(f)[0, 0] for f in (pair, pair.masked_fill(hidden, MASKED)))
    assert int(whole.argmax()) in cut.flatten().topk(2).indices.tolist()
    assert cut.max() == pytest.approx(float(whole.max()), rel=0.25)
    naive = patterson(flat.masked_fill(hidden, 0.0))[:, 0].square().mean(0)
    assert naive[away].max() > 20  # a gap taken for darkness shows


def test_the_patterson_view_of_a_frame_does_not_depend_on_its_neighbours():
    frames = torch.poisson(fringes(3, 9).expand(3, -1, -1), generator=generator())
    frames[0, 20:30] = MASKED
    together = Patterson(SIZE)(frames)
    alone = torch.cat([Patterson(SIZE)(frame[None]) for frame in frames])
    assert_close(together, alone, rtol=1e-3, atol=0.03)  # roots of what rounding leaves of 0


@pytest.mark.parametrize("step", [0, 10, 41])
def test_a_turned_pattern_is_shifted_along_the_polar_view(step):
    angle = step * math.pi / SIZE
    frame = (100 + 80 * torch.cos(0.04 * (X * math.cos(angle) + Y * math.sin(angle)) ** 2))[None]
    straight = (100 + 80 * torch.cos(0.04 * X**2))[None]
    polar = Polar(SIZE, Scaled(RowMean()))
    turned, still = polar(frame)[0, 0], polar(straight)[0, 0]
    shifted = still.roll(step, dims=1)
    assert torch.corrcoef(torch.stack([turned.flatten(), shifted.flatten()]))[0, 1] > 0.97


def test_rings_of_the_polar_view_have_mean_one_and_no_mask():
    frames = torch.poisson(1e3 * torch.exp(-radius(SIZE) / 20)[None].expand(5, -1, -1), generator=generator())
    frames[:, 20:24] = MASKED  # the opposite pixels stand in
    shown = Polar(SIZE, Scaled(RowMean()))(frames)[:, 0]
    assert (shown > 0).all()
    assert_close(shown.mean(2), torch.ones(5, SIZE), rtol=0, atol=0.02)


def test_the_wide_view_adds_two_by_two():
    frames = torch.poisson(torch.full((2, SIZE, SIZE), 3.0), generator=generator())
    frames[:, :2, :2] = MASKED
    shown = Wide(Scaled())(frames)[:, 0]
    sums = frames.unfold(1, 2, 2).unfold(2, 2, 2).sum((3, 4))
    sums[:, 0, 0] = 0
    mean = sums.sum((1, 2), keepdim=True) / (SIZE**2 / 4 - 1)
    assert_close(shown, sums / mean, rtol=1e-3, atol=1e-4)


def test_beside_the_wide_view_the_others_look_at_the_middle():
    frames = torch.poisson(torch.full((2, SIZE, SIZE), 3.0), generator=generator())
    shown = Views(Inputs(views=("pattern", "wide")), SIZE)(frames)
    assert shown.shape == (2, 2, SIZE // 2, SIZE // 2)
    middle = frames[:, SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4]
    assert torch.equal(shown[:, :1], SquareRoot()(middle))


@pytest.mark.parametrize(
    "views", [("patterson",), ("polar",), ("pattern", "patterson", "polar"), ("pattern", "wide")]
)
@pytest.mark.parametrize("rings", [False, True])
def test_frames_without_photons_or_pixels_are_no_accident(views, rings):
    inputs = Inputs(views=views, rings=rings)
    classifier = Classifier(Architecture(size=128 * inputs.reach, inputs=inputs)).eval()
    frames = torch.zeros(2, 128 * inputs.reach, 128 * inputs.reach)
    frames[1] = MASKED
    assert classifier(frames).isfinite().all()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert classifier(frames).isfinite().all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"views": ("hologram",)}, "patterson"),
        ({"views": ()}, "one or more"),
        ({"views": ("polar", "polar")}, "twice"),
        ({"transform": "cube"}, "sqrt, log, raw"),
    ],
)
def test_views_that_there_are_not_are_one_sentence(wrong, said):
    with pytest.raises(InputError, match=said):
        Inputs(**wrong)
