"""The law of formats: the same frames read the same, in blocks or whole, with mask and names kept."""

import struct
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import toy_formats as toy
from numpy.testing import assert_array_equal
from PIL import Image
from toy_formats import FRAMES, MASK, SHAPE, WRITERS, N

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, describe, find_pattern_files, sizes
from xfelspi.patterns.formats import FORMATS
from xfelspi.patterns.formats.cxi import UNUSABLE

DETECTOR = "entry_1/instrument_1/detector_1"


@pytest.fixture(params=WRITERS)
def named(request, tmp_path):
    write, name = WRITERS[request.param]
    return request.param, write(tmp_path / name)


def test_the_same_frames_read_the_same(named):
    name, path = named
    with PatternSet.open(path) as patterns:
        assert (patterns.format, patterns.n, patterns.shape) == (name, N, SHAPE)
        assert describe(patterns)["format"] == name
        whole = patterns.frames(0, N)
        assert_array_equal(whole.counts, FRAMES)
        assert whole[1:] == (0, 0)
        assert whole.counts.flags.writeable
        for start, stop in ((4, 6), (0, 1), (3, 5), (2, 2)):  # backwards too
            assert_array_equal(patterns.frames(start, stop).counts, FRAMES[start:stop])


def test_every_format_is_tried_here():
    assert {form.name for form in FORMATS} - {"xfel", "European XFEL", "LCLS"} <= WRITERS.keys()


def test_a_choice_without_use_is_refused(named):
    _, path = named
    for choice in ("dataset", "detector"):
        form = next(form for form in FORMATS if form.recognizes(path))
        if choice not in form.takes:
            with pytest.raises(InputError, match=f"no use for --{choice}"):
                PatternSet.open(path, **{choice: "x"})


def test_cxi_says_mask_names_and_geometry(tmp_path):
    with PatternSet.open(toy.cxi(tmp_path / "a.cxi")) as patterns:
        assert_array_equal(patterns.mask, MASK)
        assert patterns.ids.tolist() == [f"run7:{index}" for index in range(N)]
        geometry = patterns.geometry
        assert (geometry.photon_energy_ev, geometry.distance_m, geometry.pixel_size_m) == (1000, 0.5, 1e-4)
        assert geometry.centre_yx == (3.5, 4.5)


@pytest.mark.parametrize("steps", [((0, -1e-4, 0), (-1e-4, 0, 0)), ((1e-4, 0, 0), (0, 1e-4, 0))])
def test_cxi_finds_the_beam_whatever_way_rows_run(tmp_path, steps):
    path = toy.cxi(tmp_path / "a.cxi")
    beam = np.array([3.0, 6.0])
    with h5py.File(path, "a") as file:
        detector = file["entry_1/instrument_1/detector_1"]
        detector["basis_vectors"] = steps
        detector["corner_position"][...] = -(beam + 0.5) @ np.array(steps)
    with PatternSet.open(path) as patterns:
        assert patterns.geometry.centre_yx == tuple(beam)


def test_cxi_bits(tmp_path):
    """Each bit by itself hides a pixel or does not, as the table of the format page says."""
    path = toy.cxi(tmp_path / "a.cxi")
    bits = np.zeros(SHAPE, np.uint32)
    bits.ravel()[:32] = 1 << np.arange(32, dtype=np.uint64)
    with h5py.File(path, "a") as file:
        file["entry_1/instrument_1/detector_1/mask"][...] = bits
    with PatternSet.open(path) as patterns:
        hidden = np.flatnonzero(patterns.mask.ravel())
    assert hidden.tolist() == [0, 1, 2, 3, 4, 6, 7, 9, 10, 12]
    assert sum(1 << int(bit) for bit in hidden) == UNUSABLE


def test_cxi_with_a_mask_for_each_frame(tmp_path):
    path = toy.cxi(tmp_path / "a.cxi")
    own = np.zeros((N, *SHAPE), np.uint16)
    own[:, MASK] = 0x8
    own[2, 7, 7] = 0x2  # saturated in this frame alone
    with h5py.File(path, "a") as file:
        del file["entry_1/instrument_1/detector_1/mask"]
        file["entry_1/instrument_1/detector_1/mask"] = own
    with PatternSet.open(path) as patterns:
        assert_array_equal(patterns.mask, MASK)
        frames = patterns.frames(2, 3)
        assert frames.n_nan == MASK.sum() + 1
        assert_array_equal(frames.counts[0], np.where(own[2] == 0, FRAMES[2], 0))


def test_cxi_of_one_frame_of_a_virtual_data_set_and_of_train_and_pulse(tmp_path):
    path = toy.cxi(tmp_path / "a.cxi")
    with h5py.File(path, "a") as file:
        del file["entry_1/data_1"], file["entry_1/experiment_identifier"]
        layout = h5py.VirtualLayout((N, *SHAPE), "<u2")
        source = h5py.VirtualSource(".", "entry_1/instrument_1/detector_1/data", (N, *SHAPE))
        layout[:3], layout[3:] = source[3:], source[:3]
        file.create_virtual_dataset("entry_1/data_1/data", layout)
        file["entry_1/trainId"] = np.arange(N) // 4 + 10**9
        file["entry_1/pulseId"] = np.arange(N) % 4
        file["entry_1/image_1/data"] = FRAMES[1].astype(np.float32)
    with PatternSet.open(path) as patterns:
        assert_array_equal(patterns.frames(0, N).counts, np.roll(FRAMES, 3, axis=0))
        assert patterns.ids[[0, 5]].tolist() == ["1000000000:0", "1000000001:1"]
    with PatternSet.open(path, dataset="entry_1/image_1/data") as patterns:
        assert_array_equal(patterns.frames(0, 9).counts, FRAMES[1:2])
        assert patterns.ids is None


@pytest.mark.parametrize("kind", [1, 2])
def test_emc_dense(tmp_path, kind):
    with PatternSet.open(toy.emc(tmp_path / "a.emc", kind=kind)) as patterns:
        assert_array_equal(patterns.frames(0, N).counts, FRAMES)


@pytest.mark.parametrize("write", [toy.emc, toy.emc_hdf5, lambda path: toy.emc(path, kind=1)])
@pytest.mark.parametrize("name", ["det.h5", "photons_det.dat", "det_sim.dat"])
def test_emc_finds_its_detector_beside(tmp_path, write, name):
    toy.square_detector(tmp_path / name, old=name == "det_sim.dat")
    with PatternSet.open(write(tmp_path / "photons.emc")) as patterns:
        assert_array_equal(patterns.frames(0, N).counts, FRAMES)
        assert_array_equal(patterns.mask, MASK)


@pytest.mark.parametrize("dense", [0, 1])
def test_emc_pixels_in_any_order_with_a_gap(tmp_path, dense):
    """Two panels with a gap of two columns, panel by panel: a frame with the gap masked."""
    frames = np.insert(FRAMES, [5, 5], 0, axis=2)
    y, x = np.indices(frames.shape[1:])
    panels = np.concatenate([np.flatnonzero((x < 5).ravel()), np.flatnonzero((x > 6).ravel())])
    path = toy.emc(tmp_path / "a.emc", frames.reshape(N, -1)[:, panels], dense)
    given = toy.detector(
        tmp_path / "panels.h5", y.ravel()[panels] - 3.0, x.ravel()[panels] - 5.5, np.ones(100, int)
    )
    with PatternSet.open(path, detector=given) as patterns:
        assert_array_equal(patterns.frames(0, N).counts, frames)
        assert_array_equal(patterns.mask, (x > 4) & (x < 7))


def test_emc_without_a_square_wants_a_detector(tmp_path):
    path = toy.emc(tmp_path / "a.emc", FRAMES[:, 1:])
    with pytest.raises(InputError, match="90 pixels, which make no square"):
        PatternSet.open(path)
    with pytest.raises(InputError, match="100 pixels and the frames"):
        PatternSet.open(path, detector=toy.square_detector(tmp_path / "d.h5"))


def test_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, one=FRAMES, two=np.asfortranarray(FRAMES[1]), names=np.array(["a"]))
    with PatternSet.open(toy.npz(tmp_path / "b.npz")) as patterns:
        assert_array_equal(patterns.mask, MASK)
        assert patterns.labels.tolist() == [1, 0, -1, 0, 1, 1]
    with PatternSet.open(path, dataset="two") as patterns:
        assert_array_equal(patterns.frames(0, 1).counts, FRAMES[1:2])
    with pytest.raises(InputError, match=r"no array 'three'; it has one \(6, 10, 10\) uint16"):
        PatternSet.open(path, dataset="three")


def test_pictures_are_sorted_by_number_and_named(tmp_path):
    frames = toy.folder(tmp_path / "frames")
    with PatternSet.open(tmp_path / "frames" / "shot*.png") as patterns:
        assert patterns.ids.tolist() == ["shot3.png", "shot7.png", "shot11.png"]
        assert_array_equal(patterns.frames(0, 3).counts, FRAMES[1::2])
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(frames / "shot20.png")
    with PatternSet.open(frames) as patterns, pytest.raises(InputError, match="4 x 4 among those of 10 x 10"):
        patterns.frames(5, 7)
    with pytest.raises(InputError, match="No picture"):
        PatternSet.open(tmp_path / "none*.png")
    with (
        PatternSet.open(frames / "shot20.png") as patterns,
        pytest.raises(InputError, match=r"in colour \(RGB\)"),
    ):
        patterns.frames(0, 1)


@pytest.mark.parametrize("how", ["link", "virtual", "storage"])
def test_other_files_are_read_only_when_asked(tmp_path, how):
    toy.hdf5(tmp_path / "data.h5")
    FRAMES.tofile(tmp_path / "raw.bin")
    path = tmp_path / "master.h5"
    with h5py.File(path, "w") as file:
        if how == "link":
            file["frames"] = h5py.ExternalLink("data.h5", "run/frames")
        elif how == "virtual":
            layout = h5py.VirtualLayout((N, *SHAPE), "<u2")
            layout[:] = h5py.VirtualSource("data.h5", "run/frames", (N, *SHAPE))
            file.create_virtual_dataset("frames", layout)
        else:
            stored = [(tmp_path / "raw.bin", 0, FRAMES.nbytes)]
            file.create_dataset("frames", (N, *SHAPE), "<u2", external=stored)
    for dataset in ("frames", None):
        with pytest.raises(InputError, match=r"(data\.h5|raw\.bin)") as caught:
            PatternSet.open(path, dataset=dataset)
        if dataset:
            assert "--follow-links" in str(caught.value)
        with PatternSet.open(path, dataset=dataset, follow_links=True) as patterns:
            assert_array_equal(patterns.frames(0, N).counts, FRAMES)
    (tmp_path / "data.h5").unlink()
    (tmp_path / "raw.bin").unlink()
    with (
        pytest.raises(InputError, match=r"not there|raw data file"),
        PatternSet.open(path, dataset="frames", follow_links=True) as patterns,
    ):
        patterns.frames(0, 1)


def test_what_a_dataset_declares_is_held_against_what_is_stored(tmp_path, monkeypatch):
    """A virtual data set stores nothing itself: its sources count."""
    monkeypatch.setattr(sizes, "_SMALL_BYTES", 0)
    toy.hdf5(tmp_path / "data.h5")
    for n, is_honest in ((N, True), (10**6, False)):
        with h5py.File(tmp_path / "master.h5", "w") as file:
            layout = h5py.VirtualLayout((n, *SHAPE), "<u2")
            layout[:N] = h5py.VirtualSource("data.h5", "run/frames", (N, *SHAPE))
            file.create_virtual_dataset("virtual", layout)
        if is_honest:
            with PatternSet.open(tmp_path / "master.h5", follow_links=True) as patterns:
                assert_array_equal(patterns.frames(0, N).counts, FRAMES)
        else:
            with pytest.raises(InputError, match=r"declares \d+ bytes and does not hold them"):
                PatternSet.open(tmp_path / "master.h5", follow_links=True)


@pytest.mark.parametrize("hole", [False, True])
@pytest.mark.parametrize("chunk", [(1, *SHAPE), (2, SHAPE[0], 3)])
@pytest.mark.parametrize("place", ["run/frames", "entry_1/data_1/data"])
def test_room_for_more_frames_than_came_is_no_damage(tmp_path, place, chunk, hole):
    """Frames after the last that was written are none; a missing one between others is dark."""
    path, room = tmp_path / "a.h5", 10**9
    written = 4 if chunk[0] == 2 else 3
    with h5py.File(path, "w") as file:
        data = file.create_dataset(place, (room, *SHAPE), "<u2", chunks=chunk, maxshape=(None, *SHAPE))
        data[2:written] = FRAMES[2:written]
        if not hole:
            data[:2] = FRAMES[:2]
        few = file.create_dataset("few", (5, *SHAPE), "<u2", chunks=(1, *SHAPE))
        few[:3] = FRAMES[:3]
        file["labels"] = np.array([1, 0, -1, -1, -1], np.int8)
        file.create_dataset("none", (room, *SHAPE), "<u2", chunks=(1, *SHAPE))
    with PatternSet.open(path, dataset=place) as patterns:
        expected = FRAMES[:written].copy()
        expected[:2] *= not hole
        assert patterns.n == written
        assert_array_equal(patterns.frames(0, room).counts, expected)
        assert f"room for {room} frames" in patterns.remarks[0]
    with PatternSet.open(path, dataset="few") as patterns:
        assert patterns.labels.tolist() == [1, 0, -1]
    with pytest.raises(InputError, match="none is written yet; wait"):
        PatternSet.open(path, dataset="none")


def test_what_goes_with_frames_may_have_room_for_more_as_well(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("frames", (5, *SHAPE), "<u2", chunks=(1, *SHAPE))[:3] = FRAMES[:3]
        file["mine"] = np.array([1, 0, 1, -1, -1], np.int8)
        file["energies"] = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
        file["less"] = np.array([1, 0, 1, -1], np.int8)
    with PatternSet.open(path, dataset="frames", labels="mine") as patterns:
        assert patterns.labels.tolist() == [1, 0, 1]
        assert patterns.per_pattern("energies", "pulse energies").tolist() == [1.0, 2.0, 3.0]
        with pytest.raises(InputError, match="one for each of the 3 patterns"):
            patterns.per_pattern("less", "pulse energies")


def test_folders_that_number_alike_come_one_after_the_other(tmp_path):
    for run in (10, 9):
        (tmp_path / f"run{run}").mkdir()
        for frame in (2, 10):
            picture = Image.fromarray(np.full((16, 16), 100 * (run == 10) + frame, np.uint8))
            picture.save(tmp_path / f"run{run}" / f"frame{frame}.png")
    with PatternSet.open(tmp_path / "run*" / "frame*.png") as patterns:
        assert patterns.frames(0, 4).counts[:, 0, 0].tolist() == [2, 10, 102, 110]
        assert patterns.ids.tolist() == [
            "run9/frame2.png",
            "run9/frame10.png",
            "run10/frame2.png",
            "run10/frame10.png",
        ]


def test_links_in_circles_end(tmp_path):
    path = toy.hdf5(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["run/up"] = file["/"]
        file["one"] = h5py.SoftLink("/two")
        file["two"] = h5py.SoftLink("/one")
        file["run/labels"] = h5py.SoftLink("labels")
    with PatternSet.open(path) as patterns:
        assert patterns.n == N
    with pytest.raises(InputError, match="no dataset 'one'"):
        PatternSet.open(path, dataset="one")
    with PatternSet.open(path, dataset="run/up/run/up/run/frames") as patterns:
        assert patterns.n == N


@pytest.mark.parametrize("kind", ["npz", "tiff"])
def test_threads_do_not_read_each_others_frames(tmp_path, kind):
    """One stream or picture has one place; several threads read at once all the same."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 60_000, (160, 24, 20)).astype(np.uint16)
    if kind == "npz":
        path = tmp_path / "a.npz"
        np.savez_compressed(path, frames=frames)
    else:
        path = tmp_path / "a.tif"
        first, *rest = map(Image.fromarray, frames)
        first.save(path, save_all=True, append_images=rest)
    blocks = [range(start, start + 8) for start in range(0, 160, 8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with PatternSet.open(path) as patterns, ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda block: patterns.frames(block[0], block[-1] + 1).counts, blocks * 3))
    finally:
        sys.setswitchinterval(before)
    for block, counts in zip(blocks * 3, found, strict=True):
        assert_array_equal(counts, frames[block])


def test_where_the_beam_is_the_file_says_else_somebody_else_it_is_the_middle(tmp_path):
    with PatternSet.open(toy.cxi(tmp_path / "a.cxi")) as patterns:
        assert patterns.beam_yx == (3.5, 4.5)
    with PatternSet.open(toy.npy(tmp_path / "a.npy")) as patterns:
        assert patterns.beam_yx == ((SHAPE[0] - 1) / 2, (SHAPE[1] - 1) / 2)
        patterns.take_centre((1.0, 2.5))
        assert patterns.beam_yx == (1.0, 2.5)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u4", ">i8"])
def test_cxi_masks_of_every_type(tmp_path, dtype):
    path = toy.cxi(tmp_path / "a.cxi")
    with h5py.File(path, "r+") as file:
        del file[f"{DETECTOR}/mask"]
        file[f"{DETECTOR}/mask"] = np.where(MASK, 0x4, 0x20).astype(dtype)
    with PatternSet.open(path) as patterns:
        np.testing.assert_array_equal(patterns.mask, MASK)


def test_another_detector_of_cxi_speaks_for_itself(tmp_path):
    """Neither mask nor place of the first detector are those of the second."""
    path = toy.cxi(tmp_path / "two.cxi")
    with h5py.File(path, "r+") as file:
        second = file.create_group("entry_1/instrument_1/detector_2")
        second["data"], second["x_pixel_size"] = FRAMES[:4], 75e-6
    name = "entry_1/instrument_1/detector_2"
    with PatternSet.open(path, dataset=f"{name}/data") as patterns:
        assert not patterns.mask.any()
        assert patterns.geometry is patterns.centre_yx is None
        assert patterns.detector_group == name
    with h5py.File(path, "r+") as file:
        file[f"{name}/distance"] = 2.0
    with PatternSet.open(path, dataset=f"{name}/data") as patterns:
        assert (patterns.geometry.distance_m, patterns.geometry.pixel_size_m) == (2.0, 75e-6)


def test_pixels_that_are_not_square_make_no_geometry(tmp_path):
    path = toy.cxi(tmp_path / "a.cxi")
    with h5py.File(path, "r+") as file:
        del file[f"{DETECTOR}/y_pixel_size"]
        file[f"{DETECTOR}/y_pixel_size"] = 2e-4
    with PatternSet.open(path) as patterns:
        assert patterns.geometry is None
        assert "100 µm wide and 200 µm high" in patterns.remarks[0]


def test_shots_that_were_not_measured_have_no_part_in_the_energy(tmp_path):
    path = toy.cxi(tmp_path / "a.cxi")
    with h5py.File(path, "r+") as file:
        file["entry_1/instrument_1/source_1/energy"][:3] = [0.0, np.nan, np.inf]
    with PatternSet.open(path) as patterns:
        assert patterns.geometry.photon_energy_ev == pytest.approx(1000.0)


def test_links_within_a_file_may_say_here(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["run 7/raw"] = FRAMES
        file["patterns"] = h5py.SoftLink("./run 7/./raw")
    with PatternSet.open(path, dataset="patterns") as patterns:
        np.testing.assert_array_equal(patterns.raw(0, N), FRAMES)


def test_a_compression_that_is_not_there_is_named(tmp_path, monkeypatch):
    """Bitshuffle is common at beamlines; HDF5 alone calls its chunks unreadable."""
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        steps = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        steps.set_chunk((1, *SHAPE))
        steps.set_filter(32_008, h5py.h5z.FLAG_OPTIONAL, (0, 2))
        space = h5py.h5s.create_simple((N, *SHAPE))
        h5py.h5d.create(file.id, b"patterns", h5py.h5t.NATIVE_UINT16, space, steps)
    with pytest.raises(InputError, match=r"filter 32008 .* pip install hdf5plugin"):
        PatternSet.open(path)


def test_emc_knows_the_centre_that_its_detector_says(tmp_path):
    y, x = (steps.ravel().astype(float) for steps in np.indices(SHAPE))
    toy.detector(tmp_path / "det.dat", y - 3.25, x - 7.5, MASK.ravel().astype(int))
    path = toy.emc(tmp_path / "photons.emc")
    with PatternSet.open(path, detector=tmp_path / "det.dat") as patterns:
        assert patterns.centre_yx == pytest.approx((3.25, 7.5), abs=1e-3)
    with PatternSet.open(path, detector=None) as patterns:
        assert patterns.centre_yx is not None  # the file lies beside
    (tmp_path / "det.dat").unlink()
    with PatternSet.open(path) as patterns:
        assert patterns.centre_yx is None


def test_folders_of_one_set_are_one_and_detectors_are_no_patterns(tmp_path):
    toy.folder(tmp_path / "pictures")
    assert find_pattern_files([tmp_path / "pictures"]) == [tmp_path / "pictures"]
    several = tmp_path / "several"
    several.mkdir()
    toy.emc(several / "photons.emc")
    toy.square_detector(several / "photons_det.h5")
    toy.cxi(several / "run.cxi")
    toy.png(several / "run.png")  # as `xfel show` draws it
    assert find_pattern_files([several]) == [several / "photons.emc", several / "run.cxi"]


def test_tiff_below_zero_and_of_a_kind_that_is_not_read(tmp_path):
    """Numbers of 8 bits with a sign, and of 64 bits: a baseline file by hand, for Pillow writes neither."""

    def tiff(path, pixels, sample_format):
        height, width = pixels.shape
        tags = {256: width, 257: height, 258: 8 * pixels.itemsize, 259: 1, 262: 1, 273: 8 + 2 + 12 * 10 + 4}
        tags |= {277: 1, 278: height, 279: pixels.nbytes, 339: sample_format}
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
        header = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags))
        path.write_bytes(header + entries + struct.pack("<I", 0) + pixels.tobytes())
        return path

    below = tiff(tmp_path / "below.tif", np.full((16, 20), -7, np.int8), 2)
    with PatternSet.open(below) as patterns:
        assert (patterns.raw(0, 1) == -7).all()
        assert patterns.frames(0, 1).n_negative == 16 * 20
    bright = tiff(tmp_path / "bright.tif", np.full((16, 20), 4_000_000_000, np.uint32), 1)
    with PatternSet.open(bright) as patterns:  # Pillow takes them for numbers with a sign
        assert (patterns.raw(0, 1) == 4_000_000_000).all()
    with PatternSet.open(tiff(tmp_path / "signed.tif", np.full((16, 20), -7, np.int32), 2)) as patterns:
        assert (patterns.raw(0, 1) == -7).all()
    with pytest.raises(InputError, match="of a kind that is not read"):
        PatternSet.open(tiff(tmp_path / "long.tif", np.ones((16, 20)), 3))
