"""What `xfel study fidelity` promises to whoever types it."""

import json

import h5py
import pytest
from toy_study import measured_file, toy_toml
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.studies import work
from xfelspi.studies.looks import log_path


def xfel(*arguments):
    """Run a command in this process; returns the result with exit code and output."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fidelity(folder, *more, study="study.toml"):
    return xfel("study", "fidelity", "--study", folder / study, "--out", folder / "out", *more)


def looks():
    return [json.loads(line) for line in log_path().read_text("utf-8").splitlines()]


def finished(folder):
    """The files of finished steps and models, and when they were written."""
    return {
        path.name + path.parent.name: path.stat().st_mtime_ns
        for pattern in ("*/seed*.json", "*/seed*.safetensors", "*/metrics.json")
        for path in folder.glob(pattern)
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study on a file that passes for measured: killed in the middle, then finished by the same command."""
    folder = tmp_path_factory.mktemp("study")
    toy_toml(folder / "study.toml")
    shots = measured_file(folder / "run7.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XFELSPI_STATE", str(folder / "state"))
        with pytest.MonkeyPatch.context() as killed:
            learn, calls = work.train, []

            def train(*args, **kwargs):
                calls.append(kwargs["name"])
                if len(calls) == 3:
                    raise KeyboardInterrupt
                return learn(*args, **kwargs)

            killed.setattr(work, "train", train)
            broken = fidelity(folder, "--measured", shots)
        between = finished(folder / "out")
        result = fidelity(folder, "--measured", shots)
        noted = looks()
    return {"folder": folder, "broken": broken, "between": between, "result": result, "looks": noted}


def test_killed_it_goes_on_and_repeats_nothing(done):
    assert done["broken"].exit_code == 130
    assert "what is finished is kept" in done["broken"].output
    assert done["result"].exit_code == 0, done["result"].output
    after = finished(done["folder"] / "out")
    assert len(done["between"]) == 2 * 5  # two models of two files, three steps each
    assert done["between"].items() <= after.items()


def test_the_report_stands_alone_and_says_what_counts(done):
    page = (done["folder"] / "out" / "report.html").read_text("utf-8")
    for words in (
        "Trained on simulation alone, the full recipe sorts the 40 measured shots of run7.h5",
        "two-sample",
        "Without one term",
        "count-matched",
        "Side by side",
        "Disputed shots",
        "This measured set has been looked at 3 times",
        "data:image/png",
        "xfel 0.1.0",
        "torch",
    ):
        assert words in page
    assert "stand-in" not in page
    assert 'src="http' not in page


def test_the_json_holds_every_rung_with_intervals(done):
    facts = json.loads((done["folder"] / "out" / "study.json").read_text("utf-8"))
    assert [rung["name"] for rung in facts["rungs"]] == ["ideal", "full"]
    for finding in (*facts["rungs"], *facts["left_out"]):
        for side in ("simulated", "judged"):
            for name in ("auc", "balanced_accuracy", "fnr", "fpr"):
                value, low, high = finding[side][name]
                assert 0.0 <= low <= value <= high <= 1.0
        assert finding["metrics"]["two_sample"]["ideal"] == 0.5
        assert "kid" in finding["metrics"]
    assert len(facts["gains"]) == len(facts["losses"]) == 1
    assert {"command", "versions", "machine", "declared", "brightness", "looks"} <= facts.keys()


def test_every_look_is_in_the_log(done):
    noted = done["looks"]
    assert [look["rung"] for look in noted[:2]] == ["full", "ideal"]
    assert len(noted) == 3  # one seed of the full recipe, of ideal, and of the full one less a term
    for look in noted:
        assert {"time", "study", "rung", "seed", "model", "file", "auc", "balanced_accuracy"} <= look.keys()
        assert look["file"] == "run7.h5"
    assert len({look["frames_sha256"] for look in noted}) == 1


def test_patterns_learned_from_are_not_kept(done):
    out = done["folder"] / "out"
    assert not list(out.glob("*/train-*"))
    assert {path.parent.name for path in out.glob("*/*/*.h5")} == {"test"}


def test_another_question_is_refused(done, monkeypatch):
    folder = done["folder"]
    monkeypatch.setenv("XFELSPI_STATE", str(folder / "state"))
    before, page = looks(), (folder / "out" / "report.html").read_bytes()
    refused = fidelity(folder, "--measured", folder / "run7.h5", "--seeds", 2)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    assert looks() == before
    assert (folder / "out" / "report.html").read_bytes() == page


@pytest.mark.slow
def test_overwriting_keeps_networks_and_log(done, monkeypatch):
    """Other labels: the networks serve, every one of them is a new look, and old looks are counted on."""
    folder = done["folder"]
    monkeypatch.setenv("XFELSPI_STATE", str(folder / "state"))
    before = looks()
    with h5py.File(folder / "run7.h5") as file:
        labels = file["labels"][()]
    labels[0] = -1
    (folder / "other.csv").write_text(
        "index,label\n" + "".join(f"{index},{label}\n" for index, label in enumerate(labels))
    )
    models = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*/*.safetensors")}
    options = ("--measured", folder / "run7.h5", "--labels", folder / "other.csv", "--overwrite")
    again = fidelity(folder, *options)
    assert again.exit_code == 0, again.output
    assert looks()[:3] == before
    assert len(looks()) == 6
    assert "looked at 6 times" in (folder / "out" / "report.html").read_text("utf-8")
    assert {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*/*.safetensors")} == models


@pytest.mark.slow
def test_a_stand_in_is_called_so_and_not_counted_as_a_look(tmp_path, monkeypatch):
    monkeypatch.setenv("XFELSPI_STATE", str(tmp_path / "state"))
    toy_toml(tmp_path / "study.toml", leave_out=[], confirm=["full"], seeds_to_confirm=2)
    recipe = tmp_path / "other.toml"
    recipe.write_text("[detector]\nrows = 64\ncolumns = 64\n[beam]\nphotons_per_frame = [5e3, 1e5]\n")
    result = fidelity(tmp_path, "--reference", recipe, "--quick", "--seeds", 2)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "stand-in" in page
    assert "Nothing here is measured" in page
    assert "quick look" in page
    assert "mean of 2 seeds" in page
    assert not log_path().exists()


def wrong_inputs(folder):
    good = folder / "study.toml"
    shots = measured_file(folder / "shots.h5", n=24)
    unlabelled = folder / "unlabelled.h5"
    with h5py.File(shots) as file, h5py.File(unlabelled, "w") as other:
        other["patterns"] = file["patterns"][()]
    one_kind = folder / "one-kind.csv"
    one_kind.write_text("index,label\n" + "".join(f"{i},1\n" for i in range(24)))
    yield (), "--measured"
    yield ("--measured", shots, "--reference", "ideal"), "--reference"
    yield ("--labels", one_kind, "--reference", "ideal"), "--labels"
    yield ("--measured", unlabelled), "no labels"
    yield ("--measured", shots, "--labels", one_kind), "anything but single"
    yield ("--measured", folder / "none.h5"), "none.h5"
    yield ("--measured", shots, "--dataset", "frames"), "frames"
    yield ("--measured", shots, "--recipe", "no-such"), "no-such"
    yield ("--reference", "no-such"), "no-such"
    yield ("--measured", shots, "--seeds", 0), "--seeds"
    yield ("--measured", shots, "--study", folder / "none.toml"), "none.toml"
    good.write_text(good.read_text("utf-8").replace("epochs = 1\nconfirm", "epochs = 0\nconfirm"))
    yield ("--measured", shots), "epochs is 0"


def test_wrong_inputs_are_one_sentence_and_leave_nothing(tmp_path):
    toy_toml(tmp_path / "study.toml")
    for command, words in wrong_inputs(tmp_path):
        result = fidelity(tmp_path, *command)
        assert result.exit_code == 2, (command, result.output, result.exception)
        assert words in result.output, (command, result.output)
        assert result.output.strip().count("\n") == 0, (command, result.output)
        assert not (tmp_path / "out").exists(), command


def test_help_teaches_by_example():
    assert "xfel study fidelity" in xfel("study", "--help").output
    assert "xfel study fidelity --measured" in xfel("study", "fidelity", "--help").output
