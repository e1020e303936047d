"""CrystFEL's geometry: panels end up where the file says, and their bad pixels are bad."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xfelspi.errors import InputError
from xfelspi.patterns import AduConversion, PatternSet
from xfelspi.patterns.crystfel import parse_crystfel
from xfelspi.patterns.panels import Assembly

SLAB = """
; two panels above each other in the file, side by side on the detector
photon_energy = 1.6 keV
clen = 581 mm
res = 5000 ; 200 um
data = /entry_1/data_1/data
dim0 = %
dim1 = ss
dim2 = fs
mask = /entry_1/mask
mask_good = 0x0
mask_bad = 0x3
a/min_ss = 0
a/max_ss = 3
a/min_fs = 0
a/max_fs = 5
a/corner_x = -7.2      ; half a pixel at most is rounded away
a/corner_y = -2.0
a/fs = +0.9999x +0.01y
a/ss = -0.01x +0.9999y
b/min_ss = 4
b/max_ss = 7
b/min_fs = 0
b/max_fs = 5
b/corner_x = 7
b/corner_y = 2
b/fs = -x
b/ss = -y
badspot/panel = b
badspot/min_ss = 4
badspot/max_ss = 4
badspot/min_fs = 0
badspot/max_fs = 1
badbeam/min_x = -6
badbeam/max_x = -4.4
badbeam/min_y = -0.6
badbeam/max_y = 0.6
"""
N = 5
RAW = np.random.default_rng(1).poisson(3.0, size=(N, 8, 6)).astype(np.uint16)


def geometry(tmp_path, text=SLAB):
    path = tmp_path / "detector.geom"
    path.write_text(text)
    return path


def slab_file(tmp_path, raw=RAW):
    path = tmp_path / "slab.h5"
    with h5py.File(path, "w") as file:
        file["entry_1/data_1/data"] = raw
        mask = np.zeros((8, 6), np.uint16)
        mask[0, 0], mask[5, 5] = 0x2, 0x10  # the second is no bad bit
        file["entry_1/mask"] = mask
    return path


def by_hand(raw):
    """Panel a as it is on the left, b turned by half a turn on the right, a gap of two between."""
    flat = np.zeros((len(raw), 4, 14))
    flat[:, :, :6] = raw[:, :4]
    flat[:, :, 8:] = raw[:, 4:, :][:, ::-1, ::-1]
    return flat


def test_panels_are_put_where_the_file_says(tmp_path):
    with PatternSet.open(slab_file(tmp_path), geometry=geometry(tmp_path)) as patterns:
        assert patterns.shape == (4, 14)
        assert_array_equal(patterns.frames(1, 4).counts, by_hand(RAW)[1:4])
        stands = patterns.geometry
        assert (stands.photon_energy_ev, stands.distance_m, stands.pixel_size_m) == (1600.0, 0.581, 2e-4)
        assert stands.centre_yx == patterns.centre_yx == (1.5, 6.5)
        bad = np.zeros((4, 14), bool)
        bad[:, 6:8] = True  # the gap
        bad[0, 0] = True  # by mask_bad
        bad[3, 12:] = True  # badspot: first pixels of b, which lies turned
        bad[1:3, 1:3] = True  # badbeam: x from -6 to -4.4 are columns 0.5 to 2.1
        assert_array_equal(patterns.mask, bad)


def test_modules_along_an_index_of_their_own_read_the_same(tmp_path):
    text = SLAB.replace("dim1 = ss\ndim2 = fs\n", "dim2 = ss\ndim3 = fs\n")
    text = text.replace("a/min_ss", "a/dim1 = 0\na/min_ss", 1).replace(
        "b/min_ss = 4\nb/max_ss = 7", "b/dim1 = 1\nb/min_ss = 0\nb/max_ss = 3"
    )
    text = text.replace("badspot/min_ss = 4\nbadspot/max_ss = 4", "badspot/min_ss = 0\nbadspot/max_ss = 0")
    path = slab_file(tmp_path, RAW.reshape(N, 2, 4, 6))
    with PatternSet.open(path, geometry=geometry(tmp_path, text)) as patterns:
        assert_array_equal(patterns.frames(0, N).counts, by_hand(RAW))
        assert patterns.mask[3, 12]
    np.save(tmp_path / "slab.npy", RAW.reshape(N, 2, 4, 6))
    with PatternSet.open(tmp_path / "slab.npy", geometry=geometry(tmp_path, text)) as patterns:
        assert_array_equal(patterns.frames(0, N).counts, by_hand(RAW))
    with pytest.raises(InputError, match=r"shape \(5, 2, 4, 6\)"):
        PatternSet.open(path, dataset="entry_1/data_1/data")


def test_common_mode_is_taken_off_before_panels_are_turned(tmp_path):
    raw = 10.0 * RAW
    raw[:, :4] += 30.0
    raw[:, 4:] -= 17.0
    adu = AduConversion(adu_per_photon=10.0, common_mode="panel")
    raw[:, ::2, ::2] = np.where(np.arange(8)[::2, None] < 4, 30.0, -17.0)  # enough dark pixels
    with PatternSet.open(slab_file(tmp_path, raw), geometry=geometry(tmp_path), adu=adu) as patterns:
        photons = RAW.copy()
        photons[:, ::2, ::2] = 0
        assert_array_equal(patterns.frames(0, N).counts, by_hand(photons))


def test_a_mask_may_be_that_of_raw_or_of_flat_frames(tmp_path):
    raw_mask = np.zeros((8, 6), np.uint8)
    raw_mask[6, 2] = 1
    np.save(tmp_path / "raw.npy", raw_mask)
    np.save(tmp_path / "flat.npy", by_hand(raw_mask[None])[0])
    masks = []
    for name in ("raw.npy", "flat.npy"):
        with PatternSet.open(
            slab_file(tmp_path), geometry=geometry(tmp_path), mask=tmp_path / name
        ) as patterns:
            masks.append(patterns.mask)
    assert_array_equal(*masks)
    assert masks[0].sum() == 1 + 8  # and the gap


@pytest.mark.parametrize(
    ("line", "energy_ev", "distance_m"),
    [
        ("photon_energy = 9300", 9300.0, 0.581),
        ("photon_energy = /beam/energy keV", 1800.0, 0.581),
        ("wavelength = 1.0 A", 12398.41984, 0.581),
        ("wavelength = 1e-10 m", 12398.41984, 0.581),
        ("clen = 0.12", 1600.0, 0.12),
        ("clen = /beam/distance", 1600.0, 0.25),
        ("clen = /beam/distance m", 1600.0, 250.0),
        ("clen = 100 mm\na/coffset = 0.02\nb/coffset = 20 mm", 1600.0, 0.12),
        ("clen = /beam/distance\na/coffset = 0.58\nb/coffset = 0.58", 1600.0, 0.83),
        ("clen = /beam/encoder\na/coffset = 0.58\nb/coffset = 0.58", 1600.0, 0.13),
    ],
)
def test_energy_and_distance_in_all_their_units(tmp_path, line, energy_ev, distance_m):
    key = line.split()[0]
    lines = [
        each
        for each in SLAB.splitlines()
        if each.split(" = ")[0] not in (key, "photon_energy" if key == "wavelength" else key)
    ]
    path = slab_file(tmp_path)
    with h5py.File(path, "a") as file:
        file["beam/energy"] = [1.7, 1.9]
        file["beam/distance"] = 250.0
        file["beam/encoder"] = [-450.0, -450.0]  # as LCLS writes it
    with PatternSet.open(
        path, geometry=geometry(tmp_path, "\n".join([line.split("\n")[0], *lines, *line.split("\n")[1:]]))
    ) as patterns:
        assert patterns.geometry.photon_energy_ev == pytest.approx(energy_ev)
        assert patterns.geometry.distance_m == pytest.approx(distance_m)


def test_extra_geom_puts_modules_to_the_same_places(tmp_path):
    extra_geom = pytest.importorskip("extra_geom", reason="extra-geom is not installed (extra euxfel)")
    rng = np.random.default_rng(2)
    for detector, shape in (
        (extra_geom.AGIPD_1MGeometry.example(), (16, 512, 128)),
        (extra_geom.LPD_1MGeometry.example(), (16, 256, 256)),
        (extra_geom.JUNGFRAUGeometry.example(2), (2, 512, 1024)),
        (extra_geom.PNCCDGeometry.example(), (2, 512, 1024)),
    ):
        path = tmp_path / "theirs.geom"
        detector.write_crystfel_geom(str(path))
        said = parse_crystfel(path.read_text(), path)
        assembly = Assembly(said.panels, shape)
        data = rng.poisson(5.0, size=(1, *shape)).astype(np.float32)
        theirs, corner_yx = detector.position_modules(data)
        assert_array_equal(assembly.gaps, np.isnan(theirs[0]))
        assert_array_equal(assembly(data)[0], np.nan_to_num(theirs[0]))
        assert assembly.centre_yx == tuple(corner_yx - 0.5)
        assert said.pixel_size_m == pytest.approx(detector.pixel_size)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("a/min_ss = 0", "a/min_ss 0", "line 13 reads 'a/min_ss 0'; needed is key = value"),
        ("a/min_ss = 0", "a/min_ss = x", "a: min_ss is 'x'; needed is a number"),
        ("a/max_ss = 3\n", "", "a: max_ss is missing"),
        ("a/max_ss = 3", "a/max_ss = 90", "reaches to 90 where raw frames of shape"),
        ("a/fs = +0.9999x", "a/fs = +0.7x", "whose rows run along x or y"),
        ("a/fs = +0.9999x +0.01y", "a/fs = east", "a: fs is 'east'; needed is a step"),
        ("a/corner_x = -7.2", "a/corner_x = nan", "corner_x is 'nan'"),
        ("a/corner_x = -7.2", "a/corner_x = 1e9", r"1e\+09 pixels from the beam"),
        ("a/corner_y = -2.0", "a/corner_y = -9e5\na/corner_x = 9e5", "spreads its panels over"),
        ("clen = 581 mm", "clen = 581 furlongs", "'581 furlongs'; needed is a number with its unit"),
        ("clen = 581 mm", "clen = 581 eV", "needed is a number with its unit .m, mm."),
        ("photon_energy = 1.6 keV", "wavelength = 0.7749 nm", "needed is a number with its unit .m, a."),
        ("dim0 = %", "dim0 = 3", "is placed by 3 indices and raw frames have shape"),
        ("dim1 = ss\ndim2 = fs", "dim1 = fs\ndim2 = ss", "needed are ss and fs, in this order"),
        ("badspot/panel = b\n", "", "badspot has fs and ss without a panel"),
        ("res = 5000", "res = 0", "res is 0; needed are the pixels in a metre"),
        ("mask_bad = 0x3", "mask_bad = 0xz", "needed is a whole number such as 0xffff"),
        ("mask_good", "mask_file = other.h5\nmask_good", "give it with --mask"),
        ("clen = 581 mm", "mask_edge_pixels = wide", "mask_edge_pixels is 'wide'; needed is a number"),
        (SLAB, "clen = 1\n", "has no panels"),
        ("a/no", "a/no", None),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, old, new, what):
    path = geometry(tmp_path, SLAB.replace(old, new))
    if what is None:
        PatternSet.open(slab_file(tmp_path), geometry=path).close()
        return
    with pytest.raises(InputError, match=what) as caught:
        PatternSet.open(slab_file(tmp_path), geometry=path)
    assert "\n" not in str(caught.value)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.geom").write_bytes(bytes(range(256)))
    for name in ("a.geom", "missing.geom"):
        with pytest.raises(InputError, match="not a readable text file"):
            PatternSet.open(slab_file(tmp_path), geometry=tmp_path / name)


def test_panels_without_use_and_rims_are_bad():
    text = SLAB.replace("badspot/panel = b", "a/mask_edge_pixels = 1\nb/no_index = 1\nbadspot/panel = b")
    said = parse_crystfel(text, Path("x.geom"))
    assert [panel.name for panel in said.panels] == ["a"]
    bad = said.bad_in_raw((8, 6))
    assert bad[:4].sum() == 24 - 8
    assert not bad[4:].any()


def test_no_mutation_of_a_geometry_gives_a_traceback(tmp_path):
    """One character here and there is another: it is read, or refused in a sentence."""
    rng = np.random.default_rng(7)
    path = slab_file(tmp_path)
    refused = []
    for _ in range(150):
        text = list(SLAB)
        for place in rng.integers(0, len(text), rng.integers(1, 6)):
            text[place] = rng.choice(list("0123456789-+./=;xyzabe% \n"))
        try:
            with PatternSet.open(path, geometry=geometry(tmp_path, "".join(text))) as patterns:
                assert patterns.frames(0, 1).counts.shape == (1, *patterns.shape)
        except InputError as error:
            refused.append(str(error))
    assert 30 < len(refused) < 150
    assert not [sentence for sentence in refused if "damaged" in sentence or "\n" in sentence]
