"""What is written reads back the same, with plain h5py and with our own readers; nothing is lost unsaid."""

import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np
import pytest
import toy_formats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from toy_patterns import GEOMETRY, MASK, SHAPE, N, frame

from xfelspi.errors import InputError
from xfelspi.patterns import (
    AlreadyComplete,
    PatternSet,
    Verdicts,
    convert,
    describe,
    event_cells,
    event_lines,
    read_events,
    read_verdicts,
    require_about,
    update_scores,
)

HERE = Path(__file__).parent
DETECTOR = "entry_1/instrument_1/detector_1"
COUNTS = np.stack([frame(index) for index in range(N)])
PROBABILITY = np.round(np.linspace(0, 1, N), 6)
KEPT = np.arange(N) % 3 == 1
VERDICTS = Verdicts(
    scores={"probability": PROBABILITY, "ood": np.full(N, 0.25)},
    tags={"kept": KEPT, "unsure": PROBABILITY == 0.5},
)


def write(source, path, **choices):
    with PatternSet.open(source) as patterns:
        return convert(patterns, path, **choices)


def content(path):
    with PatternSet.open(path) as patterns:
        return patterns.raw(0, patterns.n), patterns.mask, patterns.geometry


def table(path, header="index,probability,kept,unsure,ood,strange,label", rows=None):
    rows = rows or [
        f"{i},{p:.6f},{int(k)},0,0.25,0,-1" for i, (p, k) in enumerate(zip(PROBABILITY, KEPT, strict=True))
    ]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_cxi_is_what_the_standard_says(toy_file, tmp_path):
    write(toy_file, tmp_path / "kept.cxi", only=VERDICTS.kept, verdicts=VERDICTS)
    with h5py.File(tmp_path / "kept.cxi") as file:
        assert file["cxi_version"][()] == 160
        assert file.id.get_create_plist().get_version()[0] == 0  # superblock that every HDF5 reads
        detector = file[DETECTOR]
        np.testing.assert_array_equal(detector["data"], COUNTS[KEPT])
        assert detector["data"].dtype == np.uint16
        assert detector["data"].attrs["axes"] == "experiment_identifier:y:x"
        assert detector["data"].parent["experiment_identifier"][:].tolist() == [
            f"7:{index}".encode() for index in np.flatnonzero(KEPT)
        ]
        assert file["entry_1/data_1"] == detector
        np.testing.assert_array_equal(detector["mask"], MASK)
        assert detector["mask"].dtype == np.uint32
        score, tags = detector["score"], detector["tags"]
        assert score.attrs["headings"].tolist() == ["probability", "ood"]
        np.testing.assert_array_equal(score, [PROBABILITY[KEPT], np.full(KEPT.sum(), 0.25)])
        assert (tags.attrs["headings"].tolist(), tags.dtype) == (["kept", "unsure"], np.int8)
        np.testing.assert_array_equal(tags, [KEPT[KEPT], VERDICTS.tags["unsure"][KEPT]])
        assert detector["distance"][()] == GEOMETRY.distance_m
        assert detector["x_pixel_size"][()] == GEOMETRY.pixel_size_m
        np.testing.assert_allclose(file["entry_1/instrument_1/source_1/energy"], 1600 * 1.602176634e-19)


@pytest.mark.parametrize("name", ["a.cxi", "a.emc", "a.emc.h5"])
def test_there_and_back(toy_file, tmp_path, name):
    """Photons, mask and geometry survive every format; truth, recipe and names those that hold them."""
    write(toy_file, tmp_path / name)
    write(tmp_path / name, tmp_path / "back.cxi")
    for there, back in zip(content(toy_file), content(tmp_path / "back.cxi"), strict=True):
        if isinstance(there, np.ndarray):
            np.testing.assert_array_equal(there, back)
        else:
            assert there == back
    if name == "a.cxi":
        with PatternSet.open(toy_file) as old, PatternSet.open(tmp_path / "back.cxi") as new:
            assert old.ids.tolist() == new.ids.tolist()
            np.testing.assert_array_equal(old.bits, new.bits)
            for field, values in old.truth.items():
                np.testing.assert_array_equal(values, new.truth[field], err_msg=field)
            for setting, value in old.run.items():
                assert new.run[setting] == value


@pytest.mark.parametrize("dtype", ["i4", "u1", "f4", "f8", ">i2"])
def test_cxi_keeps_every_number_of_every_type(tmp_path, dtype):
    rng = np.random.default_rng(1)
    frames = rng.normal(0, 20, (5, 7, 9)).astype(dtype)
    if frames.dtype.kind == "f":
        frames[0, 0, :3] = np.nan, np.inf, -np.inf
    np.save(tmp_path / "a.npy", frames)
    write(tmp_path / "a.npy", tmp_path / "b.cxi", only=np.array([0, 1, 4]))
    with h5py.File(tmp_path / "b.cxi") as file:
        there = file[DETECTOR]["data"]
        assert there.dtype == frames.dtype.newbyteorder("=")
        assert there[:].tobytes() == frames[[0, 1, 4]].astype(there.dtype).tobytes()


@settings(max_examples=15)
@given(arrays(np.int32, (4, 3, 3), elements=st.sampled_from([0, 0, 0, 1, 2, 255, 70_000, 2**31 - 1])))
def test_emc_holds_all_whole_counts(tmp_path_factory, frames):
    folder = tmp_path_factory.mktemp("emc")
    np.save(folder / "a.npy", frames)
    for name in ("a.emc", "a.emc.h5"):
        written = write(folder / "a.npy", folder / name)
        np.testing.assert_array_equal(content(folder / name)[0], frames)
        assert "no geometry" in " ".join(written.lost)


def test_emc_refuses_what_are_no_photons_or_says_what_it_rounded(tmp_path):
    frames = np.ones((3, 4, 4), np.float32)
    frames[1, 0, :4] = 1.6, -2.0, np.nan, 0.4
    np.save(tmp_path / "a.npy", frames)
    with pytest.raises(InputError, match=r"2 fractions, 1 negative, 1 without a value.*--round"):
        write(tmp_path / "a.npy", tmp_path / "a.emc")
    assert sorted(os.listdir(tmp_path)) == ["a.npy"]
    written = write(tmp_path / "a.npy", tmp_path / "a.emc", rounding=True)
    assert "2 good pixels were rounded to whole photons; 1 negative and 1 without" in " ".join(written.lost)
    np.testing.assert_array_equal(content(tmp_path / "a.emc")[0][1, 0], [2, 0, 0, 0])
    frames[1, 0, :4] = 3e9, 0, 0, 0
    np.save(tmp_path / "a.npy", frames)
    with pytest.raises(InputError, match="EMC counts to 2147483647"):
        write(tmp_path / "a.npy", tmp_path / "b.emc")


def test_emc_takes_what_it_can_under_the_mask(tmp_path):
    frames = np.ones((2, 4, 4), np.float32)
    frames[:, 1, 1], frames[:, 2, 2] = np.nan, 7
    mask = np.isnan(frames[0]) | (frames[0] == 7)
    np.save(tmp_path / "a.npy", frames)
    np.save(tmp_path / "mask.npy", mask)
    with PatternSet.open(tmp_path / "a.npy", mask=tmp_path / "mask.npy") as patterns:
        convert(patterns, tmp_path / "a.emc")
    back = content(tmp_path / "a.emc")[0]
    assert (back[0, 1, 1], back[0, 2, 2]) == (0, 7)


def test_what_goes_with_emc(toy_file, tmp_path):
    """Detector on the Ewald sphere, a letter a frame, 1 for what is dropped."""
    write(toy_file, tmp_path / "a.emc", verdicts=VERDICTS)
    with h5py.File(tmp_path / "a_det.h5") as file:
        q = np.array([file[name] for name in ("qx", "qy", "qz")])
        detd, radius = file["detd"][()], file["ewald_rad"][()]
        corr, mask = file["corr"][:], file["mask"][:]
    assert q.shape == (3, COUNTS[0].size)
    assert detd == GEOMETRY.distance_m / GEOMETRY.pixel_size_m
    np.testing.assert_allclose(np.hypot(np.hypot(q[0], q[1]), q[2] + radius), radius)  # |k + q| = |k|
    across = (q[:2] * detd / (radius + q[2])).reshape(2, *SHAPE)
    np.testing.assert_allclose(across[0, 0], np.arange(SHAPE[1]) - 15.25)
    np.testing.assert_allclose(across[1, :, 0], np.arange(SHAPE[0]) - 11.5)
    np.testing.assert_array_equal(mask, np.where(MASK.ravel() != 0, 2, 0))
    middle = np.argmin((q**2).sum(axis=0))
    assert corr.argmax() == middle
    np.testing.assert_allclose(corr[middle] * detd**2, 1, rtol=1e-5)
    classes = (tmp_path / "a_classes.txt").read_text().split()
    assert classes == [
        "s" if kept else "u" if p == 0.5 else "o" for p, kept in zip(PROBABILITY, KEPT, strict=True)
    ]
    assert (np.loadtxt(tmp_path / "a_blacklist.txt", dtype="u1") == ~KEPT).all()
    write(toy_file, tmp_path / "b.emc")
    with PatternSet.open(toy_file) as patterns:
        letters = np.array(["s", "m", "c", "d", "b"])[patterns.truth["label"]]
    assert (tmp_path / "b_classes.txt").read_text().split() == letters.tolist()
    assert not (tmp_path / "b_blacklist.txt").exists()


def test_lists(toy_file, tmp_path):
    write(toy_file, tmp_path / "kept.lst", only=VERDICTS.kept)
    assert (tmp_path / "kept.lst").read_text().splitlines()[0] == f"{toy_file} //1"
    assert read_events(tmp_path / "kept.lst", toy_file, N).tolist() == VERDICTS.kept.tolist()
    with pytest.raises(InputError, match=r"line 8, reads .* with an index below 22"):
        read_events(tmp_path / "kept.lst", toy_file, 22)
    with pytest.raises(InputError, match=r"needed is other\.h5 //INDEX"):
        read_events(tmp_path / "kept.lst", tmp_path / "other.h5", N)
    write(toy_file, tmp_path / "processed", to="cheetah", verdicts=VERDICTS)
    folder = tmp_path / "processed"
    header, first, *others = (folder / "frames.txt").read_text().splitlines()
    assert header.startswith("# timestamp, event_id, hit, filename, index, num_peaks, ave_intensity")
    assert first == f"nan, 7:0, 0, {toy_file}, 0, 0, 0.0, 0.000000"
    assert len(others) == N - 1
    cleaned = (folder / "cleaned.txt").read_text().splitlines()
    assert [line for line in [first, *others] if line.split(", ")[2] == "1"] == cleaned[1:]
    assert (folder / "hits.lst").read_text().split() == [f"7:{index}" for index in np.flatnonzero(KEPT)]
    assert len((folder / "events.lst").read_text().split()) == N
    assert f"Frames processed: {N}\nNumber of hits: {KEPT.sum()}\n" in (folder / "status.txt").read_text()


def test_verdicts_come_from_the_table(tmp_path):
    read = read_verdicts(table(tmp_path / "run.csv"), Path("run.h5"), N)
    np.testing.assert_array_equal(read.scores["probability"], PROBABILITY)
    assert list(read.scores) == ["probability", "ood"]
    np.testing.assert_array_equal(read.tags["kept"], KEPT)
    assert list(read.tags) == ["kept", "unsure", "strange"]
    for text, said in (
        ("index,label", "no columns index and kept"),
        ("index,kept", "a line for each of the 23 patterns"),
    ):
        with pytest.raises(InputError, match=said):
            read_verdicts(table(tmp_path / "bad.csv", text, ["0,1"]), Path("run.h5"), N)
    with pytest.raises(InputError, match="no numbers"):
        read_verdicts(table(tmp_path / "bad.csv", "index,kept", ["0,yes"]), Path("run.h5"), 1)


def test_a_table_is_about_one_file(tmp_path):
    """By name, and by size where both are there: it may have been moved, or copied."""
    here, there = tmp_path / "a" / 'run 1, "x".h5', tmp_path / "b" / 'run 1, "x".h5'
    rows = [f"{index},1,{event}" for index, event in enumerate(event_cells(here, 2))]
    path = table(tmp_path / "t.csv", "index,kept,event", rows)
    assert read_verdicts(path, there, 2).kept.tolist() == [0, 1]
    assert not read_verdicts(path, there, 2).scores
    with pytest.raises(InputError, match="not about run2"):
        read_verdicts(path, Path("run2.h5"), 2)
    for place in (here, there):
        place.parent.mkdir()
        place.write_bytes(b"same size")
    assert read_verdicts(path, there, 2).kept.tolist() == [0, 1]
    with pytest.raises(
        InputError, match="is about shots of"
    ):  # but nothing of the one replaces that of the other
        require_about(path, there)
    there.write_bytes(b"another one")
    with pytest.raises(InputError, match="give its own table"):
        read_verdicts(path, there, 2)
    (tmp_path / "t.lst").write_bytes(b"".join(event_lines(here, [0])))
    with pytest.raises(InputError, match="needed is"):
        read_events(tmp_path / "t.lst", there, 2)


def test_what_stands_in_the_way_is_left_alone(toy_file, tmp_path):
    path = tmp_path / "a.emc"
    write(toy_file, path)
    before = {other.name: other.read_bytes() for other in tmp_path.iterdir()}
    with pytest.raises(AlreadyComplete):
        write(toy_file, path)
    with pytest.raises(InputError, match=r"a\.emc exists and did not come.*--overwrite"):
        write(toy_file, path, only=np.array([1]))
    with pytest.raises(InputError, match="the file that is read"):
        write(path, path, overwrite=True)
    assert {other.name: other.read_bytes() for other in tmp_path.iterdir()} == before
    write(toy_file, path, only=np.array([1]), renew=True)
    assert len(content(path)[0]) == 1
    path.unlink()
    with pytest.raises(InputError, match=r"a_det\.h5 exists"):
        write(toy_file, path)
    path.write_bytes(b"other notes")
    with pytest.raises(InputError, match=r"a\.emc exists"):
        write(toy_file, path, renew=True)
    for bad, said in (("a.xyz", "no ending that tells"), ("a.cxi", "No pattern")):
        with pytest.raises(InputError, match=said):
            write(toy_file, tmp_path / bad, only=np.array([], int))


def killed(code, *arguments):
    """Run code that kills itself."""
    prelude = "import os, signal, sys\nfrom pathlib import Path\nimport numpy as np\n"
    prelude += "from xfelspi.patterns import *\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("name", ["a.cxi", "a.emc"])
@pytest.mark.parametrize("when", ["midway", "before the rename"])
def test_a_killed_conversion_leaves_nothing_and_the_same_one_does_it(toy_file, tmp_path, name, when):
    path = tmp_path / name
    die = {
        "midway": """
from xfelspi.patterns.writers import shots
shots._BLOCK_BYTES = 4000
raw = PatternSet.raw
def die(self, start, stop):
    if start >= 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return raw(self, start, stop)
PatternSet.raw = die
""",
        "before the rename": """
replace = Path.replace
def die(self, target):
    if target.name.startswith("a."):  # its detector is in place already
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = die
""",
    }[when]
    killed(die + "convert(PatternSet.open(sys.argv[1]), Path(sys.argv[2]))", toy_file, path)
    assert not path.exists()
    write(toy_file, path)
    np.testing.assert_array_equal(content(path)[0], COUNTS)
    assert not [other for other in os.listdir(tmp_path) if other.endswith((".part", ".tmp"))]


def test_of_two_writers_one_wins_and_the_other_is_told(toy_file, tmp_path):
    from xfelspi.patterns.replacing import replacing

    with (
        replacing(tmp_path / "a.cxi"),
        pytest.raises(InputError, match=r"Another process is writing .*a\.cxi;"),
    ):
        write(toy_file, tmp_path / "a.cxi")


def test_a_full_disk_is_one_sentence(toy_file, tmp_path):
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from xfelspi.errors import InputError
for name in ("a.cxi", "a.emc", "a.emc.h5"):
    try:
        convert(PatternSet.open(sys.argv[1]), Path(sys.argv[2]) / name)
    except InputError as error:
        assert "File too large" in str(error), error
    else:
        raise SystemExit("no error")
assert os.listdir(sys.argv[2]) == [], os.listdir(sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed(code, toy_file, tmp_path)


def stored(path):
    """Everything in a file but scores and tags: how it is stored, its bytes on disk, and its attributes."""
    found = {}
    with h5py.File(path) as file:

        def note(name, item):
            if name.endswith(("/score", "/tags")):
                return
            kept = (
                item.dtype.str,
                item.shape,
                item.chunks,
                item.compression if hasattr(item, "dtype") else None,
            )
            n = item.id.get_num_chunks() if item.chunks else 0
            kept += tuple(item.id.read_direct_chunk(item.id.get_chunk_info(i).chunk_offset) for i in range(n))
            kept += (np.asarray(item[()]).tobytes(),)
            found[name] = kept, {key: np.asarray(value).tolist() for key, value in item.attrs.items()}

        file.visititems(lambda name, item: note(name, item) if isinstance(item, h5py.Dataset) else None)
    return found


def test_scores_are_added_and_all_else_stays_bit_for_bit(toy_file, tmp_path):
    path, link = tmp_path / "run.cxi", tmp_path / "link.cxi"
    path.write_bytes(toy_file.read_bytes())
    link.symlink_to(path)
    path.chmod(0o640)
    with h5py.File(path, "r+") as file:
        file[f"{DETECTOR}/score"] = np.arange(N, dtype="f4")
        file[f"{DETECTOR}/score"].attrs["headings"] = ["hitscore"]
    before = stored(path)
    assert update_scores(link, VERDICTS)
    assert stored(path) == before
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    with h5py.File(path) as file:
        score = file[f"{DETECTOR}/score"]
        assert score.attrs["headings"].tolist() == ["hitscore", "probability", "ood"]
        np.testing.assert_array_equal(score, [np.arange(N), PROBABILITY, np.full(N, 0.25)])
        np.testing.assert_array_equal(file[f"{DETECTOR}/tags"][0], KEPT)
    after = path.read_bytes()
    assert not update_scores(path, VERDICTS)  # all there already
    assert path.read_bytes() == after
    assert sorted(os.listdir(tmp_path)) == ["link.cxi", "run.cxi"]


def test_scores_and_a_file_that_cannot_take_them(toy_file, tmp_path, monkeypatch):
    path = tmp_path / "run.cxi"
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["patterns"] = COUNTS
    with pytest.raises(InputError, match=r"is not CXI"):
        update_scores(tmp_path / "plain.h5", VERDICTS)
    path.write_bytes(toy_file.read_bytes())
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1, 1, 10))
    with pytest.raises(InputError, match=r"takes a copy of its .* GB"):
        update_scores(path, VERDICTS)
    monkeypatch.undo()
    assert path.read_bytes() == toy_file.read_bytes()
    code = """
os.fchmod = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
n = 23
update_scores(Path(sys.argv[1]), Verdicts(scores={"p": np.zeros(n)}, tags={"kept": np.ones(n, bool)}))
"""
    killed(code, path)
    assert path.read_bytes() == toy_file.read_bytes()
    with h5py.File(path, "r+") as file:
        file[f"{DETECTOR}/score/mine"] = np.arange(N)
    with pytest.raises(InputError, match=r"score of .* is something else than rows"):
        update_scores(path, VERDICTS)


def test_another_set_of_the_same_file_is_another_conversion(tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"], file["b"] = COUNTS, COUNTS[::-1].copy()
    for overwrite, name in ((False, "a"), (True, "b")):
        with PatternSet.open(tmp_path / "two.h5", dataset=name) as patterns:
            convert(patterns, tmp_path / "kept.cxi", overwrite=overwrite)
    np.testing.assert_array_equal(content(tmp_path / "kept.cxi")[0], COUNTS[::-1])


def test_a_centre_without_a_geometry_is_kept(tmp_path):
    np.save(tmp_path / "run.npy", COUNTS)
    with PatternSet.open(tmp_path / "run.npy", centre_yx=(3.5, -2.0)) as patterns:
        convert(patterns, tmp_path / "beside.cxi")
    with PatternSet.open(tmp_path / "beside.cxi") as patterns:
        assert patterns.centre_yx == (3.5, -2.0)
    with PatternSet.open(tmp_path / "run.npy", centre_yx=(3.5, 4.25)) as patterns:
        assert convert(patterns, tmp_path / "run.cxi").lost == []
    with PatternSet.open(tmp_path / "run.cxi") as patterns:
        assert patterns.centre_yx == (3.5, 4.25)
        assert patterns.geometry is None
    with h5py.File(tmp_path / "run.cxi", "r+") as file:  # NeXus allows lengths; without a unit it may be one
        assert file[f"{DETECTOR}/beam_center_x"][()] == 4.75  # from the edge of the first pixel
        file[f"{DETECTOR}/beam_center_x"].attrs["units"] = "m"
    with PatternSet.open(tmp_path / "run.cxi") as patterns:
        assert patterns.centre_yx is None


def test_a_detectors_own_mark_of_bad_pixels_is_no_count(tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, (4, 12, 12)).astype(np.uint32)
    mask = np.zeros((12, 12), np.uint8)
    mask[1, 2] = 1
    counts[:, 1, 2] = 2**32 - 1
    with h5py.File(tmp_path / "marked.h5", "w") as file:
        file["frames"], file["mask"] = counts, mask
    write(tmp_path / "marked.h5", tmp_path / "kept.emc")
    with PatternSet.open(tmp_path / "kept.emc") as patterns:
        np.testing.assert_array_equal(patterns.frames(0, 4).counts[:, mask == 0], counts[:, mask == 0])


def test_scores_go_to_the_detector_that_they_are_of(tmp_path):
    path, second = tmp_path / "two.cxi", "entry_1/instrument_1/detector_2"
    with h5py.File(path, "w") as file:
        file["cxi_version"] = 160
        file[f"{DETECTOR}/data"], file[f"{second}/data"] = COUNTS[:5], COUNTS
        file[f"{DETECTOR}/score"] = np.zeros((1, 5))
        file[f"{DETECTOR}/score"].attrs["headings"] = ["ours"]
    with PatternSet.open(path, dataset=f"{second}/data") as patterns:
        assert patterns.detector_group == second
    assert update_scores(path, VERDICTS, second)
    with h5py.File(path) as file:
        assert file[f"{DETECTOR}/score"].shape == (1, 5)
        assert file[f"{second}/score"].shape == (2, N)
    with pytest.raises(InputError, match=f"something else than rows of {N} shots"):
        update_scores(path, VERDICTS)


def test_what_lay_beside_another_emc_is_not_believed(toy_file, tmp_path):
    """A detector, classes and blacklist of other frames go with the file that they belonged to."""
    out, plain = tmp_path / "x.emc", tmp_path / "plain.h5"
    write(toy_file, out, verdicts=VERDICTS)
    assert {path.name for path in tmp_path.iterdir()} >= {"x_det.h5", "x_classes.txt", "x_blacklist.txt"}
    with h5py.File(plain, "w") as file:
        file["patterns"] = COUNTS[:, :24, :24].copy()
    write(plain, out, overwrite=True)
    assert not {path.name for path in tmp_path.iterdir()} & {"x_det.h5", "x_classes.txt", "x_blacklist.txt"}
    with PatternSet.open(out) as patterns:
        assert patterns.geometry is None
        assert not patterns.mask.any()
    (tmp_path / "y_det.h5").write_bytes(b"somebody's")
    with pytest.raises(InputError, match="exists and did not come from"):
        write(plain, tmp_path / "y.emc")
    assert (tmp_path / "y_det.h5").read_bytes() == b"somebody's"


def test_a_centre_that_nobody_knows_stays_unknown(tmp_path):
    """The middle stands in for it; a copy must not say that it was measured."""
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["cxi_version"] = 150
        file[f"{DETECTOR}/data"] = COUNTS
        file[f"{DETECTOR}/distance"], file[f"{DETECTOR}/x_pixel_size"] = 0.5, 1e-4
        file["entry_1/instrument_1/source_1/energy"] = 1.602176634e-16
    write(tmp_path / "a.cxi", tmp_path / "copy.cxi")
    for name in ("a.cxi", "copy.cxi"):
        with PatternSet.open(tmp_path / name) as patterns:
            assert patterns.geometry is not None
            assert patterns.centre_yx is None


def test_a_changed_picture_is_another_conversion(tmp_path):
    from PIL import Image

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(3):
        Image.fromarray(COUNTS[index]).save(pictures / f"{index}.png")
    write(pictures, tmp_path / "a.cxi")
    with pytest.raises(AlreadyComplete):
        write(pictures, tmp_path / "a.cxi")
    Image.fromarray(COUNTS[3]).save(pictures / "1.png")
    with pytest.raises(InputError, match="did not come from this very conversion"):
        write(pictures, tmp_path / "a.cxi")


def test_labels_that_are_given_go_before_the_truth(toy_file, tmp_path):
    given = np.full(N, -1)
    given[:2] = 1
    np.save(tmp_path / "labels.npy", given)
    with PatternSet.open(toy_file, labels=tmp_path / "labels.npy") as patterns:
        said = convert(patterns, tmp_path / "a.cxi").lost
        assert describe(patterns)["labels"] == {"single": 2, "unknown": N - 2}
    assert any("in place of the truth" in sentence for sentence in said)
    with PatternSet.open(tmp_path / "a.cxi") as patterns:
        assert patterns.labels.tolist() == given.tolist()


def test_what_the_frames_are_laid_out_with_is_never_replaced(tmp_path):
    photons = toy_formats.emc_hdf5(tmp_path / "photons.h5")
    beside = toy_formats.square_detector(tmp_path / "photons_det.h5")
    before = beside.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"photons_det\.h5 is the file that is read, or goes with it"):
            write(photons, tmp_path / "photons.emc", overwrite=overwrite)
    assert beside.read_bytes() == before
    assert not (tmp_path / "photons.emc").exists()


@pytest.mark.parametrize("name", ["kept.cxi", "kept.lst"])
def test_nothing_renews_what_came_of_a_file_of_that_name_elsewhere(toy_file, tmp_path, name):
    others = []
    for folder in ("run1", "run2"):
        (tmp_path / folder).mkdir()
        others.append(Path(shutil.copy(toy_file, tmp_path / folder / "frames.h5")))
    kept = tmp_path / name
    write(others[0], kept, only=np.array([1, 2]))
    write(others[0], kept, only=np.array([1]), renew=True)
    before = kept.read_bytes()
    with pytest.raises(InputError, match="did not come from this very conversion"):
        write(others[1], kept, only=np.array([2]), renew=True)
    assert kept.read_bytes() == before


def test_an_empty_list_is_no_list_of_ours(toy_file, tmp_path):
    (tmp_path / "kept.lst").touch()
    with pytest.raises(InputError, match="did not come from"):
        write(toy_file, tmp_path / "kept.lst", renew=True)


def test_a_lost_detector_file_is_written_again(toy_file, tmp_path):
    write(toy_file, tmp_path / "a.emc")
    beside = tmp_path / "a_det.h5"
    before = beside.read_bytes()
    beside.unlink()
    write(toy_file, tmp_path / "a.emc")
    assert beside.read_bytes() == before


def test_where_no_pixel_is_no_mask_makes_one(tmp_path):
    y, x = np.array([0, 0, 2, 2]) - 1.0, np.array([0, 1, 0, 1]) - 0.5
    toy_formats.detector(tmp_path / "p_det.h5", y, x, np.zeros(4, int))
    frames = np.arange(4).reshape(1, 4)
    photons = toy_formats.emc(tmp_path / "p.emc", frames)
    np.save(tmp_path / "mask.npy", np.zeros((3, 2)))
    with PatternSet.open(photons, mask=tmp_path / "mask.npy") as patterns:
        assert patterns.mask.tolist() == [[False, False], [True, True], [False, False]]


def test_a_detector_file_of_another_program_is_passed_over(tmp_path):
    photons = toy_formats.emc(tmp_path / "p.emc", np.arange(16).reshape(1, 16))
    (tmp_path / "det.dat").write_text("not a detector\n")
    with PatternSet.open(photons) as patterns:
        assert patterns.shape == (4, 4)
    (tmp_path / "det.dat").rename(tmp_path / "p_det.dat")
    with pytest.raises(InputError, match="no detector file"):
        PatternSet.open(photons)
