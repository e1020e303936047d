"""What the detector does to light: each term has its law, and switched off it leaves no trace."""

import dataclasses
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.simulate import (
    TERMS,
    Detector,
    Experiment,
    ReadOut,
    file_mask,
    load_recipe,
    read_out,
    simulate_to_file,
    unit_of,
    without,
)
from xfelspi.simulate import _pixels as kernels
from xfelspi.simulate._photons import GOLDEN, poisson_counts
from xfelspi.simulate.chance import hash64

BARE = Detector(hole_pixels=0, gap_rows=0)
GOOD = Detector().mask == 0


@pytest.fixture(autouse=True)
def _wrapping_integers():
    """The hash multiplies modulo 2⁶⁴, which plain NumPy scalars warn of."""
    with np.errstate(over="ignore"):
        yield


def flat(mean, detector=BARE):
    return np.full(detector.shape, mean, dtype=np.float32)


def frame(light, key=1, detector=BARE, seed=0, index=0, **settings):
    counts = read_out(light, unit_of(detector, ReadOut(**settings), seed, index), key)
    return counts.astype(float)


def hashes(key, n):
    """SplitMix64 written out for arrays."""
    z = key + np.arange(n, dtype=np.uint64) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


# The kernels against what they say they are.


@pytest.mark.kernel
@pytest.mark.parametrize("n", [1, 40, 41])
def test_normal_numbers_are_those_of_box_and_muller(n):
    out = np.empty(n, dtype=np.float32)
    kernels.fill_normal(np.uint64(77), out)
    h = hashes(np.uint64(77), (n + 1) // 2)
    radius = np.sqrt(-2.0 * np.log(((h >> np.uint64(33)).astype(float) + 0.5) / 2**31))
    angle = 2.0 * np.pi * ((h & np.uint64(2**31 - 1)).astype(float) / 2**31 - 0.5)
    expected = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]
    assert_allclose(out, expected, atol=3e-5)


def cubic(s):
    """Catmull & Rom's kernel, (Keys 1981, IEEE Trans. ASSP 29, 1153, a = -1/2)."""
    s = np.abs(s)
    near, far = 1.0 - 2.5 * s**2 + 1.5 * s**3, 2.0 - 4.0 * s + 2.5 * s**2 - 0.5 * s**3
    return np.where(s < 1.0, near, np.where(s < 2.0, far, 0.0))


def displaced(light, y, x):
    """Light at one place between pixels, summed over the whole frame with its edge carried on."""
    wide = np.pad(light, 40, mode="edge")
    rows, columns = np.arange(wide.shape[0]) - 40.0, np.arange(wide.shape[1]) - 40.0
    return max(cubic(rows - y) @ wide @ cubic(columns - x), 0.0)


@pytest.mark.kernel
@pytest.mark.parametrize("shifts", [(0.3, -0.6, -1.0, 2.25), (-19.5, 25.0, 7.9, -14.1)])
def test_displaced_panels_are_the_cubic_sum_written_out(shifts):
    rng = np.random.default_rng(1)
    light = rng.exponential(size=(10, 13)).astype(np.float32)
    rows, columns = np.array([0, 5, 10]), np.array([0, 6, 13])
    shift = np.array([*shifts, 0.0, 0.0, *shifts[:2]]).reshape(2, 2, 2)
    out = np.empty_like(light)
    good = (rng.random(light.shape) < 0.8).astype(np.float32)
    kernels.displace_panels(light, rows, columns, shift, good, out)
    expected = np.empty_like(light)
    for y in range(10):
        for x in range(13):
            down, right = shift[int(y >= 5), int(x >= 6)]
            expected[y, x] = good[y, x] * displaced(light, y + down, x + right)
    assert_allclose(out, expected, atol=2e-5)


@pytest.mark.kernel
@pytest.mark.parametrize("cloud", [0.12, 1.0])
def test_charge_is_shared_as_the_clouds_overlap_pixels(cloud):
    """Each photon's square cloud is cut along the pixel grid: area by area, photon by photon."""
    counts = np.random.default_rng(2).poisson(1.5, size=(6, 7)).astype(np.uint16)
    counts[3, 3] = 30
    charge = np.pad(counts.astype(np.float32), 1)
    kernels.share_charge(counts, np.float32(cloud), np.uint64(5), charge)
    few = kernels.FEW
    h = hashes(np.uint64(5), counts.size * few)
    v = (h >> np.uint64(40)).astype(float) / 2**24
    u = (h >> np.uint64(8) & np.uint64(0xFFFFFF)).astype(float) / 2**24
    expected = np.zeros(charge.shape)
    edges = np.arange(-1.0, 3.0)  # of the pixel before, its own and the one after

    def overlap(place):
        return np.diff(np.clip(edges, place - cloud / 2, place + cloud / 2)) / cloud

    mean = np.array([cloud / 8, 1 - cloud / 4, cloud / 8])
    for i, n in enumerate(counts.ravel()):
        y, x = divmod(i, 7)
        part = expected[y : y + 3, x : x + 3]
        for photon in range(i * few, i * few + min(n, few)):
            part += np.outer(overlap(v[photon]), overlap(u[photon]))
        part += max(float(n) - few, 0.0) * np.outer(mean, mean)
    assert_allclose(charge, expected, atol=1e-5)
    assert_allclose(charge.sum(), counts.sum(), rtol=1e-6)


def bloomed(column, full_well, part):
    """One column without gaps: down first, then up; what passes either end is gone."""
    excess = np.maximum(column - full_well, 0.0)
    column = np.minimum(column, full_well)
    for order in (range(len(column)), range(len(column) - 1, -1, -1)):
        flow = 0.0
        for y in order:
            taken = min(full_well - column[y], flow)
            column[y] += taken
            flow += part * excess[y] / 2 - taken
    return column


@pytest.mark.kernel
def test_blooming_is_the_flow_written_out():
    rng = np.random.default_rng(3)
    charge = rng.exponential(40.0, size=(14, 7)).astype(np.float32)
    charge[4, 3], charge[9, 5] = 900.0, 130.0
    good = np.ones((12, 5), dtype=np.float32)
    good[6, 2] = 0.0
    expected = charge.copy()
    for x in range(5):
        for stretch in ((0, 6), (6, 7), (7, 12)) if x == 2 else ((0, 6), (6, 12)):
            rows = slice(1 + stretch[0], 1 + stretch[1])
            if x != 2 or stretch != (6, 7):
                expected[rows, x + 1] = bloomed(charge[rows, x + 1].astype(float), 100.0, 0.8)
    kernels.bloom(charge, np.float32(100.0), np.float32(0.8), good, np.array([0, 6, 12]))
    inside = good > 0
    assert_allclose(charge[1:-1, 1:-1][inside], expected[1:-1, 1:-1][inside], rtol=1e-5)
    assert_array_equal(charge[[0, -1]], expected[[0, -1]])


@pytest.mark.kernel
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_conversion_is_the_formula_written_out(noise):
    rng = np.random.default_rng(4)
    charge = rng.exponential(3.0, size=(6, 9)).astype(np.float32)
    gain = np.array([[0.9, 1.1]] * 4, dtype=np.float32)
    base = rng.normal(size=(4, 2)).astype(np.float32)
    good = np.ones((4, 7), dtype=np.float32)
    good[2, 3] = 0.0
    out = np.empty((4, 7), dtype=np.uint16)
    key, edges = np.uint64(9), np.array([0, 3, 7])
    kernels.convert_charge(charge, gain, base, np.float32(noise), key, edges, good, np.float32(6.0), out)
    z = np.empty((4, 7), dtype=np.float32)
    for y in range(4):
        kernels.fill_normal(key + np.uint64(4 * y) * GOLDEN, z[y])
    g, b = np.repeat(gain, [3, 4], axis=1), np.repeat(base, [3, 4], axis=1)
    value = np.floor(g * charge[1:-1, 1:-1] + b + noise * z)
    assert_array_equal(out, np.where(good > 0, np.clip(value, 0, 6), 0))


# Chance.


def test_noise_is_gaussian_out_to_four_sigma():
    z = np.concatenate([_normal(hash64(5, i), 500_001) for i in range(6)])
    n = z.size
    assert stats.kstest(z[:300_000], "norm").pvalue > 1e-4
    for sigma in (1.0, 2.0, 3.0, 4.0):
        for tail in (z, -z):
            expected = n * stats.norm.sf(sigma)
            assert abs((tail > sigma).sum() - expected) < 4.5 * math.sqrt(expected), sigma
    first, second = _normal(1, 500_000).reshape(2, -1)  # the two of each pair
    for a, b in ((first, second), (first**2, second**2), (first[1:], first[:-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / math.sqrt(a.size)


def _normal(key, n):
    out = np.empty(n, dtype=np.float32)
    kernels.fill_normal(np.uint64(key), out)
    return out.astype(float)


def test_without_terms_a_frame_is_its_photons():
    light = np.random.default_rng(0).exponential(1.0, BARE.shape).astype(np.float32)
    photons = np.empty(BARE.shape, dtype=np.uint16)
    poisson_counts(light, np.uint64(8), photons)
    assert_array_equal(frame(light, key=8), photons)
    without_effect = {
        "unit": 4,
        "new_unit_every": 1,
        "threshold_photons": 0.7,  # of whole photons
        "hot_photons": 9.0,
        "known_fraction": 1.0,
        "shadow_known": True,
    }
    assert_array_equal(frame(light, key=8, **without_effect), photons)


EVERYTHING = {
    "panel_gain_rms": 0.05,
    "panel_offset_photons": 0.2,
    "panel_offset_jitter_photons": 0.2,
    "panel_shift_pixels": 1.0,
    "common_mode_photons": 0.3,
    "charge_cloud_pixels": 0.12,
    "threshold_photons": 0.7,
    "conversion_gain": [0.7, 0.7],
    "blooming": 1.0,
    "hot_fraction": 0.01,
    "dead_fraction": 0.01,
    "shadow_width_pixels": 20.0,
}
DETECTOR_TERMS = {
    term: settings
    for term, settings in TERMS.items()
    if {s.split(".")[0] for s in settings} <= {"readout", "detector"}
}


@pytest.fixture(scope="module")
def full():
    settings = [f"readout.{name}={value}" for name, value in EVERYTHING.items()]
    settings += [
        "readout.shadow_tip_pixels=10",
        "detector.read_noise_photons=0.2",
        "detector.saturation_photons=30",
    ]
    small = ["detector.rows=64", "detector.columns=64", "beam.photons_per_frame=[1e5, 1e5]"]
    return load_recipe("lcls-amo", ['sample.arrival="pairs"', *small, *settings])


def test_every_setting_that_does_something_belongs_to_a_term():
    named = {s for settings in DETECTOR_TERMS.values() for s in settings}
    assert named == {f"readout.{n}" for n in EVERYTHING} | {
        "detector.read_noise_photons",
        "detector.saturation_photons",
    }


def test_detector_terms_change_the_frame_but_not_the_truth(full):
    """Each of them alone taken out changes the frame; all taken out, it is the frame without them."""
    ideal = dataclasses.replace(
        full, readout=ReadOut(), detector=dataclasses.replace(Detector(), rows=64, columns=64)
    )
    bare, truth = Experiment(ideal, 3).pattern(1)
    everything = Experiment(full, 3).pattern(1)[0]
    assert_array_equal(Experiment(full, 3).pattern(1)[0], everything)
    for terms in [[term] for term in DETECTOR_TERMS] + [list(DETECTOR_TERMS), []]:
        counts, changed = Experiment(without(full, terms), 3).pattern(1)
        assert (counts == everything).all() == (not terms), terms
        assert (counts == bare).all() == (len(terms) > 1), terms
        for field in dataclasses.fields(truth):
            assert_allclose(
                *(
                    value if field.name not in ("label", "shape") else hash64(*value.encode())
                    for value in (getattr(changed, field.name), getattr(truth, field.name))
                ),
                rtol=1e-6,
                err_msg=field.name,
            )


def test_a_term_leaves_the_chance_of_the_others_alone():
    noisy = Detector(hole_pixels=0, gap_rows=0, read_noise_photons=4.0)
    light = flat(100.0)
    noise = frame(light, detector=noisy) - frame(light)
    striped = frame(light, detector=noisy, common_mode_photons=5.0) - frame(light, common_mode_photons=5.0)
    assert np.abs(noise - striped).max() <= 1.0  # rounding
    one = unit_of(BARE, ReadOut(hot_fraction=0.01))
    both = unit_of(BARE, ReadOut(hot_fraction=0.01, dead_fraction=0.1, panel_gain_rms=0.1))
    assert_array_equal(one.hot, both.hot)
    assert_array_equal(one.hot_photons, both.hot_photons)


# Terms of charge.


def test_read_noise_and_saturation():
    detector = Detector(read_noise_photons=0.8, saturation_photons=40)
    counts = frame(flat(20.0), 3, detector)[GOOD]
    assert counts.max() == 40
    assert_allclose(counts.var(), 20.0 + 0.64 + 1 / 12, rtol=0.03)
    assert not frame(flat(20.0), 3, detector)[~GOOD].any()


def test_read_noise_adds_its_variance_pixel_by_pixel():
    light = flat(50.0)
    detector = Detector(hole_pixels=0, gap_rows=0, read_noise_photons=2.0)
    noise = frame(light, detector=detector) - frame(light)
    assert abs(noise.mean()) < 4.5 * 2.0 / 256
    assert_allclose(noise.var(), 4.0 + 1 / 12, rtol=4.5 * math.sqrt(2) / 256)
    for a, b in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1]), (noise[:, :128], noise[:, 128:])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4.5 / math.sqrt(a.size)


def test_noise_knows_nothing_of_the_photons():
    """Nor does its size, in the first rows, where hashes of both would be of the same pixels."""
    detector = Detector(rows=16, columns=16, hole_pixels=0, gap_rows=0)
    noisy = dataclasses.replace(detector, read_noise_photons=1.0)
    light = flat(9.5, detector)
    photons = np.array([frame(light, hash64(key), detector) for key in range(400)])
    noise = np.array([frame(light, hash64(key), noisy) for key in range(400)]) - photons
    photons, noise = photons[:, 0].ravel(), noise[:, 0].ravel()
    for a, b in ((photons, noise), (photons, np.abs(noise)), (np.abs(photons - 9.5), np.abs(noise))):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / math.sqrt(a.size)


def test_common_mode_is_one_number_per_row_and_panel_and_shot():
    light, settings = flat(200.0), {"panel_columns": 2, "common_mode_photons": 3.0}
    stripes = []
    for key in range(8):
        added = frame(light, key, **settings) - frame(light, key)
        for half in (added[:, :128], added[:, 128:]):
            assert np.ptp(half, axis=1).max() == 0.0
            stripes.append(half[:, 0])
    stripes = np.array(stripes)
    n = stripes.size
    assert abs(stripes.mean()) < 4.5 * 3.0 / math.sqrt(n)
    assert_allclose(stripes.var(), 9.0 + 1 / 12, rtol=4.5 * math.sqrt(2 / n))
    for a, b in (
        (stripes[:, 1:], stripes[:, :-1]),
        (stripes[::2], stripes[1::2]),
        (stripes[2:], stripes[:-2]),
    ):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4.5 / math.sqrt(a.size)


def test_panels_have_gains_and_offsets_of_their_own():
    light, photons = flat(500.0), frame(flat(500.0))
    settings = {"panel_columns": 2, "panel_gain_rms": 0.1, "panel_offset_photons": 20.0}
    unit = unit_of(BARE, ReadOut(**settings))
    counts = read_out(light, unit, 1)
    for i in range(2):
        for j in range(2):
            panel = slice(128 * i, 128 * (i + 1)), slice(128 * j, 128 * (j + 1))
            expected = unit.gain[i, j] * photons[panel] + unit.offset_photons[i, j]
            assert np.abs(counts[panel] - expected).max() <= 0.51
    assert len(np.unique(unit.gain)) == 4
    copies = [unit_of(BARE, ReadOut(unit=k, **settings)) for k in range(300)]
    gains = np.array([copy.gain for copy in copies])
    offsets = np.array([copy.offset_photons for copy in copies])
    n = gains.size
    assert abs(gains.mean() - 1.0) < 4.5 * 0.1 / math.sqrt(n)
    assert_allclose(gains.std(), 0.1, rtol=0.1)
    assert abs(offsets.mean()) < 4.5 * 20.0 / math.sqrt(n)
    assert_allclose(offsets.std(), 20.0, rtol=0.1)


def test_the_offset_jitters_from_shot_to_shot():
    small = Detector(rows=16, columns=16, hole_pixels=0, gap_rows=0)
    light = flat(500.0, small)
    shots = [
        frame(light, key, small, panel_offset_jitter_photons=20.0) - frame(light, key, small)
        for key in range(300)
    ]
    added = np.array(shots)[:, [0, 15], 0]  # one pixel of each half
    assert abs(added.mean()) < 4.5 * 20.0 / math.sqrt(600)
    assert_allclose(added.std(), 20.0, rtol=0.13)
    assert abs(np.corrcoef(added.T)[0, 1]) < 4.5 / math.sqrt(300)


def test_thresholds_lose_what_is_split():
    """Of single photons whose largest part is below the threshold nothing is left."""
    cloud = 0.5
    counts = np.zeros((256, 256), dtype=np.uint16)
    counts[1::4, 1::4] = 1
    charge = np.pad(counts.astype(np.float32), 1)
    kernels.share_charge(counts, np.float32(cloud), np.uint64(3), charge)
    u = np.random.default_rng(0).random((2, 400_000))
    beside = np.maximum(cloud / 2 - np.minimum(u, 1 - u), 0.0) / cloud
    largest = (1 - beside).prod(axis=0)
    out = np.empty_like(counts)
    for threshold in (0.5, 0.7, 1.0):
        base = np.full((256, 1), 1.0 - threshold, dtype=np.float32)
        good, edges = np.ones((256, 256), dtype=np.float32), np.array([0, 256])
        kernels.convert_charge(
            charge, np.ones_like(base), base, np.float32(0), np.uint64(0), edges, good, np.float32(99), out
        )
        expected = (largest >= threshold).mean()
        assert abs(out.sum() / 4096 - expected) < 4.5 * math.sqrt(expected * (1 - expected) / 4096)


def test_threshold_takes_noise_away():
    noisy = Detector(hole_pixels=0, gap_rows=0, read_noise_photons=0.3)
    for threshold in (0.5, 0.7, 1.0):
        false = frame(flat(0.0), detector=noisy, threshold_photons=threshold).mean()
        expected = stats.norm.sf(threshold / 0.3)
        assert abs(false - expected) < 4.5 * math.sqrt(expected / 65_536) + 1e-6


def test_charge_sharing_keeps_photons():
    light = flat(0.0)
    light[2:-2, 2:-2] = 60.0
    counts, photons = frame(light, charge_cloud_pixels=0.4), frame(light)
    assert_allclose(counts.sum(), photons.sum(), rtol=3e-4)  # rounding, a third of a photon per pixel


def test_shared_charge_has_the_spread_and_ties_of_split_photons():
    """Per axis a photon keeps s and gives f = 1 - s with E[s f] = c / 6, so E[s² + f²] = 1 - c / 3."""
    cloud, mean = 0.4, 2.0
    counts = np.random.default_rng(6).poisson(mean, size=(512, 512)).astype(np.uint16)
    charge = np.pad(counts.astype(np.float32), 1)
    kernels.share_charge(counts, np.float32(cloud), np.uint64(11), charge)
    off = charge[2:-2, 2:-2] - mean
    n, alone = off.size, 1.0 - cloud / 3.0
    assert abs(off.mean()) < 4.5 * math.sqrt(mean / n)
    assert_allclose(off.var(), mean * alone**2, rtol=4.5 * math.sqrt(2.5 / n))
    for a, b in ((off[1:], off[:-1]), (off[:, 1:], off[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1] - cloud / 6.0 / alone) < 4.5 / math.sqrt(n)


def test_bright_pixels_bloom_along_their_column():
    light = flat(0.0)
    light[60, 80] = 3000.0
    deep, full_well = (
        Detector(hole_pixels=0, gap_rows=0),
        Detector(hole_pixels=0, gap_rows=0, saturation_photons=200),
    )
    photons = frame(light, detector=deep).sum()
    counts = frame(light, detector=full_well, blooming=1.0)
    assert abs(counts.sum() - photons) <= 1.0
    assert counts.max() == 200.0
    rows, columns = np.nonzero(counts)
    assert set(columns) == {80}
    assert len(rows) == np.ptp(rows) + 1
    assert abs((rows > 60).sum() - (rows < 60).sum()) <= 1
    half = frame(light, detector=full_well, blooming=0.5).sum()
    assert abs(half - (200.0 + 0.5 * (photons - 200.0))) <= 1.0
    assert frame(light, detector=full_well).sum() == 200.0


def test_blooming_stops_at_the_gap_and_the_end():
    detector = Detector(hole_pixels=0, gap_rows=2, saturation_photons=100)
    light = flat(0.0)
    light[125, 80] = light[253, 90] = 2000.0
    counts = frame(light, detector=detector, blooming=1.0)
    assert not counts[127:, 80].any()
    assert_array_equal(counts[[125, 126], 80], 100.0)
    assert_array_equal(counts[253:, 90], 100.0)
    for column in (80, 90):
        assert abs(counts[:, column].sum() - (1000.0 + 100.0 + counts[[126], 80].sum())) < 250.0


# Terms of one copy.


def test_hot_and_dead_pixels_have_their_rates_and_places():
    settings = {"hot_fraction": 0.02, "hot_photons": 8.0, "dead_fraction": 0.03}
    unit = unit_of(Detector(), ReadOut(**settings))
    n = int(GOOD.sum())
    for places, fraction in ((unit.hot, 0.02), (unit.dead, 0.03)):
        assert len(set(places)) == len(places)
        assert GOOD.ravel()[places].all()
        assert abs(len(places) - fraction * n) < 4.5 * math.sqrt(fraction * n)
        assert stats.kstest(places / GOOD.size, "uniform").pvalue > 1e-4
    assert stats.kstest(unit.hot_photons, stats.expon(scale=8.0).cdf).pvalue > 1e-4
    frames = np.array([frame(flat(0.0), key, Detector(), **settings) for key in range(100)])
    lit = np.setdiff1d(unit.hot, unit.dead)
    mean, rate = frames.mean(axis=0).ravel(), np.zeros(GOOD.size)
    rate[unit.hot] = unit.hot_photons
    rate[unit.dead] = 0.0
    assert not mean[rate == 0].any()
    z = (mean[lit] - rate[lit]) / np.sqrt(rate[lit] / 100)
    assert_allclose(z.std(), 1.0, atol=0.15)
    assert not frame(flat(50.0), 1, Detector(), **settings).ravel()[unit.dead].any()


def test_the_copy_is_chosen_by_its_number_not_by_the_seed():
    settings = {"hot_fraction": 0.01, "panel_gain_rms": 0.1, "panel_shift_pixels": 1.0}
    always = [unit_of(BARE, ReadOut(**settings), seed, index) for seed, index in ((0, 0), (5, 77))]
    assert_array_equal(always[0].hot, always[1].hot)
    other = unit_of(BARE, ReadOut(unit=1, **settings))
    assert not np.isin(other.gain, always[0].gain).any()
    anew = ReadOut(new_unit_every=10, **settings)
    first, same, next_, seeded = (
        unit_of(BARE, anew, seed, index) for seed, index in ((0, 0), (0, 9), (0, 10), (1, 0))
    )
    assert_array_equal(first.hot, same.hot)
    for stranger in (next_, seeded, unit_of(BARE, dataclasses.replace(anew, unit=1))):
        assert not np.isin(stranger.gain, first.gain).any()


def test_the_mask_holds_what_is_known_and_common(tmp_path):
    settings = {"hot_fraction": 0.02, "dead_fraction": 0.02, "shadow_width_pixels": 20.0}
    unit = unit_of(Detector(), ReadOut(**settings, known_fraction=0.5, shadow_known=True))
    mask = unit.mask.ravel()
    assert_array_equal(mask & 0x200, Detector().mask.ravel())
    for places, bit in ((unit.hot, 0x4), (unit.dead, 0x8)):
        marked = np.flatnonzero(mask & bit)
        assert np.isin(marked, places).all()
        assert len(marked) == round(0.5 * len(places))
    assert_array_equal((mask & 0x10 > 0), unit.shadow.ravel() < 0.99)
    assert_array_equal(file_mask(Detector(), ReadOut(**settings)), Detector().mask)
    assert_array_equal(
        file_mask(Detector(), ReadOut(**settings, known_fraction=1.0, new_unit_every=1)), Detector().mask
    )

    small = ["detector.rows=32", "detector.columns=32", "readout.dead_fraction=0.2"]
    recipe = load_recipe("benchmark", [*small, "readout.known_fraction=1"])
    path = simulate_to_file(tmp_path / "a.h5", recipe, 2, 0, workers=1)
    with PatternSet.open(path) as patterns:
        assert_array_equal(patterns.mask, file_mask(recipe.detector, recipe.readout) != 0)
        assert patterns.mask.sum() > (recipe.detector.mask != 0).sum() + 100


def test_the_shadow_is_a_bar_that_lets_through_what_it_is_told():
    readout = ReadOut(
        shadow_width_pixels=24.0, shadow_tip_pixels=40.0, shadow_edge_pixels=6.0, shadow_transmission=0.25
    )
    for number in range(4):
        unit = unit_of(Detector(), dataclasses.replace(readout, unit=number))
        dark = np.argwhere(unit.shadow < 0.26) - 127.5
        along = dark.mean(axis=0) / np.hypot(*dark.mean(axis=0))
        y, x = np.mgrid[:256, :256] - 127.5
        ahead, across = y * along[0] + x * along[1], np.abs(y * along[1] - x * along[0])
        assert_allclose(unit.shadow[(ahead > 46) & (across < 6)], 0.25, atol=1e-6)
        assert_allclose(unit.shadow[(ahead < 34) | (across > 22)], 1.0, atol=1e-6)
        middle = unit.shadow[(ahead > 60) & (ahead < 100)]
        assert_allclose((1 - middle).sum(), 0.75 * 24.0 * 40.0, rtol=0.02)  # the outline is where it is said
    counts, photons = (
        read_out(flat(50.0), u, 2).astype(float) for u in (unit, unit_of(Detector(), ReadOut()))
    )
    bar = (unit.shadow < 0.26) & GOOD
    assert abs(counts[bar].mean() - 12.5) < 4.5 * math.sqrt(12.5 / bar.sum())
    assert_array_equal(counts[unit.shadow == 1.0], photons[unit.shadow == 1.0])


@pytest.mark.parametrize("number", range(3))
def test_a_shifted_panel_sees_the_spot_where_it_is_not(number):
    """A panel that sits further on by s has a spot at p in its pixel p - s; its photons stay its own."""
    unit = unit_of(BARE, ReadOut(unit=number, panel_columns=2, panel_shift_pixels=1.5))
    y, x = np.mgrid[:256, :256]
    for i, row in enumerate((64.0, 190.0)):
        for j, column in enumerate((60.0, 200.0)):
            spot = 1e5 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 4.0**2)).astype(np.float32)
            moved = np.empty_like(spot)
            edges, everywhere = (unit.row_edges, unit.column_edges), np.ones_like(spot)
            kernels.displace_panels(spot, *edges, unit.shift_pixels, everywhere, moved)
            assert_allclose(moved.sum(), spot.sum(), rtol=1e-4)
            centre = np.array([(moved * y).sum(), (moved * x).sum()]) / moved.sum()
            assert_allclose(centre, np.array([row, column]) - unit.shift_pixels[i, j], atol=1e-3)
            assert np.abs(unit.shift_pixels[i, j]).max() <= 4.5
    counts, light = read_out(1e-2 * spot, unit, 4), 1e-2 * spot
    total = float(light.sum())
    assert abs(counts.sum() - total) < 4.5 * math.sqrt(total)


def test_panel_shifts_have_the_spread_they_are_asked_for():
    shifts = np.array(
        [unit_of(BARE, ReadOut(unit=k, panel_shift_pixels=1.5)).shift_pixels for k in range(300)]
    )
    assert abs(shifts.mean()) < 4.5 * 1.5 / math.sqrt(shifts.size)
    assert_allclose(shifts.std(), 1.5, rtol=0.1)


def test_shifted_panels_find_light_where_no_pixel_should_be():
    """Beside gap and hole the frame stays as bright as its surroundings."""
    settings = [f"readout.{s}" for s in ("panel_shift_pixels=2", "unit=3")]
    plain, shifted = (
        Experiment(load_recipe("ideal", [*s, "background.flat_photons_per_pixel=80", "beam.n_modes=1e6"]), 0)
        for s in ([], settings)
    )
    shot = plain.draw(0)
    shot = dataclasses.replace(shot, scene=dataclasses.replace(shot.scene, particles=(), foreign=()))
    expected = shifted.expect(shot)
    assert_allclose(expected.total, plain.expect(shot).total)
    frames = [shifted.read_out(expected.photons, i).astype(float) for i in range(20)]
    mean = np.mean(frames, axis=0)
    assert_allclose(mean[GOOD].mean(), 80.0, rtol=0.01)
    rim = GOOD & (np.roll(~GOOD, 1, axis=0) | np.roll(~GOOD, -1, axis=0))
    assert_allclose(mean[rim].mean(), 80.0, rtol=0.02)
    assert not mean[~GOOD].any()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unit": -1}, "readout.unit is -1; it must lie between 0"),
        ({"panel_rows": 0}, "readout.panel_rows is 0; it must lie between 1 and 16"),
        ({"panel_gain_rms": 0.4}, "readout.panel_gain_rms is 0.4; it must lie between 0 and 0.3"),
        ({"panel_shift_pixels": math.nan}, "readout.panel_shift_pixels is nan"),
        ({"common_mode_photons": -1.0}, "readout.common_mode_photons is -1"),
        ({"charge_cloud_pixels": 1.2}, "readout.charge_cloud_pixels is 1.2; it must lie between 0 and 1"),
        ({"threshold_photons": 0.0}, "readout.threshold_photons is 0; it must lie between 0.01 and 1"),
        ({"hot_fraction": 0.6}, "readout.hot_fraction is 0.6; it must lie between 0 and 0.5"),
        ({"shadow_transmission": -0.1}, "readout.shadow_transmission is -0.1"),
        ({"shadow_edge_pixels": 0.0}, "readout.shadow_edge_pixels is 0; it must lie between 0.01"),
    ],
)
def test_what_no_detector_does_is_refused(settings, words):
    with pytest.raises(InputError, match=words):
        ReadOut(**settings)


def test_a_mask_file_takes_pixels_away(tmp_path):
    mask = np.zeros((64, 64), np.uint8)
    mask[10:20, 30:40] = 1
    np.save(tmp_path / "mask.npy", mask)
    detector = Detector(rows=64, columns=64, hole_pixels=0, gap_rows=0, mask_file=str(tmp_path / "mask.npy"))
    assert_array_equal(detector.mask != 0, mask != 0)
    assert detector.n_good == 64 * 64 - 100


def test_a_mask_that_leaves_the_hole_alone_is_refused(tmp_path):
    mask = np.ones((64, 64), np.uint8)
    mask[30:34, 30:34] = 0
    np.save(tmp_path / "mask.npy", mask)
    with pytest.raises(InputError, match="leave no pixel"):
        _ = Detector(rows=64, columns=64, mask_file=str(tmp_path / "mask.npy")).mask


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is not a .npy file of numbers"),
        (b"\x93NUMPY rubbish", "is not a .npy file of numbers"),
        (np.zeros((3, 3)), "numbers of .rows, columns. = .64, 64. are needed"),
        (np.ones((64, 64)), "leaves no pixel"),
        (np.array([["a"]]), "are needed"),
    ],
)
def test_wrong_mask_files_are_refused(tmp_path, content, words):
    path = tmp_path / "mask.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(InputError, match=words):
        _ = Detector(rows=64, columns=64, mask_file=str(path)).mask
