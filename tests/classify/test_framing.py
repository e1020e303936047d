"""Frames of any detector in a model's square: photons are moved, neither made nor lost."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xfelspi.classify import Framing, ModelFrame, frame_to_learn
from xfelspi.classify.framing import MASKED
from xfelspi.errors import InputError
from xfelspi.patterns import Geometry

FRAME = ModelFrame(size=32)


def geometry(shape, pixel_um=300.0, **changes):
    centre = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    known = {"photon_energy_ev": 1600.0, "distance_m": 0.581, "centre_yx": centre}
    return Geometry(pixel_size_m=pixel_um * 1e-6, **known | changes)


def no_mask(shape):
    return np.zeros(shape, bool)


def test_the_default_detector_is_cropped_without_touching_a_count(rng):
    counts = rng.poisson(3.0, (2, 64, 64)).astype(np.uint16)
    framed = Framing((64, 64), no_mask((64, 64)), geometry((64, 64)), FRAME)(counts)
    assert_array_equal(framed, counts[:, 16:48, 16:48])


@pytest.mark.parametrize("shape", [(20, 32), (33, 20), (32, 40), (7, 7)])
def test_a_smaller_frame_is_surrounded_by_masked_pixels(rng, shape):
    counts = rng.poisson(3.0, (1, *shape)).astype(np.uint16)
    framed = Framing(shape, no_mask(shape), None, FRAME)(counts)[0]
    known = framed != MASKED
    assert known.sum() == min(shape[0], 32) * min(shape[1], 32)
    if max(shape) <= 32:
        assert framed[known].sum() == counts.sum()


def test_smaller_pixels_are_added_up_whole(rng):
    counts = rng.poisson(3.0, (3, 256, 256)).astype(np.uint16)
    framing = Framing((256, 256), no_mask((256, 256)), geometry((256, 256), pixel_um=75.0), FRAME)
    assert_array_equal(framing(counts), counts[:, 64:192, 64:192].reshape(3, 32, 4, 32, 4).sum((2, 4)))


def test_frames_without_a_geometry_are_taken_as_those_learned_from(rng):
    shape = (128, 128)
    counts = rng.poisson(3.0, (2, *shape)).astype(np.uint16)
    fine = geometry(shape, pixel_um=150.0)
    learned = frame_to_learn(32, [fine, None, fine])
    stated, unstated = (Framing(shape, no_mask(shape), known, learned)(counts) for known in (fine, None))
    assert_array_equal(unstated, stated)
    assert_array_equal(stated[0], counts[0, 32:96, 32:96].reshape(32, 2, 32, 2).sum((1, 3)))


def test_a_model_of_several_scales_takes_them_as_its_own():
    assert frame_to_learn(32, [geometry((64, 64), 75.0), geometry((64, 64), 300.0)]) == FRAME
    assert frame_to_learn(32, [None]) == frame_to_learn(32, []) == FRAME


@pytest.mark.parametrize("pixel_um", [70.0, 200.0, 430.0, 500.0])
def test_photons_are_conserved_at_any_scale(rng, pixel_um):
    shape = (101, 90)
    counts = np.zeros((2, *shape), np.uint16)
    # all photons near the middle, where the model looks whatever the scale
    counts[:, 48:53, 42:47] = rng.poisson(5.0, (2, 5, 5))
    framed = Framing(shape, no_mask(shape), geometry(shape, pixel_um), FRAME)(counts)
    assert_allclose(framed.clip(0).sum((1, 2)), counts.sum((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("changes", [{"photon_energy_ev": 800.0}, {"distance_m": 0.581 * 2}])
def test_momentum_transfer_decides_the_scale(changes):
    """At half the energy or twice the distance two pixels of the detector make one of the model's."""
    shape = (64, 64)
    counts = np.zeros((1, *shape), np.uint16)
    counts[0, 32:34, 42:44] = 10  # 10 pixels right of the centre
    framed = Framing(shape, no_mask(shape), geometry(shape, **changes), FRAME)(counts)[0].clip(0)
    expected = np.zeros((32, 32))
    expected[16, 21] = 40  # 5 pixels right of the centre
    assert_allclose(framed, expected, atol=1e-4)


def test_wider_pixels_are_taken_one_for_one(rng):
    """What a wide pixel counted did not fall on its halves: photons stay whole."""
    counts = rng.poisson(2.0, (1, 64, 64)).astype(np.uint16)
    framed = Framing((64, 64), no_mask((64, 64)), geometry((64, 64), pixel_um=600.0), FRAME)(counts)
    assert_array_equal(framed, counts[:, 16:48, 16:48])


def test_the_beam_centre_goes_to_the_middle():
    shape = (64, 64)
    counts = np.zeros((1, *shape), np.uint16)
    counts[0, 40, 22] = 7
    centred = geometry(shape, centre_yx=(40.0, 22.0))
    framed = Framing(shape, no_mask(shape), centred, FRAME)(counts)[0]
    y, x = np.argwhere(framed == 7)[0]
    assert {y, x} <= {15, 16}


def test_bad_pixels_are_masked_and_their_counts_dropped():
    shape = (32, 32)
    mask = no_mask(shape)
    mask[3, 4] = True
    framed = Framing(shape, mask, None, FRAME)(np.full((1, *shape), 9, np.uint16))[0]
    assert framed[3, 4] == MASKED
    assert (np.delete(framed.ravel(), 3 * 32 + 4) == 9).all()


def test_a_pixel_is_masked_where_less_than_half_of_it_was_measured():
    shape = (128, 128)
    mask = no_mask(shape)
    mask[64, 64:66] = mask[65, 64] = True  # three of the four pixels of one model pixel
    mask[70, 70] = True  # one of four
    framing = Framing(shape, mask, geometry(shape, pixel_um=150.0), FRAME)
    assert framing.masked.sum() == 1
    assert framing.masked[16, 16]


def test_no_common_pixel_is_one_sentence():
    shape = (64, 64)
    with pytest.raises(InputError, match="check the geometry"):
        Framing(shape, no_mask(shape), geometry(shape, centre_yx=(900.0, 31.5)), FRAME)
