"""Photons out of a detector's units: what is put in comes out."""

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xfelspi.errors import InputError
from xfelspi.patterns import AduConversion, PatternSet, to_photons
from xfelspi.patterns.adu import charge_in_photons, dark_level, split_panels
from xfelspi.simulate import _pixels as kernels

GAIN = 8.2
SHAPE = (64, 96)


def shots(rng, n=6):
    """Light that fades from a bright middle, where rows have hardly a dark pixel."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    radius = np.hypot(y - 31.5, x - 47.5)
    return rng.poisson(200 * np.exp(-radius / 4), size=(n, *SHAPE)).astype(float)


def as_adu(photons, pedestal, rng, noise=0.05, stripes=2.0, panels=(2, 2)):
    """Pedestal, a shift of every row of every panel in every shot, and noise; these in photons."""
    charge = photons + noise * rng.standard_normal(photons.shape)
    for rows, columns in split_panels(SHAPE, *panels):
        charge[:, rows, columns] += stripes * rng.standard_normal((len(photons), rows.stop - rows.start, 1))
    return GAIN * charge + pedestal


def test_photons_come_back_exactly():
    rng = np.random.default_rng(1)
    photons, pedestal = shots(rng), 1500 + 40 * rng.standard_normal(SHAPE)
    bad = rng.random(SHAPE) < 0.02
    adu = as_adu(photons, pedestal, rng)
    adu[:, bad] = 60_000  # hot pixels must not shift their rows
    conversion = AduConversion(adu_per_photon=GAIN, common_mode="row", panel_rows=2, panel_columns=2)
    counted = to_photons(adu.astype(np.float32), conversion, bad=bad, pedestal=pedestal)
    assert_array_equal(counted[:, ~bad], photons[:, ~bad])
    uncorrected = to_photons(adu, AduConversion(adu_per_photon=GAIN), pedestal=pedestal)
    assert (uncorrected != photons)[:, ~bad].mean() > 0.3


def test_a_row_lit_all_over_takes_the_shift_of_the_others():
    rng = np.random.default_rng(2)
    photons = np.zeros((1, *SHAPE))
    photons[0, 30:34] = 3 + rng.poisson(2.0, size=(4, SHAPE[1]))
    adu = GAIN * (photons + 0.3 + 0.02 * rng.standard_normal(photons.shape))
    conversion = AduConversion(adu_per_photon=GAIN, common_mode="row")
    assert_array_equal(to_photons(adu, conversion), photons)


def test_a_panel_shifts_as_a_whole():
    rng = np.random.default_rng(3)
    photons = shots(rng, 2)
    adu = GAIN * photons
    for number, (rows, columns) in enumerate(split_panels(SHAPE, 1, 3)):
        adu[:, rows, columns] += GAIN * (number - 1.4)
    conversion = AduConversion(adu_per_photon=GAIN, common_mode="panel", panel_columns=3)
    assert_array_equal(to_photons(adu, conversion), photons)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 1.0])
def test_thresholds_are_those_of_the_simulated_read_out(threshold):
    rng = np.random.default_rng(4)
    charge = rng.uniform(-1.0, 6.0, size=SHAPE).astype(np.float32)
    counts = np.empty(SHAPE, np.uint16)
    ones = np.ones((SHAPE[0], 1), np.float32)
    kernels.convert_charge(
        np.pad(charge, 1),
        ones,
        ones * np.float32(1.0 - threshold),
        np.float32(0.0),
        np.uint64(0),
        np.array([0, SHAPE[1]]),
        np.ones(SHAPE, np.float32),
        np.float32(100.0),
        counts,
    )
    photons = to_photons(charge[None], AduConversion(threshold_photons=threshold))
    assert_array_equal(photons[0], counts)


@pytest.mark.parametrize("lit", [0.0, 0.5, 0.8])
def test_the_dark_level_is_found_beside_light(lit):
    rng = np.random.default_rng(5)
    values = 3.0 + 0.2 * rng.standard_normal((200, 128)) + (rng.random((200, 128)) < lit) * rng.integers(1, 9)
    values[:, ::7] = np.nan
    error = dark_level(values, 0.5) - 3.0
    assert abs(error.mean()) < 0.03
    assert error.std() < 0.09


def test_a_level_needs_eight_pixels():
    assert_array_equal(dark_level(np.array([[5.0] * 7 + [np.nan]]), 0.5), [0.0])


def test_what_is_not_finite_is_no_number_of_photons():
    adu = np.array([[[np.nan, np.inf, -np.inf, -30.0, 8.0]]])
    photons = to_photons(adu, AduConversion(adu_per_photon=4.0))
    assert_array_equal(photons, [[[np.nan, np.nan, np.nan, 0.0, 2.0]]])


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"adu_per_photon": 0.0}, "positive"),
        ({"threshold_photons": 1.5}, "not above 1"),
        ({"common_mode": "column"}, "none, panel, row"),
        ({"panel_rows": 0}, "between 1 and 1024"),
    ],
)
def test_settings_are_checked_at_birth(settings, what):
    with pytest.raises(InputError, match=what):
        AduConversion(**settings)


def test_a_file_in_adu_is_read_as_photons(tmp_path):
    rng = np.random.default_rng(6)
    photons, pedestal = shots(rng), np.full(SHAPE, 700.0)
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["data"] = as_adu(photons, pedestal, rng).astype(np.float32)
        file["dark/pedestal"] = pedestal
    adu = AduConversion(adu_per_photon=GAIN, common_mode="row", panel_rows=2, panel_columns=2)
    with PatternSet.open(tmp_path / "raw.h5", dataset="data", adu=adu, pedestal="dark/pedestal") as patterns:
        assert_array_equal(patterns.frames(2, 5).counts, photons[2:5])
    with pytest.raises(InputError, match=r"shape \(6, 64, 96\).*give one of that shape"):
        PatternSet.open(tmp_path / "raw.h5", dataset="data", adu=adu, pedestal="data")
    with pytest.raises(InputError, match="--adu-per-photon"):
        PatternSet.open(tmp_path / "raw.h5", dataset="data", pedestal="dark/pedestal")


def test_measured_frames_have_whole_photons(measured):
    """Raw pnCCD frames of PR772: with 7.9 ADU a photon the first peaks stand at 0, 1 and 2 photons."""
    raw = np.load(measured / "pr772" / "pr772_raw_adu.npz")
    bad, adu = raw["mask"] != 0, raw["adu"]
    shares = {}
    for common_mode in ("none", "row"):
        conversion = AduConversion(adu_per_photon=7.9, common_mode=common_mode, panel_columns=2)
        charge = charge_in_photons(adu, conversion, bad=bad)
        assert_array_equal(np.isnan(charge), ~np.isfinite(adu))
        charge = charge[:, :, :70][:, ~bad[:, :70]]  # at the rim, where pixels see single photons
        for peak in (0, 1, 2):
            near = charge[np.abs(charge - peak) < 0.3]
            assert abs(np.median(near) - peak) < 0.04
        shares[common_mode] = np.mean(np.abs(charge - 0.5) < 0.1)
    # Between 0 and 1 photons there is a valley; stripes fill it.
    assert shares["row"] < 0.018 < shares["none"]
