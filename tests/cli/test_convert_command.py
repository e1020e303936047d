"""What `xfel convert` promises to whoever types it."""

import h5py
import numpy as np
import pytest
from PIL import Image
from toy_patterns import N, write
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.patterns import PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file


def xfel(*arguments):
    """Run a command in this process; returns the result with exit code and output."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def run(tmp_path):
    path = write(tmp_path / "run.h5")
    rows = [f"{i},{i / 100:.6f},{int(i % 4 == 0)},0,0.1,0" for i in range(N)]
    (tmp_path / "run.csv").write_text("\n".join(["index,probability,kept,unsure,ood,strange", *rows, ""]))
    (tmp_path / "run.lst").write_text("".join(f"{path} //{i}\n" for i in range(0, N, 4)))
    return path


def test_it_says_what_it_wrote_and_what_is_lost(run, tmp_path):
    result = xfel("convert", run, tmp_path / "all.emc")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"{tmp_path / 'all.emc'}: {N} patterns, {tmp_path / 'all_det.h5'}, {tmp_path / 'all_classes.txt'}\n"
    )
    assert "EMC does not hold the truth, the recipe, identifiers of the shots." in result.stderr
    assert "already complete" in xfel("convert", run, tmp_path / "all.emc").stdout


@pytest.mark.parametrize("table", ["run.csv", "run.lst"])
def test_only_what_was_kept(run, tmp_path, table):
    result = xfel("convert", run, tmp_path / "kept.cxi", "--only-kept", tmp_path / table)
    assert result.exit_code == 0, result.output
    with PatternSet.open(run) as before, PatternSet.open(tmp_path / "kept.cxi") as after:
        assert after.ids.tolist() == before.ids[::4].tolist()
        np.testing.assert_array_equal(after.raw(0, N), before.raw(0, N)[::4])


def test_all_with_their_scores_as_lists(run, tmp_path):
    folder = tmp_path / "processed"
    result = xfel("convert", run, folder, "--to", "cheetah", "--selection", tmp_path / "run.csv")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == [
        "cleaned.txt",
        "events.lst",
        "frames.txt",
        "hits.lst",
        "status.txt",
    ]
    assert (folder / "hits.lst").read_text().split() == [f"7:{index}" for index in range(0, N, 4)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("out.xyz",), "no ending that tells the format"),
        (("out.emc", "--to", "tiff"), "There is no format 'tiff'"),
        (("out.emc", "--only-kept", "run.csv", "--selection", "run.csv"), "give one of the two"),
        (("out.emc", "--only-kept", "none.csv"), "none.csv cannot be read"),
    ],
)
def test_wrong_inputs_are_one_sentence_and_leave_nothing(run, tmp_path, more, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = xfel("convert", run, *more)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert sorted(tmp_path.iterdir()) == before


def test_pictures_of_several_types_lose_nothing(tmp_path):
    """Types that the first one holds are taken; others would be cut, and are refused."""
    for name, first, second, is_taken in (
        ("up", np.uint16, np.uint8, True),
        ("down", np.uint8, np.uint16, False),
    ):
        folder = tmp_path / name
        folder.mkdir()
        counts = [np.full((32, 32), 200, first), np.full((32, 32), np.iinfo(second).max, second)]
        for index, frame in enumerate(counts):
            Image.fromarray(frame).save(folder / f"{index}.png")
        result = xfel("convert", folder, tmp_path / f"{name}.cxi")
        assert result.exit_code == (0 if is_taken else 2), result.output
        if is_taken:
            with PatternSet.open(tmp_path / f"{name}.cxi") as patterns:
                np.testing.assert_array_equal(patterns.raw(0, 2), counts)
        else:
            assert "save all of them as one type" in " ".join(result.output.split())
            assert not (tmp_path / f"{name}.cxi").exists()


def test_emc_says_where_the_beam_is_and_not_where_nobody_saw_it(tmp_path):
    """A detector file has q of every pixel: a centre that nobody gave is looked for in the frames."""
    source = simulate_to_file(tmp_path / "whole.h5", load_recipe("benchmark"), 24, seed=1)
    with PatternSet.open(source) as patterns, h5py.File(tmp_path / "cut.cxi", "w") as file:
        counts = patterns.frames(0, 24).counts[:, 20:, 60:]
        found_yx = (patterns.beam_yx[0] - 20, patterns.beam_yx[1] - 60)
        file["cxi_version"] = 160
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["data"], detector["distance"], detector["x_pixel_size"] = counts, 0.581, 3e-4
        detector["mask"] = patterns.mask[20:, 60:].astype(np.uint32)
        file["entry_1/instrument_1/source_1/energy"] = 1_600 * 1.602176634e-19
        file["entry_1/data_1"] = h5py.SoftLink("/entry_1/instrument_1/detector_1")
    result = xfel("convert", tmp_path / "cut.cxi", tmp_path / "cut.emc")
    assert result.exit_code == 0, result.output
    assert "found at y, x" in result.stderr
    with PatternSet.open(tmp_path / "cut.emc") as patterns:
        np.testing.assert_allclose(patterns.beam_yx, found_yx, atol=1.5)
    given = xfel("convert", tmp_path / "cut.cxi", tmp_path / "given.emc", "--centre", "107.5,67.5")
    assert "found at" not in given.stderr
    with PatternSet.open(tmp_path / "given.emc") as patterns:
        np.testing.assert_allclose(patterns.beam_yx, (107.5, 67.5), atol=0.01)


def test_scores_in_the_file_that_do_not_come_along_are_told(run, tmp_path):
    scored = tmp_path / "scored.cxi"
    assert xfel("convert", run, scored, "--selection", tmp_path / "run.csv").exit_code == 0
    plain = xfel("convert", scored, tmp_path / "plain.cxi")
    assert "Scores and tags in the file are not in the copy" in " ".join(plain.stderr.split())
    again = xfel("convert", scored, tmp_path / "again.cxi", "--selection", tmp_path / "run.csv")
    assert again.stderr == ""
