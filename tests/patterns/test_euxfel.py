"""Runs of European XFEL, as extra-data's own tests make them up."""

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

make = pytest.importorskip(
    "extra_data.tests.make_examples", reason="extra-data is not installed (extra euxfel)"
)
extra_geom = pytest.importorskip("extra_geom", reason="extra-geom is not installed (extra euxfel)")

FILLED = slice(60, 68)  # the last pulses of the first train and the first of the second


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One raw and one corrected run of AGIPD at SPB: 64 trains of 64 pulses."""
    folder = tmp_path_factory.mktemp("runs")
    frames = np.random.default_rng(1).poisson(4.0, size=(8, 16, 512, 128))
    for name, raw in (("raw", True), ("proc", False)):
        (folder / name).mkdir()
        make.make_spb_run(str(folder / name), raw=raw, sensor_size=(4, 3))
        for module in range(16):
            prefix = "RAW" if raw else "CORR"
            with h5py.File(folder / name / f"{prefix}-R0238-AGIPD{module:02}-S00000.h5", "a") as file:
                image = file[f"INSTRUMENT/SPB_DET_AGIPD1M-1/DET/{module}CH0:xtdf/image"]
                if raw:
                    image["data"][FILLED, 0] = frames[:, module]
                    image["data"][FILLED, 1] = 9999  # gain
                else:
                    image["data"][FILLED] = frames[:, module]
                    image["mask"][61] = 0
                    if module == 3:
                        image["mask"][61, 100, 50] = 1 << 8
    with h5py.File(folder / "raw" / "RAW-R0238-DA01-S00000.h5", "a") as file:
        file["CONTROL/SA1_XTD2_XGM/DOOCS/MAIN/pulseEnergy/wavelengthUsed/value"][:] = 0.1333
    return folder, frames


@pytest.fixture
def geometry(tmp_path):
    """The quadrants moved a little, as at the beamline."""
    detector = extra_geom.AGIPD_1MGeometry.from_quad_positions(
        [(-541, 610), (-542, -15), (520, -160), (540, 475)]
    )
    path = tmp_path / "agipd.geom"
    detector.write_crystfel_geom(str(path), clen=5.0)
    return path, detector


@pytest.mark.parametrize("name", ["raw", "proc"])
def test_modules_are_read_and_put_together(runs, geometry, name):
    folder, frames = runs
    path, detector = geometry
    with PatternSet.open(folder / name, geometry=path) as patterns:
        assert (patterns.format, patterns.n) == ("European XFEL", 64 * 64)
        assert patterns.ids[[0, 63, 64, 4095]].tolist() == [
            "10000:0:0",
            "10000:63:63",
            "10001:0:0",
            "10063:63:63",
        ]
        together, corner_yx = detector.position_modules(frames.astype(float))
        expected = np.nan_to_num(together)
        if name == "proc":
            masked = np.zeros((16, 512, 128))
            masked[3, 100, 50] = 1
            where = np.nan_to_num(detector.position_modules(masked)[0]) > 0
            expected[1, where] = 0
        read = patterns.frames(60, 68)
        assert_array_equal(read.counts, expected)
        assert read.n_nan == (name == "proc")
        assert_array_equal(patterns.frames(63, 65).counts, expected[3:5])  # across trains
        assert_array_equal(patterns.mask, np.isnan(together[0]))
        assert patterns.centre_yx == tuple(corner_yx - 0.5)
        assert not patterns.remarks
        assert patterns.looks == 50  # what `xfel info` reads, one here and one there
        if name == "raw":  # the gas monitor knows the wavelength
            assert patterns.geometry.photon_energy_ev == pytest.approx(1239.842 / 0.1333, rel=1e-5)
            assert patterns.geometry.distance_m == 5.0
        else:
            assert patterns.geometry is None


def test_without_a_geometry_the_example_stands_in_and_is_not_trusted(runs):
    folder, frames = runs
    with PatternSet.open(folder / "raw") as patterns:
        together, _ = extra_geom.AGIPD_1MGeometry.example().position_modules(frames.astype(float))
        assert_array_equal(patterns.frames(*FILLED.indices(4096)[:2]).counts, np.nan_to_num(together))
        assert patterns.centre_yx is None
        assert "--geometry" in patterns.remarks[0]


def test_a_module_that_was_not_recorded_is_masked(runs, geometry, tmp_path):
    folder, _ = runs
    path, detector = geometry
    for file in (folder / "raw").glob("*.h5"):
        if "AGIPD07" not in file.name:
            (tmp_path / file.name).symlink_to(file)
    with PatternSet.open(tmp_path, geometry=path) as patterns:
        alone = np.zeros((16, 512, 128))
        alone[7] = 1
        bad = detector.position_modules(alone)[0] != 0  # NaN is no 0 either
        assert_array_equal(patterns.mask, bad)
        assert patterns.frames(60, 61).counts.any()
    np.save(tmp_path / "mine.npy", np.zeros((16, 512, 128), np.uint8))
    with PatternSet.open(tmp_path, geometry=path, mask=tmp_path / "mine.npy") as patterns:
        assert_array_equal(patterns.mask, bad)


def test_several_detectors_are_told_apart_by_name(tmp_path):
    make.make_fxe_jungfrau_run(str(tmp_path))
    with pytest.raises(
        InputError, match="several detectors: FXE_XAD_JF1M, FXE_XAD_JF500K; choose one with --detector"
    ):
        PatternSet.open(tmp_path)
    with pytest.raises(InputError, match="no detector JF9; it has FXE_XAD_JF1M, FXE_XAD_JF500K"):
        PatternSet.open(tmp_path, detector="JF9")
    with PatternSet.open(tmp_path, detector="FXE_XAD_JF500K") as patterns:
        assert (patterns.n, patterns.shape) == (100 * 16, (512, 1024))  # one module needs no geometry
        assert patterns.ids[:2].tolist() == ["10000:0", "10000:1"]
        frames = patterns.frames(15, 17)
        assert frames.counts.shape == (2, 512, 1024)
        assert patterns.frames(0, 1).n_nan == 31  # masked by the calibration in this frame alone
        assert not patterns.mask.any()
    with PatternSet.open(tmp_path, detector="FXE_XAD_JF1M") as patterns:
        assert patterns.shape == (514, 2160)


def test_runs_without_a_detector_and_with_hexagons_say_so(tmp_path):
    (tmp_path / "scs").mkdir()
    for number in range(2):
        module = make.DSSCModule(f"SCS_DET_DSSC1M-1/DET/{number}CH0", frames_per_train=1)
        path = tmp_path / "scs" / f"RAW-R0163-DSSC{number:02}-S00000.h5"
        make.write_file(str(path), [module], ntrains=2, chunksize=2)
    with pytest.raises(InputError, match="DSSC1M are not square"):
        PatternSet.open(tmp_path / "scs")
    (tmp_path / "none").mkdir()
    make.make_fxe_da_file(str(tmp_path / "none" / "RAW-R0450-DA01-S00000.h5"))
    with pytest.raises(InputError, match="no AGIPD, LPD, DSSC or JUNGFRAU"):
        PatternSet.open(tmp_path / "none")
