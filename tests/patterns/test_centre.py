"""The centre found from the patterns: shifted ones, masked ones, ones with a hole."""

import dataclasses

import numpy as np
import pytest
from toy_patterns import write

from xfelspi.patterns import PatternSet, find_centre, settle_centre
from xfelspi.simulate import load_recipe, simulate_to_file

SIZE = 96
STILL = (
    "beam.centre_jitter_pixels=0",
    "beam.wavefront_tilt_mrad=[0,0]",
    "background.centre_spread_pixels=0",
    "readout.panel_shift_pixels=0",
)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Singles and multiples on a detector that stands still; its read-out acts; centre at 127.5, 127.5."""
    path = tmp_path_factory.mktemp("still") / "icosahedron.h5"
    simulate_to_file(path, load_recipe("lcls-amo", STILL), 16, 3)
    with PatternSet.open(path) as patterns:
        return patterns.frames(0, 16).counts, patterns.mask


def cut(simulated, top, left, n=16):
    counts, mask = simulated
    window = slice(top, top + SIZE), slice(left, left + SIZE)
    return counts[:n, *window], mask[window], np.array([127.5 - top, 127.5 - left])


def error_of(frames, bad, centre):
    return np.abs(np.array(find_centre(frames, bad).yx) - centre).max()


def test_shifted_patterns_tell_their_centre(simulated):
    """Median error 0.05 pixels, none above a quarter of one."""
    rng = np.random.default_rng(1)
    errors = [error_of(*cut(simulated, *rng.integers(60, 100, 2))) for _ in range(12)]
    assert np.median(errors) < 0.1
    assert max(errors) < 0.25


def test_a_hole_beside_the_beam_does_not_draw_the_centre(simulated):
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(8):
        frames, bad, centre = cut(simulated, *rng.integers(65, 95, 2))
        bad = bad.copy()
        y, x = centre.astype(int)
        bad[y - 9 : y + 12, x - 14 : x + 8] = True
        errors.append(error_of(np.where(bad, 60_000, frames), bad, centre))
    assert np.median(errors) < 0.1
    assert max(errors) < 0.35


def test_a_missing_quarter_does_not_draw_the_centre(simulated):
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(8):
        frames, bad, centre = cut(simulated, *rng.integers(65, 95, 2))
        bad = bad.copy()
        bad[int(centre[0]) + 6 :, int(centre[1]) + 15 :] = True
        errors.append(error_of(frames, bad, centre))
    assert np.median(errors) < 0.1
    assert max(errors) < 0.25


def test_a_missing_half_tells_no_centre_rather_than_a_wrong_one(simulated):
    """What is left lies all to one side of the beam: nothing has its opposite, but near the edge some do."""
    frames, bad, centre = cut(simulated, 75, 80)
    for half in ((slice(0, int(centre[0]) + 1), slice(None)), (slice(None), slice(int(centre[1]), None))):
        dead = bad.copy()
        dead[half] = True
        assert find_centre(frames, dead) is None


def test_large_frames_are_binned_and_tell_the_same(simulated):
    frames, bad, centre = cut(simulated, 70, 90, n=2)
    factor = 8  # 768 pixels: binned by 2
    wide = np.repeat(np.repeat(frames, factor, 1), factor, 2)
    mask = np.repeat(np.repeat(bad, factor, 0), factor, 1)
    found = np.array(find_centre(wide, mask).yx)
    assert np.abs(found - (factor * (centre + 0.5) - 0.5)).max() < 3.0  # of 8, which one pixel was


def test_blank_frames_tell_nothing():
    rng = np.random.default_rng(4)
    bad = np.zeros((64, 64), bool)
    assert find_centre(rng.poisson(0.05, size=(16, 64, 64)), bad) is None
    assert find_centre(np.zeros((3, 64, 64)), bad) is None
    assert find_centre([], bad) is None


def test_a_file_takes_the_centre_of_its_bright_frames(simulated, tmp_path):
    frames, _, centre = cut(simulated, 70, 88)
    path = tmp_path / "frames.npy"
    np.save(path, np.concatenate([np.zeros((20, SIZE, SIZE), np.uint16), frames]))
    with PatternSet.open(path) as patterns:
        assert patterns.centre_yx is None
        found = settle_centre(patterns)
        assert np.abs(np.array(patterns.centre_yx) - centre).max() < 0.25
        assert patterns.centre_yx == found.yx
        assert found.correlation > 0.5


def test_a_centre_that_is_given_moves_the_geometry(tmp_path):
    with PatternSet.open(write(tmp_path / "toy.h5"), centre_yx=(3.0, 4.5)) as patterns:
        assert patterns.geometry.centre_yx == patterns.centre_yx == (3.0, 4.5)
        before = patterns.geometry
        patterns.take_centre((5.0, 4.0))
        assert patterns.geometry == dataclasses.replace(before, centre_yx=(5.0, 4.0))


def test_measured_patterns_are_centred_to_a_tenth_of_a_pixel(measured):
    """The 50 frames of PR772 were cut about the beam: 63.5, 63.5."""
    with PatternSet.open(measured / "pr772" / "pr772_patterns.h5") as patterns:
        found = settle_centre(patterns)
        assert np.abs(np.array(found.yx) - 63.5).max() < 0.15
        singles = [find_centre(patterns.frames(i, i + 1).counts, patterns.mask) for i in range(0, 50, 5)]
        assert np.median([np.abs(np.array(one.yx) - found.yx).max() for one in singles]) < 0.2
