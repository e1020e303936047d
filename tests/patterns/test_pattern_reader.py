"""Files of any origin: what is found without asking, and one sentence for whatever is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from toy_patterns import MASK, N, frame, write

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, describe, find_pattern_files

STACK = np.arange(5 * 6 * 7).reshape(5, 6, 7)


def make(path: Path, **arrays) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name.replace("__", "/")] = array
    return path


@pytest.fixture
def foreign(tmp_path):
    return make(tmp_path / "other.h5", run__stack=STACK, note="by another program", curve=np.arange(9.0))


def sentence(caught) -> str:
    """The error as one sentence: no line break, a full stop, no traceback talk."""
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


@pytest.mark.parametrize("kind", ["u1", "<i4", ">i2", "f2", "f8", "u8"])
def test_any_number_type_becomes_float32(tmp_path, kind):
    with PatternSet.open(make(tmp_path / "a.h5", x=(STACK % 100).astype(kind))) as patterns:
        frames = patterns.frames(1, 4)
        assert frames.counts.dtype == np.float32
        assert_array_equal(frames.counts, STACK[1:4] % 100)
        assert (patterns.n, patterns.shape) == (5, (6, 7))
        assert not patterns.mask.any()
        found = (
            patterns.labels,
            patterns.truth,
            patterns.shapes,
            patterns.clear,
            patterns.geometry,
            patterns.run,
        )
        assert found == (None,) * 6


def test_nan_infinite_and_negative_pixels_are_zeroed_and_counted(tmp_path):
    counts = np.ones((3, 6, 7))
    counts[0, 0, :3] = np.nan
    counts[0, 1, 0] = np.inf
    counts[1, 2, :2] = -4
    counts[2, 0, 0] = 1e300  # infinite in float32
    counts[1, 0, :2] = np.finfo(np.float32).max, np.finfo(np.float32).min  # what gaps are filled with
    with PatternSet.open(make(tmp_path / "a.h5", x=counts)) as patterns:
        frames = patterns.frames(0, 3)
        assert (frames.n_nan, frames.n_negative) == (7, 2)
        assert_array_equal(frames.counts, np.where(counts == 1, 1, 0))
        assert patterns.frames(1, 2)[1:] == (2, 2)


def test_one_frame(tmp_path):
    with PatternSet.open(make(tmp_path / "a.h5", x=STACK[0], mask=np.zeros((6, 7)))) as patterns:
        assert (patterns.n, patterns.shape) == (1, (6, 7))
        assert_array_equal(patterns.frames(0, 1).counts, STACK[:1])
        assert patterns.frames(1, 2).counts.shape == (0, 6, 7)


def test_usual_name_decides_among_several(tmp_path):
    with PatternSet.open(make(tmp_path / "a.h5", x__patterns=STACK, x__darks=STACK + 1)) as patterns:
        assert_array_equal(patterns.frames(0, 5).counts, STACK)


def test_cxi_of_another_program(tmp_path):
    path = make(
        tmp_path / "run.cxi",
        entry_1__instrument_1__detector_1__data=STACK,
        entry_1__instrument_1__detector_1__mask=np.eye(6, 7, dtype=np.uint32),
        entry_1__instrument_1__detector_1__distance=0.5,
        entry_1__instrument_1__detector_1__x_pixel_size=1e-4,
        entry_1__instrument_1__source_1__energy=np.full(5, 1.602176634e-16),
        entry_1__image_1__data=STACK + 1,
    )
    with h5py.File(path, "a") as file:
        file["entry_1/data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
    with PatternSet.open(path) as patterns:
        assert_array_equal(patterns.frames(0, 5).counts, STACK)
        assert_array_equal(patterns.mask, np.eye(6, 7, dtype=bool))
        assert patterns.geometry.photon_energy_ev == 1000
        assert patterns.geometry.centre_yx == (2.5, 3.0)
        assert patterns.run is None


def test_data_at_any_address_of_our_file_keeps_its_truth(toy_file):
    with PatternSet.open(toy_file, dataset="entry_1/instrument_1/detector_1/data") as patterns:
        assert patterns.labels is not None


def test_chunks_never_written_are_zeros(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "x", (4, 6, 7), "<u2", chunks=(1, 6, 7), shuffle=True, compression="gzip", compression_opts=1
        )
        data[2] = STACK[2]
    with PatternSet.open(path) as patterns:
        assert patterns.n == 3  # what follows the last that was written never came
        counts = patterns.frames(0, 4).counts
    assert_array_equal(counts[:2], 0)
    assert_array_equal(counts[2], STACK[2])


def test_a_file_another_process_writes_can_be_looked_at(tmp_path):
    path = make(tmp_path / "a.h5", x=STACK)
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'a'); f.flush(); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(OSError, match="lock"):
            h5py.File(path)
        with PatternSet.open(path) as patterns:
            assert patterns.n == 5
        process.communicate("\n")
    assert process.returncode == 0


def test_mask_from_anywhere(tmp_path, foreign):
    mask = np.zeros((6, 7), np.uint8)
    mask[2, 3] = 1
    np.save(tmp_path / "mask.npy", mask)
    make(tmp_path / "mask.h5", det__bad=mask, mask=mask)
    inside = make(tmp_path / "inside.h5", data=STACK, bad=mask)
    for path, given in (
        (foreign, tmp_path / "mask.npy"),
        (foreign, f"{tmp_path}/mask.h5:det/bad"),
        (foreign, tmp_path / "mask.h5"),
        (inside, "bad"),
    ):
        with PatternSet.open(path, mask=given, dataset=None) as patterns:
            assert_array_equal(patterns.mask, mask == 1)


def test_labels_from_anywhere(tmp_path, foreign):
    labels = np.array([1, 0, -1, 0, 1])
    np.save(tmp_path / "labels.npy", labels)
    make(tmp_path / "labels.h5", truth=labels)
    (tmp_path / "labels.csv").write_text("index,label\n4,1\n1,0\n\n0,1\n3,0\n")
    inside = make(tmp_path / "inside.h5", data=STACK, given=labels)
    for path, given in (
        (foreign, tmp_path / "labels.npy"),
        (foreign, f"{tmp_path}/labels.h5:truth"),
        (foreign, tmp_path / "labels.csv"),
        (inside, "given"),
    ):
        with PatternSet.open(path, labels=given) as patterns:
            assert_array_equal(patterns.labels, labels)
            assert patterns.labels.dtype == np.int8


def test_given_labels_go_before_the_truth(toy_file, tmp_path):
    np.save(tmp_path / "labels.npy", np.full(N, -1))
    with PatternSet.open(toy_file, labels=tmp_path / "labels.npy") as patterns:
        assert (patterns.labels == -1).all()
        assert patterns.truth is not None


def test_labels_of_another_kind_are_not_taken_for_ours(tmp_path):
    path = make(tmp_path / "a.h5", patterns=STACK, labels=np.array([0, 1, 2, 2, 1]))
    with PatternSet.open(path) as patterns:
        assert patterns.labels is None
    with pytest.raises(InputError, match="hold 2; allowed are 1") as caught:
        PatternSet.open(path, labels="labels")
    sentence(caught)


def test_missing(tmp_path):
    with pytest.raises(InputError, match="does not exist") as caught:
        PatternSet.open(tmp_path / "none.h5")
    sentence(caught)


def test_folder(tmp_path):
    with pytest.raises(InputError, match="is a folder") as caught:
        PatternSet.open(tmp_path)
    sentence(caught)


def test_empty(tmp_path):
    (tmp_path / "a.h5").touch()
    with pytest.raises(InputError, match="is empty") as caught:
        PatternSet.open(tmp_path / "a.h5")
    sentence(caught)


def test_foreign(tmp_path):
    (tmp_path / "a.h5").write_text("index,label\n")
    with pytest.raises(InputError, match="none of the formats that xfel reads") as caught:
        PatternSet.open(tmp_path / "a.h5")
    sentence(caught)


def test_unreadable(monkeypatch, foreign):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="Permission denied") as caught:
        PatternSet.open(foreign)
    sentence(caught)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated(tmp_path, share):
    path = write(tmp_path / "a.h5")
    os.truncate(path, int(share * path.stat().st_size))
    with pytest.raises(InputError, match="cut short or damaged") as caught:
        PatternSet.open(path)
    sentence(caught)


def test_damaged_frame(tmp_path):
    path = write(tmp_path / "a.h5")
    with h5py.File(path) as file:
        where = file["entry_1/data_1/data"].id.get_chunk_info(3)
    data = bytearray(path.read_bytes())
    data[where.byte_offset : where.byte_offset + where.size] = b"\xff" * where.size
    path.write_bytes(data)
    with PatternSet.open(path) as patterns:
        assert_array_equal(patterns.frames(0, 3).counts, [frame(i) for i in range(3)])
        with pytest.raises(InputError, match="damaged in patterns 2 to 4") as caught:
            patterns.frames(2, 5)
        sentence(caught)


def test_wrong_dataset_name_lists_what_is_there(foreign):
    for name in ("stack", "run", "curve/x", "/"):
        with pytest.raises(InputError, match="has no dataset") as caught:
            PatternSet.open(foreign, dataset=name)
        assert "run/stack (5, 6, 7) int64" in sentence(caught)


@pytest.mark.parametrize("shape", [(9,), (2, 3, 4, 5), ()])
def test_data_of_other_dimensions(tmp_path, shape):
    path = make(tmp_path / "a.h5", data=np.zeros(shape))
    with pytest.raises(InputError, match="holds no patterns") as caught:
        PatternSet.open(path)
    assert f"data {shape}" in sentence(caught)
    with pytest.raises(InputError, match="has shape") as caught:
        PatternSet.open(path, dataset="data")
    assert str(shape) in sentence(caught)


def test_data_in_the_place_of_cxi_but_of_four_dimensions(tmp_path):
    path = make(tmp_path / "a.cxi", entry_1__data_1__data=np.zeros((2, 3, 4, 5)))
    with pytest.raises(InputError, match=r"has shape \(2, 3, 4, 5\)") as caught:
        PatternSet.open(path)
    sentence(caught)


def test_several_candidates_are_listed(tmp_path):
    path = make(tmp_path / "a.h5", one=STACK, two=STACK)
    with pytest.raises(InputError, match=r"one \(5, 6, 7\) int64, two \(5, 6, 7\) int64") as caught:
        PatternSet.open(path)
    sentence(caught)
    with PatternSet.open(path, dataset="two") as patterns:
        assert patterns.n == 5


@pytest.mark.parametrize(
    "values", [np.array([b"a", b"b"]), np.zeros((2, 3, 3), complex), np.zeros((2, 3), bool)]
)
def test_not_numbers(tmp_path, values):
    path = make(tmp_path / "a.h5", data=values)
    with pytest.raises(InputError, match="not numbers") as caught:
        PatternSet.open(path, dataset="data")
    sentence(caught)
    with pytest.raises(InputError, match="holds no patterns"):
        PatternSet.open(path)


@pytest.mark.parametrize("shape", [(0, 6, 7), (5, 0, 7)])
def test_no_patterns_in_it(tmp_path, shape):
    path = make(tmp_path / "a.h5", data=np.zeros(shape))
    with pytest.raises(InputError, match="no patterns in it") as caught:
        PatternSet.open(path)
    sentence(caught)


def test_file_without_datasets(tmp_path):
    with pytest.raises(InputError, match="it has no datasets") as caught:
        PatternSet.open(make(tmp_path / "a.h5"))
    sentence(caught)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((7, 6)), "has shape (7, 6) and the frames (6, 7)"),
        (np.ones((6, 7)), "leaves no good pixel"),
        (np.full((6, 7), "x"), "not numbers"),
    ],
)
def test_wrong_masks(tmp_path, foreign, array, said):
    np.save(tmp_path / "mask.npy", array)
    with pytest.raises(InputError) as caught:
        PatternSet.open(foreign, mask=tmp_path / "mask.npy")
    assert said in sentence(caught)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("none.npy", "does not exist"),
        ("text.npy", "not a readable npy file"),
        ("text.txt", "neither npy nor HDF5"),
        ("none", "neither a file nor a dataset"),
        ("other.h5:none", "run/stack (5, 6, 7)"),
        ("other.h5:", "neither a file nor a dataset"),
        ("other.h5", "neither a file nor a dataset"),
    ],
)
@pytest.mark.parametrize("what", ["mask", "labels"])
def test_mask_or_labels_that_are_not_there(tmp_path, monkeypatch, foreign, what, given, said):
    monkeypatch.chdir(tmp_path)
    Path("text.npy").write_text("1 0 1")
    Path("text.txt").write_text("1 0 1")
    with pytest.raises(InputError) as caught:
        PatternSet.open(foreign, **{what: given})
    assert said in sentence(caught)
    assert what in sentence(caught)


def test_labels_of_another_length(tmp_path, foreign):
    np.save(tmp_path / "labels.npy", np.zeros(4))
    with pytest.raises(InputError, match=r"one for each of the 5 patterns") as caught:
        PatternSet.open(foreign, labels=tmp_path / "labels.npy")
    sentence(caught)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,1\n5,1\n", "line 2: index 5 is not one of 0 ... 4"),
        ("0,1\n0,0\n", "line 2: index 0 is named twice"),
        ("0,1\n1,single\n", "line 2, read '1,single'"),
        ("0;1\n", "line 1, read '0;1'"),
        ("0,2\n", "hold 2; allowed"),
    ],
)
def test_wrong_label_tables(tmp_path, foreign, text, said):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        PatternSet.open(foreign, labels=tmp_path / "labels.csv")
    assert said in sentence(caught)


def test_missing_label_table(tmp_path, foreign):
    with pytest.raises(InputError, match="do not exist"):
        PatternSet.open(foreign, labels=tmp_path / "labels.csv")


def test_find_pattern_files(tmp_path):
    for name in ("b.h5", "a.cxi", "b.h5.part", "b.h5.tmp", "notes.txt"):
        (tmp_path / name).touch()
    inside = [tmp_path / "a.cxi", tmp_path / "b.h5"]
    assert find_pattern_files([tmp_path]) == inside
    assert find_pattern_files([tmp_path / "notes.txt", tmp_path]) == [tmp_path / "notes.txt", *inside]
    assert find_pattern_files([tmp_path, tmp_path / "b.h5", tmp_path]) == inside  # each once


def test_find_pattern_files_refuses(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no patterns") as caught:
        find_pattern_files([tmp_path / "empty"])
    sentence(caught)
    with pytest.raises(InputError, match="does not exist") as caught:
        find_pattern_files([tmp_path / "none"])
    sentence(caught)


@pytest.mark.skipif("XFELSPI_TEST_DATA" not in os.environ, reason="XFELSPI_TEST_DATA names no measured data")
def test_measured_pr772_opens_by_itself():
    with PatternSet.open(Path(os.environ["XFELSPI_TEST_DATA"]) / "pr772" / "pr772_patterns.h5") as patterns:
        assert (patterns.n, patterns.shape) == (50, (128, 128))
        assert (patterns.labels == 1).sum() == 19
        assert (patterns.labels == 0).sum() == 31
        assert 0 < patterns.mask.sum() < 1000
        assert patterns.frames(0, 50).counts.sum(axis=(1, 2)).min() > 1000
        assert patterns.truth is None


def test_describe_our_own_file(toy_file):
    with PatternSet.open(toy_file) as patterns:
        facts = describe(patterns)
    assert json.loads(json.dumps(facts)) == facts | {
        "geometry": facts["geometry"] | {"centre_yx": [11.5, 15.25]}
    }
    assert (facts["patterns"], facts["frame"], facts["masked_pixels"]) == (N, [24, 32], 16)
    assert facts["labels"] == {"single": 6, "multiple": 11, "blank": 6}
    assert facts["shapes"] == {"größer": 12, "torus": 11}
    assert facts["photons"]["most"] == max(frame(i)[MASK == 0].sum() for i in range(N))
    assert (facts["looked_at"], facts["seed"], facts["recipe"]["name"]) == (N, 7, "toy")


def test_describe_a_file_that_says_nothing(tmp_path):
    counts = np.ones((3000, 4, 5), np.float32)
    counts[:, 0, 0] = np.nan
    counts[:, 0, 1] = -1
    with PatternSet.open(make(tmp_path / "a.h5", x=counts)) as patterns:
        facts = describe(patterns)
    assert facts["looked_at"] == facts["nan_pixels"] == facts["negative_pixels"] == 1000
    assert facts["photons"] == {"least": 18.0, "median": 18.0, "most": 18.0}
    for name in ("labels", "shapes", "clear_multiples", "geometry", "recipe", "seed"):
        assert facts[name] is None


def test_describe_labels_without_truth(tmp_path):
    path = make(tmp_path / "a.h5", patterns=STACK, labels=np.array([1, 0, 0, -1, 0]))
    with PatternSet.open(path) as patterns:
        assert describe(patterns)["labels"] == {"single": 1, "not single": 3, "unknown": 1}
