"""Sets of frames: what is read, what is refused, and how they are brought to the same photons."""

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from toy_frames import frame_set

from xfelspi.errors import InputError
from xfelspi.fidelity import FrameSet, common_total, on_common_pixels, thinned
from xfelspi.patterns import PatternSet


@pytest.fixture
def patterns(tmp_path, rng):
    def write(shape, masked=None):
        path = tmp_path / "frames.h5"
        with h5py.File(path, "w") as file:
            file["patterns"] = rng.poisson(2.0, (4, *shape)).astype(np.uint16)
            mask = np.zeros(shape, np.uint8)
            if masked is not None:
                mask[masked] = 1
            file["mask"] = mask
        return PatternSet.open(path)

    return write


def test_a_frame_is_cropped_about_its_middle(patterns):
    with patterns((20, 31)) as file:
        frames = FrameSet.read(file, [2, 0], size=16)
        assert_array_equal(frames.counts, file.frames(0, 4).counts[[2, 0], 2:18, 8:24])
    assert frames.centre_yx == (7.5, 7.0)
    assert frames.good.all()


def test_a_smaller_frame_is_padded_with_pixels_that_are_not_good(patterns):
    with patterns((10, 12), masked=(0, 0)) as file:
        frames = FrameSet.read(file, size=16)
        assert frames.good.sum() == 119
        assert frames.totals.sum() == file.frames(0, 4).counts.sum() - file.frames(0, 4).counts[:, 0, 0].sum()


def test_binned_pixels_are_sums_and_good_where_all_are(patterns):
    with patterns((32, 32), masked=(5, 8)) as file:
        frames = FrameSet.read(file, size=16, binning=2)
        whole = file.frames(0, 4).counts.reshape(4, 16, 2, 16, 2).sum(axis=(2, 4))
    assert_array_equal(np.argwhere(~frames.good), [[2, 4]])
    assert_array_equal(frames.counts[:, frames.good], whole[:, frames.good])
    assert frames.centre_yx == (7.5, 7.5)


def test_reading_nothing_is_one_sentence(patterns):
    with patterns((16, 16)) as file:
        for indices, size in (([], 16), ([4], 16), ([-1], 16), (None, 4)):
            with pytest.raises(InputError):
                FrameSet.read(file, indices, size=size)


@pytest.mark.parametrize(
    ("counts", "good"),
    [
        (np.ones((0, 8, 8)), np.ones((8, 8), bool)),
        (np.ones((8, 8)), np.ones((8, 8), bool)),
        (np.ones((2, 8, 8)), np.zeros((8, 8), bool)),
        (np.ones((2, 8, 8)), np.ones((8, 9), bool)),
        (np.ones((2, 8, 8)), np.ones((8, 8))),
        (np.full((2, 8, 8), -1.0), np.ones((8, 8), bool)),
        (np.full((2, 8, 8), np.nan), np.ones((8, 8), bool)),
    ],
)
def test_what_is_no_set_of_frames_is_refused(counts, good):
    with pytest.raises(InputError):
        FrameSet(counts=counts, good=good, centre_yx=(3.5, 3.5))


def test_a_centre_off_the_frame_is_refused():
    for centre in ((9.0, 3.5), (3.5, float("nan"))):
        with pytest.raises(InputError):
            FrameSet(counts=np.ones((1, 8, 8)), good=np.ones((8, 8), bool), centre_yx=centre)


def test_sets_meet_on_pixels_good_in_both(rng):
    counts = rng.poisson(1.0, (3, 8, 8))
    first, second = np.ones((2, 8, 8), bool)
    first[0], second[:, 0] = False, False
    for frames in on_common_pixels(frame_set(counts, first), frame_set(counts, second)):
        assert_array_equal(frames.good, first & second)
        assert frames.counts[:, ~frames.good].sum() == 0
    with pytest.raises(InputError, match="good in both"):
        on_common_pixels(frame_set(counts, first), frame_set(counts, ~first))
    with pytest.raises(InputError, match="same size"):
        on_common_pixels(frame_set(counts), frame_set(counts[:, :7]))


def test_thinned_frames_hold_the_same_photons_and_keep_their_shape(rng):
    light = rng.uniform(0, 20, (16, 16))
    bright = frame_set(rng.poisson(light * rng.uniform(0.5, 5, (400, 1, 1))))
    total = common_total(bright)
    dimmed, kept = thinned(bright, total)
    assert 370 <= kept.size < 400  # about 5 % are dimmer
    assert_array_equal(dimmed.totals, total)
    assert (dimmed.counts <= bright.counts[kept]).all()
    expected = light / light.sum() * total
    chi2 = ((dimmed.counts.mean(axis=0) - expected) ** 2 / expected).sum() * kept.size
    assert abs(chi2 - 255) < 4 * np.sqrt(2 * 255)
    assert_array_equal(thinned(bright, total)[0].counts, dimmed.counts)
    assert (thinned(bright, total, seed=1)[0].counts != dimmed.counts).any()


def test_thinning_makes_no_photons():
    with pytest.raises(InputError):
        thinned(frame_set(np.ones((2, 8, 8))), 65)
    with pytest.raises(InputError, match="photons"):
        common_total(frame_set(np.ones((2, 8, 8))))
