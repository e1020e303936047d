"""What is written is read, by us and by plain h5py."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from toy_patterns import GEOMETRY, MASK, RUN, SHAPE, N, frame, truth, writer

from xfelspi.patterns import LABELS, TRUTH_FIELDS, PatternSet, compress_frame, gather
from xfelspi.patterns.chunk import expand_chunk

FRAMES = np.stack([frame(i) for i in range(N)])


def test_round_trip(toy_file):
    with PatternSet.open(toy_file) as patterns:
        assert (patterns.n, patterns.shape, patterns.path) == (N, SHAPE, toy_file)
        frames = patterns.frames(0, N)
        assert frames.counts.dtype == np.uint16
        assert_array_equal(frames.counts, FRAMES)
        assert (frames.n_nan, frames.n_negative) == (0, 0)
        assert_array_equal(patterns.mask, MASK != 0)
        assert patterns.geometry == GEOMETRY
        assert patterns.run == RUN
        assert_array_equal(patterns.labels, [truth(i).label == "single" for i in range(N)])
        assert patterns.labels.dtype == np.int8


def test_truth_comes_back(toy_file):
    with PatternSet.open(toy_file) as patterns:
        columns = patterns.truth
        assert list(columns) == [field.name for field in TRUTH_FIELDS]
        assert_array_equal(patterns.shapes, [truth(i).shape for i in range(N)])
        for index in range(N):
            shot = truth(index)
            k = shot.n_particles
            assert columns["n_particles"][index] == k
            assert LABELS[columns["label"][index]] == shot.label
            for field in TRUTH_FIELDS:
                if field.per_particle:
                    assert_array_equal(columns[field.name][index, :k], getattr(shot, field.name))
                    assert np.isnan(columns[field.name][index, k:]).all()
                elif field.name not in ("label", "shape"):
                    assert_array_equal(columns[field.name][index], getattr(shot, field.name))


def test_clear_multiples_are_those_of_the_design(toy_file):
    with PatternSet.open(toy_file) as patterns:
        shots = [truth(i) for i in range(N)]
        expected = [
            shot.label == "multiple"
            and shot.runner_up_fraction >= 0.1
            and 0.75 * shot.diameter_nm.max() <= shot.separation_nm <= 1200
            for shot in shots
        ]
        assert_array_equal(patterns.clear, expected)
        assert 0 < patterns.clear.sum() < sum(shot.label == "multiple" for shot in shots)


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (4, 11), (22, 23), (20, 99), (5, 5), (40, 50)])
def test_frames_of_any_range(toy_file, start, stop):
    with PatternSet.open(toy_file) as patterns:
        assert_array_equal(patterns.frames(start, stop).counts, FRAMES[start:stop])


def test_plain_h5py_decodes_the_standard_filters(toy_file):
    with h5py.File(toy_file) as file:
        data = file["entry_1/data_1/data"]
        assert (data.compression, data.compression_opts, data.shuffle) == ("gzip", 1, True)
        assert data.chunks == (1, *SHAPE)
        assert_array_equal(data[:], FRAMES)
        assert_array_equal(file["entry_1/data_1/mask"], MASK)
        assert file["cxi_version"][()] == 160
        detector = file["entry_1/instrument_1/detector_1"]
        assert data == detector["data"]
        assert detector["experiment_identifier"][3] == b"7:3"
        energy = file["entry_1/instrument_1/source_1/energy"]
        assert energy.attrs["units"] == "J"
        assert energy[()] == pytest.approx(1600 * 1.602176634e-19)
        assert json.loads(file["process_1/recipe"][()]) == RUN["recipe"]
        assert file["process_1/seed"][()] == 7


def test_every_truth_field_says_its_unit_and_meaning(toy_file):
    with h5py.File(toy_file) as file:
        for field in TRUTH_FIELDS:
            attributes = file[f"entry_1/truth_1/{field.name}"].attrs
            assert attributes["units"] == field.unit
            assert attributes["description"] == field.description
        assert tuple(file["entry_1/truth_1/label"].attrs["names"]) == LABELS


def test_corner_and_basis_give_the_centre(toy_file):
    """The pixel at the centre, reached by steps from the corner, lies on the beam."""
    with h5py.File(toy_file) as file:
        detector = file["entry_1/instrument_1/detector_1"]
        steps = np.array([11.5 + 0.5, 15.25 + 0.5])
        place = detector["corner_position"][:] + steps @ detector["basis_vectors"][:]
        np.testing.assert_allclose(place, [0, 0, 0.581], atol=1e-12)


def test_old_hdf5_can_read_the_file(toy_file):
    """Superblock 0: files of the newest HDF5 format are unreadable at facilities."""
    assert toy_file.read_bytes()[8] == 0


@pytest.mark.parametrize("highest", [0, 1, 255, 256, 65535])
def test_compress_is_what_the_hdf5_filters_do(highest):
    rng = np.random.default_rng(highest)
    counts = rng.integers(0, highest + 1, (17, 9), dtype=np.uint16)
    chunk = compress_frame(counts)
    planes = np.frombuffer(zlib.decompress(chunk), np.uint8).reshape(2, 17, 9).astype(np.uint16)
    assert_array_equal(planes[0] + 256 * planes[1], counts)
    back = np.empty_like(counts)
    expand_chunk(chunk, back)
    assert_array_equal(back, counts)


def test_compress_takes_a_view_that_is_not_contiguous():
    counts = np.arange(60, dtype=np.uint16).reshape(6, 10)
    back = np.empty((10, 6), np.uint16)
    expand_chunk(compress_frame(counts.T), back)
    assert_array_equal(back, counts.T)


def test_expand_refuses_another_size():
    with pytest.raises(ValueError, match="bytes"):
        expand_chunk(compress_frame(np.zeros((2, 2), np.uint16)), np.empty((3, 3), np.uint16))


def test_a_block_must_be_full(tmp_path):
    with writer(tmp_path / "a.h5") as patterns:
        with pytest.raises(ValueError, match="block 0"):
            patterns.append(0, gather([b""], [truth(0)]))
        with pytest.raises(ValueError, match="5 blocks are missing"):
            patterns.finish()


DOCS = Path(__file__).parents[2] / "docs" / "file-format.md"


def test_the_snippet_of_the_docs_runs(toy_file, tmp_path):
    text = DOCS.read_text(encoding="utf-8")
    snippet = text.split("```python\n")[1].split("```")[0]
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "torus.h5").write_bytes(toy_file.read_bytes())
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "snippet.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("23 patterns of 24 x 32")


def test_the_docs_name_every_truth_field():
    text = DOCS.read_text(encoding="utf-8")
    for field in TRUTH_FIELDS:
        assert f"`{field.name}`" in text
        if field.unit != "1":
            assert field.unit in text
