"""Augmentation changes the view, not what was hit."""

import math
from dataclasses import replace

import pytest
import torch

from xfelspi.classify import Augmentation
from xfelspi.classify.framing import MASKED
from xfelspi.classify.zoom import zoom
from xfelspi.errors import InputError

STILL = Augmentation(turns=False, shift_pixels=0, relief=0.0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("turns", "n"), [(False, 4), (True, 8)])
def test_flips_and_turns_reach_every_symmetry_of_the_square(turns, n):
    frame = torch.arange(16 * 16.0).view(16, 16)
    views = Augmentation(turns=turns, shift_pixels=0, relief=0.0)(frame.expand(300, -1, -1), generator())
    assert len({tuple(view.flatten().tolist()) for view in views}) == n
    assert (views.sum((1, 2)) == frame.sum()).all()


def test_shifts_reach_every_place_and_mask_what_comes_in():
    frame = torch.ones(16, 16)
    frame[8, 8] = 50
    moved = Augmentation(turns=False, shift_pixels=2, relief=0.0)(frame.expand(600, -1, -1), generator())
    places = {tuple(torch.nonzero(view == 50)[0].tolist()) for view in moved}
    assert places == {(y, x) for y in range(5, 11) for x in range(5, 11)}  # flipped to 7 or left at 8, +- 2
    n_new = (moved == MASKED).sum((1, 2))
    assert n_new.min() == 0
    assert n_new.max() == 256 - 14 * 14


def test_relief_is_smooth_and_leaves_dark_and_masked_pixels():
    frames = torch.full((40, 64, 64), 10.0)
    frames[:, 3, 4] = 0
    frames[:, 5, 6] = MASKED
    embossed = Augmentation(turns=False, shift_pixels=0, relief=0.7)(frames, generator())
    assert ((embossed == 0).sum(dim=(1, 2)) == 1).all()  # flips move them about
    assert ((embossed == MASKED).sum(dim=(1, 2)) == 1).all()
    logs = torch.where(embossed > 0, embossed / 10, torch.nan).log()
    assert 0.1 < logs[~logs.isnan()].std() < 0.7
    assert logs.diff(dim=2).nan_to_num().abs().max() < 0.35 * logs.nan_to_num().abs().max()


@pytest.mark.parametrize("mean", [1.0, 60.0])  # few photons and many are drawn in different ways
def test_thinned_poisson_counts_are_poisson_counts_of_a_dimmer_pulse(mean):
    """Kept with chance f = t^u, counts of mean m have mean and variance f m; mean f (1 - t) / ln(1 / t)."""
    thin, (n, size) = 0.2, (3000, 24)
    frames = torch.poisson(torch.full((n, size, size), mean), generator=generator(1))
    thinned = replace(STILL, thin=thin)(frames, generator(2))
    share = thinned.mean((1, 2)) / mean
    noise = (share.mean() / (mean * size**2)) ** 0.5  # of one frame's share, from counting
    assert thin - 5 * noise < share.min()
    assert share.max() < 1 + 5 * noise
    assert share.mean() == pytest.approx((1 - thin) / math.log(1 / thin), rel=0.03)
    assert share.log().mean() == pytest.approx(math.log(thin) / 2, rel=0.03)  # log-uniform
    dispersion = thinned.var((1, 2)) / thinned.mean((1, 2))
    assert dispersion.mean() == pytest.approx(1.0, abs=5 * (2 / (n * size**2)) ** 0.5)
    assert (thinned == thinned.round()).all()


def test_thinning_is_binomial_in_every_pixel():
    """Of exactly N photons, f N are kept on average, with variance N f (1 - f)."""
    frames = torch.full((400, 24, 24), 40.0)
    thinned = replace(STILL, thin=0.3)(frames, generator())
    share = thinned.mean((1, 2)) / 40.0
    expected = 40.0 * share * (1 - share)
    assert (thinned.var((1, 2)) / expected).mean() == pytest.approx(1.0, abs=0.02)
    assert (thinned <= 40).all()


def test_thinning_keeps_the_mask_and_shared_out_photons():
    frames = torch.full((200, 16, 16), 0.5)
    frames[:, 3, 4] = MASKED
    thinned = replace(STILL, thin=0.5)(frames, generator())
    assert ((thinned == MASKED).sum((1, 2)) == 1).all()
    for view in thinned:
        (half,) = view[view >= 0].unique()
        assert 0.25 <= half <= 0.5


def test_without_thinning_nothing_is_drawn_for_it():
    frames = torch.poisson(torch.full((9, 32, 32), 2.0))
    first, then = generator(), generator()
    changed = replace(STILL, thin=1.0)(frames, first)
    assert torch.equal(changed, STILL._move(frames, then))
    assert torch.equal(first.get_state(), then.get_state())


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
def test_zoomed_poisson_counts_are_as_many_as_expected(factor):
    """A pixel gets 1/factor^2 of the photons; whole counts, and no mask but from beyond the edge."""
    mean = 3.0
    frames = torch.poisson(torch.full((300, 32, 32), mean), generator=generator(1))
    zoomed = zoom(frames, torch.full((300,), factor), generator(2))
    assert (zoomed == zoomed.round()).all()
    measured = zoomed != MASKED
    assert (measured == measured[0]).all()
    edge = max(0, math.ceil(16 * (1 - factor)))
    assert measured[:, edge : 32 - edge, edge : 32 - edge].all()
    assert measured[0].sum() == pytest.approx(min(1, factor**2) * 32**2, rel=0.1)
    inner = zoomed[:, 8:24, 8:24]
    assert inner.mean() == pytest.approx(mean / factor**2, rel=0.01)


def test_zoom_magnifies_around_the_middle():
    y, x = torch.meshgrid(*2 * [torch.arange(64) - 31.5], indexing="ij")

    def spot(width):
        return 1e4 * torch.exp(-(x**2 + y**2) / (2 * width**2))[None]

    zoomed = zoom(spot(6.0), torch.tensor([1.4]), generator())
    assert torch.allclose(zoomed, spot(1.4 * 6.0) / 1.4**2, atol=0.02 * 1e4)


def test_zoom_takes_the_mask_along():
    frames = torch.full((1, 64, 64), 5.0)
    frames[:, :, 32:40] = MASKED  # from 0 to 8 pixels right of the middle
    for factor in (0.75, 1.25):
        zoomed = zoom(frames, torch.tensor([factor]), generator())
        row = zoomed[0, 32, 16:48]
        assert torch.equal(torch.nonzero(row == MASKED).flatten(), 16 + torch.arange(8 * factor))


def test_each_frame_is_zoomed_by_its_own_factor_up_to_the_largest():
    frames = torch.full((500, 32, 32), 100.0)
    zoomed = replace(STILL, zoom=1.4)(frames, generator())
    factor = (100.0 / zoomed[:, 14:18, 14:18].mean((1, 2))).sqrt()
    assert 1 / 1.4 - 0.01 < factor.min() < 0.73
    assert 1.37 < factor.max() < 1.41
    assert factor.log().mean() == pytest.approx(0.0, abs=0.03)


def test_holes_mask_some_of_some_frames_and_leave_the_rest():
    frames = torch.poisson(torch.full((400, 64, 64), 20.0)) + 1
    changed = replace(STILL, holes=3)(frames, generator())
    still = STILL(frames, generator())
    hidden = changed == MASKED
    assert torch.equal(changed[~hidden], still[~hidden])
    share = hidden.float().mean((1, 2))
    assert (share == 0).float().mean() == pytest.approx(0.25, abs=0.07)
    assert 0.1 < share.max() < 0.5


def test_occlusion_masks_up_to_half_beyond_a_line():
    frames = torch.poisson(torch.full((600, 64, 64), 20.0)) + 1
    changed = replace(STILL, halves=0.3)(frames, generator())
    still = STILL(frames, generator())
    hidden = changed == MASKED
    assert torch.equal(changed[~hidden], still[~hidden])
    share = hidden.float().mean((1, 2))
    chosen = share > 0
    assert chosen.float().mean() == pytest.approx(0.3, abs=0.06)
    assert share.max() <= 0.5
    assert share[chosen].min() > 0.15
    opposite = hidden & hidden.flip((1, 2))  # never both of two opposite pixels
    assert not opposite.any()


def test_chance_comes_from_the_generator_alone():
    frames = torch.poisson(torch.full((9, 32, 32), 2.0))
    every = Augmentation(thin=0.5, zoom=1.4, holes=2, halves=0.5)
    first, again, other = (every(frames, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_frames_stay_as_they_were():
    frames = torch.poisson(torch.full((9, 32, 32), 2.0)).half()
    before = frames.clone()
    Augmentation(thin=0.5, zoom=1.4, holes=2, halves=0.5)(frames, generator())
    assert torch.equal(frames, before)


@pytest.mark.parametrize(
    "wrong",
    [
        {"shift_pixels": -1},
        {"relief": -0.1},
        {"relief_nodes": 2},
        {"thin": 0.0},
        {"thin": 1.1},
        {"thin": math.nan},
        {"zoom": 0.9},
        {"zoom": math.nan},
        {"holes": -1},
        {"halves": 1.1},
    ],
)
def test_values_out_of_bounds_are_one_sentence(wrong):
    with pytest.raises(InputError, match="needed"):
        Augmentation(**wrong)
