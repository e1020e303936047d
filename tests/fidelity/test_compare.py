"""The whole comparison: equal sets, different sets, masks, few frames, and measured shots."""

import json
from dataclasses import replace

import numpy as np
import pytest
from toy_frames import frame_set, shots

from xfelspi.errors import InputError
from xfelspi.fidelity import FrameSet, compare
from xfelspi.fidelity.compare import _centred
from xfelspi.fidelity.friedel import friedel_symmetry
from xfelspi.patterns import PatternSet

NAMES = {
    "two_sample",
    "radial_profile",
    "fringe_visibility",
    "photon_histogram",
    "total_counts",
    "friedel",
    "angular_power",
    "dispersion",
    "counting_noise",
}


def covers(metric):
    return metric.low <= metric.ideal <= metric.high


def test_sets_of_one_kind_are_alike(rng):
    """Every interval is one of 95 %, so of thirty one or two may miss."""
    missed = []
    for seed, n in enumerate((20, 20, 60)):
        features = rng.normal(size=(n, 16)), rng.normal(size=(20, 16))
        found = compare(shots(n, 2 * seed + 101), shots(20, 2 * seed + 102), features=features)
        assert found.keys() == NAMES | {"kid", "two_sample_network"}
        assert all(metric.low <= metric.value <= metric.high for metric in found.values())
        missed += [name for name, metric in found.items() if not covers(metric)]
    assert len(missed) <= 2
    assert "two_sample" not in missed


def test_a_halo_is_seen():
    found = compare(shots(40, 1, halo=0.1), shots(30, 2))
    for name in ("two_sample", "radial_profile", "fringe_visibility", "photon_histogram"):
        assert not covers(found[name]), name
    assert found["two_sample"].low > 0.8
    assert found["fringe_visibility"].high < 0  # a halo washes fringes out


def test_brightness_shows_in_total_counts_alone():
    found = compare(shots(40, 1), shots(40, 2, brightest=1e5))
    assert [name for name, metric in found.items() if not covers(metric)] == ["total_counts"]


def test_the_same_seed_gives_the_same():
    one, two, other = (compare(shots(15, 1), shots(12, 2), seed=seed) for seed in (3, 3, 4))
    assert one == two
    assert one != other
    assert json.loads(json.dumps({name: metric.as_dict() for name, metric in one.items()}))


def test_what_masked_pixels_hold_changes_nothing(rng):
    clean, measured = shots(15, 1), shots(15, 2)
    hole = ~clean.good
    spoiled = clean.counts.copy()
    spoiled[:, hole] = rng.integers(0, 60_000, (15, hole.sum()))
    assert compare(frame_set(spoiled, clean.good), measured) == compare(clean, measured)
    # pixels good in only one of the sets
    corner = np.ones_like(clean.good)
    corner[:12, :12] = False
    spoiled[:, ~corner] = 60_000
    masked = compare(frame_set(spoiled, clean.good & corner), measured)
    both = (replace(one, good=one.good & corner) for one in (clean, measured))
    assert masked == compare(*both)


def test_a_centre_taken_wrongly_is_found():
    moved = replace(shots(25, 1), centre_yx=(24.7, 22.6))
    assert covers(compare(moved, shots(25, 2))["radial_profile"])


def test_dim_frames_are_compared_about_the_centre_that_is_given():
    """About a gap the most symmetric centre of few photons is beside the true one."""
    dim, bright = shots(30, 1, brightest=300), shots(30, 1)
    gap = dim.good.copy()
    gap[23:25] = False
    elsewhere = (24.5, 23.5)
    for frames, kept in ((dim, True), (bright, False)):
        given = replace(frames, good=gap, centre_yx=elsewhere)
        assert (_centred(given, friedel_symmetry(given)).centre_yx == elsewhere) == kept


def test_too_little_is_refused_in_one_sentence():
    frames = shots(12, 1)
    dark = replace(frames, counts=frames.counts * 0)
    for other in (frames.chosen(np.arange(1)), frames.chosen(np.arange(9)), dark):
        for pair in ((frames, other), (other, frames)):
            with pytest.raises(InputError, match=r"^[^\n]*\.$"):
                compare(*pair)
    with pytest.raises(InputError):
        compare(frames, frames, features=(np.zeros((12, 4)), np.zeros((12, 5))))


def test_blank_frames_among_others_are_left_out_but_of_the_totals():
    frames = shots(20, 1)
    counts = frames.counts.copy()
    counts[:5] = 0
    found = compare(replace(frames, counts=counts), shots(20, 2))
    assert all(np.isfinite([metric.value, metric.low, metric.high]).all() for metric in found.values())
    assert found["total_counts"].value >= 0.25


def test_measured_shots_are_like_themselves(measured):
    with PatternSet.open(measured / "pr772" / "pr772_patterns.h5") as patterns:
        frames = FrameSet.read(patterns)
        singles = FrameSet.read(patterns, np.flatnonzero(patterns.labels == 1))
        others = FrameSet.read(patterns, np.flatnonzero(patterns.labels == 0))
    order = np.random.default_rng(0).permutation(frames.n)
    halves = compare(frames.chosen(order[:25]), frames.chosen(order[25:]))
    assert [name for name, metric in halves.items() if not covers(metric)] == []
    apart = compare(singles, others)
    assert not covers(apart["two_sample"])
    assert apart["fringe_visibility"].value > 0
