"""Augmentation changes the view, not what was hit."""

import pytest
import torch

from xfelspi.classify import Augmentation
from xfelspi.classify.framing import MASKED
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


def test_chance_comes_from_the_generator_alone():
    frames = torch.poisson(torch.full((9, 32, 32), 2.0))
    first, again, other = (Augmentation()(frames, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_frames_stay_as_they_were():
    frames = torch.poisson(torch.full((9, 32, 32), 2.0)).half()
    before = frames.clone()
    Augmentation()(frames, generator())
    assert torch.equal(frames, before)


@pytest.mark.parametrize("wrong", [{"shift_pixels": -1}, {"relief": -0.1}, {"relief_nodes": 2}])
def test_values_out_of_bounds_are_one_sentence(wrong):
    with pytest.raises(InputError, match="needed are"):
        Augmentation(**wrong)
