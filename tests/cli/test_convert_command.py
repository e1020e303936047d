"""What `xfel convert` promises to whoever types it."""

import numpy as np
import pytest
from toy_patterns import N, write
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.patterns import PatternSet


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
