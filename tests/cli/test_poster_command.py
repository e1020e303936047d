"""What `xfel study poster` promises to whoever types it."""

import json

import h5py
import numpy as np
import pytest
from benchmarks import results
from toy_poster import FIRST, SECOND, toy_poster
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.patterns import PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file
from xfelspi.studies import poster_work, published
from xfelspi.studies.looks import log_path


@pytest.fixture(scope="module", autouse=True)
def _no_weights():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("XFELSPI_VGG16", raising=False)
        patch.setattr(poster_work, "fetched", lambda: poster_work.Path("nowhere"))
        yield


def poster(folder, *more):
    arguments = ("study", "poster", "--study", folder / "study.toml", "--out", folder / "out", *more)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def shots(path, n=28):
    """A foreign HDF5 file that passes for measured, a few of its labels unknown."""
    recipe = load_recipe("benchmark", ["detector.rows=64", "detector.columns=64"])
    source = simulate_to_file(path.with_suffix(".source.h5"), recipe, n, seed=11)
    with PatternSet.open(source) as patterns, h5py.File(path, "w") as file:
        file["patterns"] = patterns.frames(0, n).counts
        file["mask"] = patterns.mask
        file["labels"] = np.where(np.arange(n) < 2, -1, patterns.labels)
    return path


def finished(folder):
    """The files of finished steps and models, and when they were written."""
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for pattern in ("*/seed*", "*/*/seed*", "speed/*.json", "patterns/*/icosahedron.h5")
        for path in folder.glob(pattern)
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study of some parts: killed in its third training, then finished by the same command."""
    folder = tmp_path_factory.mktemp("poster")
    toy_poster(folder / "study.toml", FIRST)
    options = ("--measured", shots(folder / "run7.h5"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XFELSPI_STATE", str(folder / "state"))
        with pytest.MonkeyPatch.context() as killed:
            learn, calls = poster_work.train, []

            def train(*args, **kwargs):
                calls.append(kwargs["name"])
                if len(calls) == 3:
                    raise KeyboardInterrupt
                return learn(*args, **kwargs)

            killed.setattr(poster_work, "train", train)
            broken = poster(folder, *options)
        between = finished(folder / "out")
        result = poster(folder, *options)
        looks = [json.loads(line) for line in log_path().read_text("utf-8").splitlines()]
    return {"folder": folder, "broken": broken, "between": between, "result": result, "looks": looks}


@pytest.fixture(scope="module")
def facts(done):
    return json.loads((done["folder"] / "out" / "study.json").read_text("utf-8"))


def test_killed_it_goes_on_and_repeats_nothing(done):
    assert done["broken"].exit_code == 130
    assert done["result"].exit_code == 0, done["result"].output
    between, after = done["between"], finished(done["folder"] / "out")
    assert len(between) > 8  # two models and what was asked of them, patterns, speeds
    assert between.items() <= after.items()


def test_every_shot_is_judged_once_and_what_looks_at_nothing_stands_beside(facts):
    rows = {(row["protocol"], row["network"]): row for row in facts["table"]}
    protocols = ("sim/sim", "exp/exp", "sim/exp", "mixed/exp")
    assert {protocol for protocol, network in rows if network == "resnet"} == set(protocols)
    assert {protocol for protocol, network in rows if network == "majority"} == set(protocols)
    for protocol in protocols[1:]:
        row = rows[protocol, "resnet"]
        assert (row["n_single"], row["n_other"]) == (13, 13)  # two of 28 are unknown
        assert rows[protocol, "majority"]["scores"]["accuracy"]["value"] == 0.5
        assert row["scores"]["accuracy"]["low"] < row["scores"]["accuracy"]["high"]
    assert rows["exp/exp", "resnet"]["n_trainings"] == 2  # folds
    (point,) = facts["depth"]
    assert 0.0 <= point["training"]["value"] <= 1.0
    assert point["blocks"] == [1, 1]


def test_every_look_at_measured_shots_is_in_the_log(done, facts):
    rungs = [look["rung"] for look in done["looks"]]
    assert sorted(rungs) == sorted(2 * ["exp/exp, resnet", "mixed/exp, resnet"] + ["sim/exp, resnet"])
    assert len(facts["looks"]) == 5
    assert {look["file"] for look in done["looks"]} == {"run7.h5"}


def test_speed_and_memory_are_those_of_a_process_of_its_own(facts):
    curves = {curve["way"]: curve for curve in facts["speed"]}
    assert set(curves) == {"resnet", "diffusion map"}
    for curve in curves.values():
        (point,) = curve["points"]
        assert point["n"] == 40
        assert point["seconds"] > 0.0
        assert 5e7 < point["start_bytes"] <= point["peak_bytes"]


def test_the_report_stands_alone_with_the_published_numbers(done, facts):
    page = (done["folder"] / "out" / "report.html").read_text("utf-8")
    for words in (
        "Table 1: simulated and measured shots",
        "run7.h5, measured",
        "62.0 %",
        "7,000 in 30 s",
        "Figure 3: preprocessing",
        "Figures 4 and 5: activations and Grad-CAM",
        "Figure 6: depth",
        "VGG16 is left out, for want of its weights: give --weights FILE",
        "This measured set has been looked at 5 times",
        "data:image/png",
        "xfel 0.1.0",
    ):
        assert words in page
    for words in ("stand-in", "quick look", "Robustness", 'src="http'):
        assert words not in page
    tables = results.text(facts)
    assert "| sim/exp | resnet | 62 % |" in tables
    assert "## Robustness" not in tables
    assert "Left out of this run: Robustness" in tables
    assert (
        results.text(facts | {"command": "xfel study poster --measured /data/a/run7.h5"}).count("/data") == 0
    )
    with pytest.raises(SystemExit, match="quick look"):
        results.text(facts | {"quick": True})


def test_another_question_is_refused_and_a_wrong_one_leaves_nothing(done, tmp_path, monkeypatch):
    folder = done["folder"]
    monkeypatch.setenv("XFELSPI_STATE", str(folder / "state"))
    refused = poster(folder, "--measured", folder / "run7.h5", "--seeds", 2)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    run7 = folder / "run7.h5"
    for parts, replaced, more, words in (
        ([FIRST], [], ("--measured", run7, "--reference", "ideal"), "not both"),
        ([FIRST], [], ("--labels", run7), "--labels"),
        ([FIRST], [], ("--weights", tmp_path / "none.pth"), "none.pth"),
        ([FIRST], [("folds = 2", "folds = 20")], ("--measured", run7), "table.folds is 20"),
        ([FIRST], [('recipe = "benchmark"', 'recipe = "no-such"')], (), "no-such"),
        ([SECOND], [], ("--measured", run7), "no [table]"),
    ):
        toy_poster(tmp_path / "study.toml", *parts, replaced=replaced)
        result = poster(tmp_path, *more)
        assert result.exit_code == 2, (words, result.output)
        assert words in result.output
        assert result.output.strip().count("\n") == 0, result.output
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_quick_look_at_all_else(tmp_path):
    """Particles never seen, noise, and what labels are worth; no measured shots."""
    toy_poster(tmp_path / "study.toml", SECOND)
    result = poster(tmp_path)
    assert result.exit_code == 0, result.output
    facts = json.loads((tmp_path / "out" / "study.json").read_text("utf-8"))
    cells = {cell["shape"]: cell for cell in facts["robustness"]["cells"]}
    assert set(cells) == set(published.MISSED)
    ways = {(point["way"], point["n_labels"]) for point in facts["labels"]}
    assert ("no labels: learned from simulation alone", 0) in ways
    assert ("diffusion map of pixels", 20) in ways
    assert {(point["scores"]["accuracy"]["value"] * 60) % 1 for point in facts["labels"]} <= {0.0}  # of 60
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "84.8 %" in page
    assert "What labels are worth" in page
    assert "| the published network | torus | 84.8 % |" in results.text(facts)


def test_help_teaches_by_example():
    result = CliRunner().invoke(app, ["study", "poster", "--help"])
    assert "xfel study poster --quick" in result.output
