"""What `xfel study geometry` promises to whoever types it."""

import json

import pytest
from toy_geometry import toy_geometry
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.studies import transfer


def geometry(folder, *more):
    arguments = ("study", "geometry", "--study", folder / "study.toml", "--out", folder / "out", *more)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def finished(folder):
    """The files of finished steps, models and patterns, and when they were written."""
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for pattern in ("*/seed*.json", "*/seed*.safetensors", "patterns/*/*/*.h5", "oracle/*.json")
        for path in folder.glob(pattern)
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study: killed in its second training, then finished by the same command."""
    folder = tmp_path_factory.mktemp("geometry")
    toy_geometry(folder / "study.toml")
    with pytest.MonkeyPatch.context() as killed:
        learn, calls = transfer.train, []

        def train(*args, **kwargs):
            calls.append(args)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return learn(*args, **kwargs)

        killed.setattr(transfer, "train", train)
        broken = geometry(folder)
    between = finished(folder / "out")
    return {"folder": folder, "broken": broken, "between": between, "result": geometry(folder)}


@pytest.fixture(scope="module")
def facts(done):
    return json.loads((done["folder"] / "out" / "study.json").read_text("utf-8"))


def test_killed_it_goes_on_and_repeats_nothing(done):
    assert done["broken"].exit_code == 130
    assert done["result"].exit_code == 0, done["result"].output
    between, after = done["between"], finished(done["folder"] / "out")
    assert len(between) > 6  # a model and its steps, and the files that they needed
    assert between.items() <= after.items()
    assert "A, seed 0: trained" not in done["result"].output


def test_the_matrix_is_whole_and_every_score_has_its_spread(facts):
    plan = {training["name"]: training for training in facts["trainings"]}
    assert set(plan) == {"A", "C-without-round", "C-without-all else"}
    assert plan["C-without-round"]["shapes"] == ["icosahedron", "cube"]
    cells = {(cell["training"], cell["shape"]): cell for cell in facts["cells"]}
    assert len(cells) == 3 * 3
    assert cells["A", "sphere"]["seen"] == "yes"
    assert cells["A", "cube"]["seen"] == "no"
    assert cells["A", "cube"]["n_single"] == 30  # of the many
    assert cells["A", "icosahedron"]["n_single"] == 20
    for cell in cells.values():
        assert {"auc", "fnr_at_1pct_fpr", "fpr_clear_at_0p1pct_fpr", "accuracy"} <= cell["scores"].keys()
        for mean in cell["scores"].values():
            assert mean["low"] <= mean["value"] <= mean["high"]
            assert mean["least"] <= mean["value"] <= mean["most"]
    assert {group["left_out"] for group in facts["groups"]} == {"round", "all else"}


def test_thresholds_come_from_what_was_held_out_of_the_training_shapes(facts, done):
    """Singles lost at the threshold for 1 % are those at or below it, in the logits that are kept."""
    out = done["folder"] / "out"
    (trained,) = facts["trainings"][0]["seeds"]
    folder = out / facts["trainings"][0]["folder"]
    (step,) = folder.glob("seed0-*-test-40-icosahedron.json")
    kept = json.loads(step.read_text("utf-8"))["result"]
    logits = transfer.unpacked(kept["logits"])
    truth_labels = _labels(next(out.glob("patterns/*/test-40/icosahedron.h5")))
    lost = (logits[truth_labels == 1] <= trained["at_fpr"]["1pct"]).mean()
    assert kept["rows"][0]["fnr_at_1pct_fpr"] == pytest.approx(lost)
    assert 0 < trained["n_negatives"] <= 30
    held = json.loads((folder / "seed0-trained.json").read_text("utf-8"))["result"]
    negatives = transfer.unpacked(held["negatives"])
    assert (negatives > trained["at_fpr"]["1pct"]).sum() == 0  # 1 % of fewer than 100 is none


def test_second_particle_and_noise_have_their_curves(facts):
    photons, separation = facts["second"]
    assert "εN" in photons["axis"]
    assert "diameters" in separation["axis"]
    for curve in facts["second"]:
        assert sum(bin["n_oracle"] for bin in curve["bins"]) > 0
        for bin in curve["bins"]:
            assert bin["low"] <= bin["middle"] <= bin["high"]
            assert bin["kept"][1] <= bin["kept"][0] <= bin["kept"][2]
            assert bin["physical"] is None or 0.0 <= bin["physical"] <= 1.0
    sweep, noisy = facts["noise"]
    assert [point["place"] for point in sweep["curves"]["sphere"]] == [1e3, 1e4]
    assert noisy["setting"] == "detector.read_noise_photons"


def test_the_report_stands_alone_and_says_what_counts(done):
    page = (done["folder"] / "out" / "report.html").read_text("utf-8")
    for words in (
        "Single hits lost of the worst shape never seen",
        "Trained on × tested on",
        "Shapes never trained on",
        "C: one group left out",
        "physical limit",
        "How small and how dim",
        "Worst mistakes",
        "Every score",
        "one seed",
        "data:image/png",
        "xfel 0.1.0",
    ):
        assert words in page
    assert "quick look" not in page
    assert 'src="http' not in page


def test_another_question_is_refused_and_a_wrong_one_leaves_nothing(done, tmp_path):
    before = finished(done["folder"] / "out")
    refused = geometry(done["folder"], "--seeds", 2)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    assert finished(done["folder"] / "out") == before
    for replaced, more, words in (
        ([], ("--seeds", 0), "--seeds is 0"),
        ([("epochs = 1\nseeds", "epochs = 0\nseeds")], (), "epochs is 0"),
        ([("detector.read_noise_photons", "detector.noise")], (), "detector.noise"),
        ([('recipe = "benchmark"', 'recipe = "no-such"')], (), "no-such"),
    ):
        toy_geometry(tmp_path / "study.toml", replaced=replaced)
        result = geometry(tmp_path, *more)
        assert result.exit_code == 2, result.output
        assert words in result.output
        assert result.output.strip().count("\n") == 0, result.output
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_quick_and_several_seeds_on_realistic_shots(tmp_path):
    """Droplets and other company have rows of their own; seeds have a spread."""
    toy_geometry(tmp_path / "study.toml", recipe="lcls-amo")
    result = geometry(tmp_path, "--quick", "--seeds", 2)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "quick look" in page
    assert "means of 2 seeds" in page
    facts = json.loads((tmp_path / "out" / "study.json").read_text("utf-8"))
    assert [training["name"] for training in facts["trainings"]] == ["A"]


def test_help_teaches_by_example():
    result = CliRunner().invoke(app, ["study", "geometry", "--help"])
    assert "xfel study geometry --quick" in result.output


def _labels(path):
    from xfelspi.patterns import PatternSet

    with PatternSet.open(path) as patterns:
        return patterns.labels
