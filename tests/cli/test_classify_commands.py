"""What `xfel train`, `score`, `classify` and `demo` promise to whoever types them."""

import csv
import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from toy_shots import write_plain
from typer.testing import CliRunner

from xfelspi.classify import Policy, load_model
from xfelspi.cli import app
from xfelspi.hits import HitFinding
from xfelspi.patterns import LABELS, PatternSet
from xfelspi.sorting.shots import Sorting, sort_shots

ROW_KEYS = [
    "accuracy",
    "balanced_accuracy",
    "auc",
    "fnr",
    "fpr",
    "fnr_at_1pct_fpr",
    "fnr_at_0p1pct_fpr",
    "fpr_clear",
    "auc_clear",
]


def xfel(*arguments):
    """Run a command in this process; returns the result with exit code and output."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a few patterns of two shapes and a model trained on one of them, quickly."""
    folder = tmp_path_factory.mktemp("work")
    for shape, n in (("icosahedron", 320), ("torus", 60)):
        command = ("simulate", "--recipe", "benchmark", "--shape", shape, "-n", n, "--out", folder / "sim")
        assert xfel(*command).exit_code == 0
    trained = xfel(*train_command(folder))
    assert trained.exit_code == 0, trained.output
    assert trained.output.splitlines()[-1] == str(folder / "runs" / "quick.safetensors")
    return folder


def train_command(folder, *more):
    options = ("--hold-out", "torus", "--epochs", 3, "--name", "quick", "--out", folder / "runs")
    return ("train", "--data", folder / "sim", *options, *more)


@pytest.fixture
def model(work):
    return work / "runs" / "quick.safetensors"


def test_training_again_is_already_done_and_another_is_refused(work, model):
    before = model.read_bytes()
    again = xfel(*train_command(work))
    assert again.exit_code == 0
    assert "already trained" in again.output
    other = xfel(*train_command(work, "--seed", 5))
    assert other.exit_code == 2
    assert "--overwrite" in other.output
    assert model.read_bytes() == before


def test_training_without_files_and_again(tmp_path):
    """Fresh patterns of two shapes, drawn from a changed recipe while the network learns."""
    settings = ("--set", "detector.rows=64", "--set", "detector.columns=64")
    command = ("train", "--recipe", "benchmark", "--shapes", "icosahedron,sphere", *settings, "-n", 64)
    command = (*command, "--epochs", 1, "--seed", 5, "--out", tmp_path)
    trained = xfel(*command)
    assert trained.exit_code == 0, trained.output
    path = Path(trained.output.splitlines()[-1])
    assert path.name.startswith("icosahedron-sphere-64-")
    page = json.loads(path.with_suffix(".json").read_text("utf-8"))
    (source,) = page["training"]["data"]
    assert (source["shapes"], source["n"], source["seed"]) == (["icosahedron", "sphere"], 64, 5)
    assert source["recipes"][0]["detector"]["rows"] == 64
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".safetensors"]
    assert "already trained" in xfel(*command).output


def test_the_description_says_where_it_came_from(model):
    described = json.loads(model.with_suffix(".json").read_text("utf-8"))
    text = json.dumps(described)
    for part in ("threshold", "architecture", "torch", "icosahedron", "seed"):
        assert part in text


def test_score_gives_rates_with_intervals_per_file_and_shape(work, model):
    result = xfel("score", "--model", model, "--data", work / "sim", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [row["shape"] for row in rows] == ["icosahedron", "torus"]
    for row in rows:
        assert {"file", "shape", "n_single", "n_other"} <= row.keys()
        for key in ROW_KEYS:
            low, high = row[f"{key}_ci"]
            assert 0.0 <= low <= row[key] <= high <= 1.0, key
    assert rows[1]["n_single"] == rows[1]["n_other"] == 30
    assert "false negatives" in xfel("score", "--model", model, "--data", work / "sim" / "torus.h5").output


def test_score_opens_what_classify_opens(work, model, tmp_path):
    """Frames of a detector's units and labels in a file of their own."""
    with PatternSet.open(work / "sim" / "torus.h5") as patterns:
        counts, labels = patterns.frames(0, 60).counts, patterns.labels
    np.save(tmp_path / "labels.npy", labels)
    rows = {}
    for name, factor, more in (("photons", 1, ()), ("adu", 8, ("--adu-per-photon", 8))):
        np.save(tmp_path / f"{name}.npy", factor * counts.astype(np.int32))
        options = ("--labels", tmp_path / "labels.npy", "--centre", "middle", "--json", *more)
        scored = xfel("score", "--model", model, "--data", tmp_path / f"{name}.npy", *options)
        assert scored.exit_code == 0, scored.output
        (rows[name],) = json.loads(scored.stdout)["rows"]
        assert rows[name].pop("file").endswith(f"{name}.npy")
    assert rows["adu"] == rows["photons"]
    assert rows["adu"]["n_single"] == 30


def test_classify_writes_a_table_and_a_list(work, model, tmp_path):
    file = tmp_path / "run.h5"
    shutil.copy(work / "sim" / "torus.h5", file)
    result = xfel("classify", "--model", model, file)
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "run.csv").read_text().splitlines()
    assert lines[0].split(",")[:3] == ["index", "probability", "kept"]
    assert lines[0].split(",")[3:] == ["unsure", "ood", "strange", "label", "event"]
    assert lines[5].endswith(f",{file} //4")
    assert len(lines) == 61
    kept = [line for line in lines[1:] if line.split(",")[2] == "1"]
    events = (tmp_path / "run.lst").read_text().splitlines()
    assert [event.split("//")[1] for event in events] == [line.split(",")[0] for line in kept]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--update",), "is not CXI"),
        (("--kept-to", "kept.xyz"), "no ending that tells the format"),
        (("--kept-to", "run.npy"), "no ending that tells the format"),
    ],
)
def test_what_could_not_be_handed_on_is_refused_before_the_work(model, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    np.save("run.npy", np.ones((4, 128, 128), np.uint16))
    refused = xfel("classify", "run.npy", "--model", model, *options)
    assert refused.exit_code == 2
    assert said in " ".join(refused.output.split())
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["run.npy"]


def test_kept_patterns_and_scores_are_handed_on(work, model, tmp_path):
    """--update and --kept-to say what the table says."""
    file, kept = tmp_path / "run.cxi", tmp_path / "kept.cxi"
    shutil.copy(work / "sim" / "torus.h5", file)
    result = xfel("classify", file, "--model", model, "--update", "--kept-to", kept)
    assert result.exit_code == 0, result.output
    table = np.genfromtxt(tmp_path / "run.csv", delimiter=",", names=True)
    chosen = np.flatnonzero(table["kept"])
    with h5py.File(file) as all_of_them, h5py.File(kept) as some:
        for opened, rows in ((all_of_them, slice(None)), (some, chosen)):
            detector = opened["entry_1/instrument_1/detector_1"]
            assert detector["score"].attrs["headings"].tolist() == ["probability", "ood"]
            np.testing.assert_array_equal(detector["score"][0], table["probability"][rows])
            assert detector["tags"].attrs["headings"].tolist() == ["kept", "unsure", "strange"]
            np.testing.assert_array_equal(detector["tags"][0], table["kept"][rows])
        data = "entry_1/data_1/data"
        np.testing.assert_array_equal(some[data], all_of_them[data][chosen])
    assert f"{kept}: {len(chosen)} patterns" in result.output


def test_what_came_of_one_file_never_replaces_that_of_another(work, model, tmp_path):
    for name in ("one.h5", "two.h5"):
        shutil.copy(work / "sim" / "torus.h5", tmp_path / name)
    kept = ("--model", model, "--kept-to", tmp_path / "kept.cxi")
    first = (*kept, "--out", tmp_path / "first")
    assert xfel("classify", tmp_path / "one.h5", *first, "--top", 3).exit_code == 0
    before = [(tmp_path / name).read_bytes() for name in ("kept.cxi", "first.csv", "first.lst")]
    for more in ((*kept, "--out", tmp_path / "second"), ("--model", model, "--out", tmp_path / "first")):
        refused = xfel("classify", tmp_path / "two.h5", *more, "--top", 3)
        assert refused.exit_code == 2
        assert "choose another" in " ".join(refused.output.split())
    assert [(tmp_path / name).read_bytes() for name in ("kept.cxi", "first.csv", "first.lst")] == before
    assert xfel("classify", tmp_path / "one.h5", *first, "--top", 2).exit_code == 0
    assert (tmp_path / "kept.cxi").read_bytes() != before[0]


def test_where_nothing_is_kept_nothing_is_left_of_an_earlier_choice(work, model, tmp_path):
    file, other = tmp_path / "run.h5", tmp_path / "other.h5"
    for path in (file, other):
        shutil.copy(work / "sim" / "torus.h5", path)
    options = ("--model", model, "--out", tmp_path / "sorted", "--kept-to", tmp_path / "kept.emc")
    assert xfel("classify", file, *options, "--top", 3).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("kept*")) == [
        "kept.emc",
        "kept_classes.txt",
        "kept_det.h5",
    ]
    none = xfel("classify", file, *options, "--size", "1,1.1")
    assert none.exit_code == 0, none.output
    assert "is removed, which held what an earlier call kept" in " ".join(none.output.split())
    assert not list(tmp_path.glob("kept*"))
    table = (
        tmp_path / "sorted.csv"
    ).read_bytes()  # its list is empty, so the table itself says what it is about
    refused = xfel("classify", other, "--model", model, "--out", tmp_path / "sorted")
    assert refused.exit_code == 2
    assert "is about shots of" in " ".join(refused.output.split())
    assert (tmp_path / "sorted.csv").read_bytes() == table


def test_what_stands_in_the_way_of_the_kept_is_told_before_the_work(work, model, tmp_path):
    file, other = tmp_path / "run.cxi", tmp_path / "other.h5"
    assert xfel("convert", work / "sim" / "torus.h5", file).exit_code == 0
    shutil.copy(work / "sim" / "torus.h5", other)
    before = file.read_bytes()
    refused = xfel("classify", file, "--model", model, "--update", "--kept-to", other)
    assert refused.exit_code == 2
    assert "other.h5 exists" in refused.output
    assert "--overwrite" not in refused.output
    assert file.read_bytes() == before
    assert not (tmp_path / "run.csv").exists()


def test_a_folder_is_no_name_of_outputs(work, model, tmp_path):
    (tmp_path / "sub").mkdir()
    refused = xfel("classify", work / "sim" / "torus.h5", "--model", model, "--out", tmp_path / "sub")
    assert refused.exit_code == 2
    assert "names a folder" in refused.output
    assert not (tmp_path / "sub.csv").exists()


def test_a_picture_that_would_replace_something_is_told_before_the_work(work, model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    refused = xfel("score", "--data", work / "sim", "--model", model, "--reliability", tmp_path / "notes.txt")
    assert refused.exit_code == 2
    assert "exists and is no PNG" in refused.output
    assert "AUC" not in refused.output


def test_a_policy_is_carried_out_and_said(work, model, tmp_path):
    file = tmp_path / "run.h5"
    shutil.copy(work / "sim" / "torus.h5", file)
    result = xfel(
        "classify", file, "--model", model, "--max-fpr", 0.5, "--prior", 0.03, "--abstain", 0.2, "--json"
    )
    assert result.exit_code == 0, result.output
    page = json.loads(result.stdout)
    unsure = (tmp_path / "run-unsure.lst").read_text().splitlines()
    assert len(unsure) == page["n_unsure"] > 0
    assert page["held_out_fpr"] <= 0.5
    (row,) = page["rows"]
    assert row["unsure"] == page["n_unsure"] / page["n"]
    said = xfel("classify", file, "--model", model, "--max-fpr", 0.5, "--prior", 0.5).output
    assert "Where 50 % of the shots are single hits" in said
    assert "clear multiples above it in validation" in said


@pytest.fixture(scope="module")
def natural(tmp_path_factory):
    """A run as it comes, most of it blanks, whose truth is known."""
    folder = tmp_path_factory.mktemp("natural")
    few = ("--set", "sample.mean_particles=0.1", "-n", 300)
    made = xfel("simulate", "--recipe", "benchmark", "--natural", *few, "--out", folder)
    assert made.exit_code == 0, made.output
    return folder / "icosahedron.h5"


def test_hits_writes_a_table_and_a_list_of_what_is_no_blank(natural):
    result = xfel("hits", natural, "--keep-misses", 0.1, "--json")
    assert result.exit_code == 0, result.output
    page = json.loads(result.output)
    stem = natural.with_suffix("")
    rows = list(csv.DictReader(Path(f"{stem}-hits.csv").read_text("utf-8").splitlines()))
    assert list(rows[0]) == ["index", "id", "score", "threshold", "hit", "kept_as_miss", "event"]
    assert [row["id"] for row in rows[:2]] == ["0:0", "0:1"]
    with PatternSet.open(natural) as patterns:
        blank = patterns.truth["label"] == LABELS.index("blank")
    assert [row["hit"] == "0" for row in rows] == blank.tolist()
    assert page["n_hits"] == (~blank).sum()
    kept = [row["index"] for row in rows if "1" in (row["hit"], row["kept_as_miss"])]
    events = Path(f"{stem}-hits.lst").read_text().splitlines()
    assert [event.split("//")[1] for event in events] == kept
    assert len(kept) == page["n_hits"] + page["n_kept_as_miss"] > page["n_hits"]


def test_hits_tells_of_pixels_that_are_no_counts(tmp_path):
    counts = np.random.default_rng(0).poisson(0.2, (60, 32, 32)).astype(np.float32)
    counts[3, 4, 5:7], counts[50, 8, 8] = np.nan, -2.0
    np.save(tmp_path / "run.npy", counts)
    result = xfel("hits", tmp_path / "run.npy", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "2 pixels were NaN or infinite and 1 negative" in result.stderr


def test_hits_first_shows_the_model_hits_alone(natural, model, tmp_path):
    result = xfel(
        "classify", natural, "--model", model, "--hits-first", "--out", tmp_path / "first", "--json"
    )
    assert result.exit_code == 0, result.output
    page = json.loads(result.output)
    rows = list(csv.DictReader((tmp_path / "first.csv").read_text("utf-8").splitlines()))
    hits = list(csv.DictReader((tmp_path / "first-hits.csv").read_text("utf-8").splitlines()))
    for row, hit in zip(rows, hits, strict=True):
        assert row["hit"] == hit["hit"]
        assert (row["probability"] != "") == ("1" in (hit["hit"], hit["kept_as_miss"]))
        assert row["kept"] <= row["hit"]
    assert page["n_hits"] == sum(hit["hit"] == "1" for hit in hits)
    assert page["rows"][0]["n_single"] + page["rows"][0]["n_other"] == page["n"] == 300
    assert page["n_kept"] > 0


def test_what_hit_finding_costs_is_counted_after_all_other_opinions(natural, model):
    """Nothing is a hit: all that the model keeps is lost, but none of it where no shot has the size."""
    none = HitFinding(snr=1e4, keep_misses=1.0)

    def lost(**asked):
        with PatternSet.open(natural) as patterns:
            sorting = Sorting(hits=none, **asked)
            found = sort_shots(patterns, [load_model(model)], Policy(), sorting, lambda *_: None)
        assert not found.hits.hit.any()
        assert not found.verdict.kept.any()
        return found.n_misses_single

    assert lost() > lost(size_nm=(5.0, 6.0)) == 0


def test_labels_that_say_nothing_are_no_reason_to_stop(work, model, tmp_path):
    file = work / "sim" / "torus.h5"
    with PatternSet.open(file) as patterns:
        np.save(tmp_path / "unknown.npy", np.full(patterns.n, -1))
    kept = tmp_path / "kept.cxi"
    options = ("--labels", tmp_path / "unknown.npy", "--out", tmp_path / "run", "--kept-to", kept, "--json")
    result = xfel("classify", file, "--model", model, *options)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == []
    with PatternSet.open(kept) as patterns:
        assert patterns.n == json.loads(result.stdout)["n_kept"]


def test_what_is_kept_is_what_all_opinions_keep(work, model, tmp_path):
    file = work / "sim" / "torus.h5"

    def kept(*options):
        result = xfel("classify", file, "--model", model, *options, "--out", tmp_path / "run", "--json")
        assert result.exit_code == 0, result.output
        rows = csv.DictReader((tmp_path / "run.csv").read_text("utf-8").splitlines())
        return {int(row["index"]) for row in rows if row["kept"] == "1"}

    plain, top = kept(), kept("--top", 10)
    assert len(top) == 10
    assert kept("--model", model) == kept("--model", model, "--consensus", "mean") == plain
    sized = kept("--size", "10,60")
    with_rows = list(csv.DictReader((tmp_path / "run.csv").read_text("utf-8").splitlines()))
    assert sized < plain
    for row in with_rows:
        if int(row["index"]) in sized:
            assert 10 <= float(row["diameter_nm"]) <= 60
            assert float(row["diameter_error_nm"]) > 0
    agreed = kept("--consensus", "autocorrelation")
    assert agreed < plain
    assert kept("--consensus", "autocorrelation", "--size", "10,60") == agreed & sized


def test_score_draws_how_reliable_probabilities_are(work, model, tmp_path):
    picture = tmp_path / "reliability.png"
    result = xfel("score", "--model", model, "--data", work / "sim", "--reliability", picture)
    assert result.exit_code == 0, result.output
    assert "error of the probabilities" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_of_one_class_alone_no_probabilities_are_drawn(model, tmp_path):
    write_plain(tmp_path / "singles.h5", np.ones(30, int))
    picture = tmp_path / "reliability.png"
    result = xfel("score", "--model", model, "--data", tmp_path / "singles.h5", "--reliability", picture)
    assert result.exit_code == 0, result.output
    assert "is not drawn" in result.output
    assert not picture.exists()


def test_without_a_model_the_one_of_the_package_is_taken(work, model, tmp_path, monkeypatch):
    default = tmp_path / "models" / "default.safetensors"
    monkeypatch.setattr("xfelspi.classify.default._MODEL", default)
    monkeypatch.setattr("xfelspi.classify.predict.fastest", lambda *_: torch.float32)  # the same for both
    command = ("score", "--data", work / "sim" / "torus.h5", "--json")
    without = xfel(*command)
    assert without.exit_code == 2
    assert "no default model in this installation" in without.output
    default.parent.mkdir()
    for suffix in (".safetensors", ".json"):
        shutil.copy(model.with_suffix(suffix), default.with_suffix(suffix))
    assert xfel(*command).output == xfel(*command, "--model", model).output


def test_classify_any_hdf5_with_a_mask_and_bad_pixels(work, model, tmp_path):
    with h5py.File(work / "sim" / "torus.h5") as file:
        counts = file["entry_1/data_1/data"][:10, 64:192, 64:192].astype(np.float32)
        mask = file["entry_1/data_1/mask"][64:192, 64:192] != 0
    counts[0, 5, 5] = np.nan
    counts[1, 7, 7] = -3.0
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["run/frames"] = counts
        file["run/junk"] = np.zeros(3)
    np.save(tmp_path / "mask.npy", mask)
    result = xfel(
        "classify",
        "--model",
        model,
        tmp_path / "foreign.h5",
        "--dataset",
        "run/frames",
        "--mask",
        tmp_path / "mask.npy",
        "--json",
    )
    assert result.exit_code == 0, result.output
    assert "1 pixels were NaN" in result.stderr
    assert "1 negative" in result.stderr
    assert "--adu-per-photon" in result.stderr
    page = json.loads(result.stdout)
    assert (page["rows"], page["n"], page["n_unsure"]) == ([], 10, 0)
    assert page["expected_precision"] is None
    assert len((tmp_path / "foreign.csv").read_text().splitlines()) == 11


def test_measured_shots_are_sorted(model, measured, tmp_path):
    file = tmp_path / "pr772.h5"
    shutil.copy(measured / "pr772" / "pr772_patterns.h5", file)
    result = xfel("classify", "--model", model, file, "--json")
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)["rows"]
    assert (row["n_single"], row["n_other"]) == (19, 31)
    assert row["shape"] is None
    assert row["fpr_clear"] is None


def wrong_inputs(work, tmp_path):
    """Commands that cannot work, and what their sentence says."""
    good, model = work / "sim" / "torus.h5", work / "runs" / "quick.safetensors"
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "text.h5").write_text("no hdf5")
    (tmp_path / "cut.h5").write_bytes(good.read_bytes()[:30_000])
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["line"] = np.zeros(7)
        file["box"] = np.zeros((2, 2, 8, 8))
        file["frames"] = np.zeros((3, 40, 40))
    np.save(tmp_path / "mask.npy", np.zeros((9, 9)))
    fake = tmp_path / "fake.safetensors"
    fake.write_bytes(b"not a model")
    shutil.copy(model.with_suffix(".json"), fake.with_suffix(".json"))
    alone = tmp_path / "alone.safetensors"
    shutil.copy(model, alone)
    yield ("classify", "--model", model, tmp_path / "none.h5"), "none.h5"
    yield ("classify", "--model", model, tmp_path / "text.h5"), "text.h5"
    yield ("classify", "--model", model, tmp_path / "cut.h5"), "cut.h5"
    yield ("classify", "--model", model, tmp_path / "odd.h5", "--dataset", "nothing"), "nothing"
    yield ("classify", "--model", model, tmp_path / "odd.h5", "--dataset", "line"), "line"
    yield ("classify", "--model", model, tmp_path / "odd.h5", "--dataset", "box"), "box"
    yield (
        (
            "classify",
            "--model",
            model,
            tmp_path / "odd.h5",
            "--dataset",
            "frames",
            "--mask",
            tmp_path / "mask.npy",
        ),
        "mask",
    )
    yield ("classify", "--model", fake, good), "fake"
    yield ("classify", "--model", alone, good), "alone"
    yield ("classify", "--model", tmp_path / "missing.safetensors", good), "missing.safetensors"
    yield ("classify", "--model", model, good, "--max-fpr", "0.001"), "needs 3000 clear multiples"
    yield ("score", "--model", model, "--data", work / "sim", "--max-fpr", "0.001"), "needs 3000 clear"
    yield ("classify", "--model", model, good, "--prior", "1"), "share of single hits is 1.0"
    yield ("classify", "--model", model, good, "--abstain", "0.6"), "chance of being wrong is 0.6"
    yield ("classify", "--model", model, good, "--top", "0"), "likeliest 0"
    yield ("classify", "--model", model, good, "--out", "."), "--out . names a folder"
    yield ("hits", good, "--out", tmp_path / ".."), "names a folder"
    yield ("classify", "--model", model, good, "--panels", "2x1"), "--panels is for frames in ADU"
    yield ("classify", "--model", model, good, "--size", "60"), "--size 60 is not two diameters"
    yield ("classify", "--model", model, good, "--size", "80,60"), "are no range"
    yield ("classify", "--model", model, good, "--consensus", "vote"), "no consensus 'vote'"
    both = ("--consensus", "all", "--consensus", "mean")
    yield ("classify", "--model", model, good, *both), "decide in one way"
    yield ("hits", tmp_path / "none.h5"), "none.h5"
    yield ("hits", good, "--snr", "0"), "snr is 0"
    yield ("hits", good, "--score", "lit", "--pulse-energies", "nothing"), "nothing"
    yield ("hits", good, "--lit-photons", "2"), "is for --score lit"
    yield ("embed", good, "--labels", tmp_path / "clusters.csv", "--out", tmp_path), "leave out --out"
    yield ("score", "--model", model, "--data", empty), "empty"
    yield ("score", "--model", model, "--data", tmp_path / "odd.h5"), "odd.h5"
    yield ("train", "--data", good, "--calibrate", empty, "--out", tmp_path / "runs"), "empty"
    yield ("train", "--data", empty, "--out", tmp_path / "runs"), "empty"
    yield ("train", "--data", work / "sim", "--shapes", "cone", "--out", tmp_path / "runs"), "cone"
    yield ("train", "--data", work / "sim", "--blocks", "2", "--out", tmp_path / "runs"), "2,2"
    yield ("train", "--data", work / "sim", "--blocks", "0,2", "--out", tmp_path / "runs"), "2,2"
    yield ("train", "--data", work / "sim", "--epochs", "0", "--out", tmp_path / "runs"), "epochs"
    fresh = ("train", "--recipe", "benchmark", "--out", tmp_path / "runs")
    yield ("train", "--recipe", "nowhere", "--out", tmp_path / "runs"), "no recipe 'nowhere'"
    yield (*fresh, "--shapes", "cone"), "no shape called 'cone'"
    yield (*fresh, "--set", "sample.diameter_nm=3000"), "detector"
    yield (*fresh, "-n", "1"), "2 or more with -n"
    yield (*fresh, "--data", work / "sim"), "--data is for files"
    yield (*fresh, "--hold-out", "torus"), "--hold-out is for files"
    yield ("train", "--data", work / "sim", "-n", "0", "--out", tmp_path / "runs"), "with --recipe"
    yield ("train", "--set", "beam.n_modes=9", "--out", tmp_path / "runs"), "with --recipe"
    yield ("demo", "--measured", tmp_path / "text.h5", "--out", tmp_path / "demo"), "text.h5"


def test_wrong_inputs_are_one_sentence_and_leave_nothing(work, tmp_path):
    for command, words in wrong_inputs(work, tmp_path):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        result = xfel(*command)
        assert result.exit_code == 2, (command, result.output, result.exception)
        assert words in result.output, (command, result.output)
        assert result.output.strip().count("\n") == 0, (command, result.output)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before, command


def test_no_pickle_is_ever_loaded(model, tmp_path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    fake = tmp_path / "trap.safetensors"
    fake.write_bytes(pickle.dumps(Trap()))
    shutil.copy(model.with_suffix(".json"), fake.with_suffix(".json"))
    assert xfel("classify", "--model", fake, tmp_path / "x.h5").exit_code == 2
    assert not (tmp_path / "sprung").exists()


@pytest.mark.slow
def test_the_demo_runs_to_its_report_and_again_from_what_is_there(tmp_path, monkeypatch):
    from xfelspi.studies import demo as module_name

    module = __import__(module_name.__module__, fromlist=["demo"])
    for name, value in (("N_TRAINING", 600), ("N_TEST", 100), ("EPOCHS", 2)):
        monkeypatch.setattr(module, name, value)
    result = xfel("demo", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report.html").read_text("utf-8")
    for words in ("58.7 %", "84.8 %", "torus", "data:image/png"):
        assert words in page
    assert 'src="http' not in page
    model = (tmp_path / "model.safetensors").stat()
    assert xfel("demo", "--out", tmp_path).exit_code == 0
    assert (tmp_path / "model.safetensors").stat() == model


def test_a_centre_that_is_not_given_is_found_and_said(work, model, tmp_path):
    with h5py.File(work / "sim" / "torus.h5") as file:
        frames = file["entry_1/data_1/data"][:]
    np.save(tmp_path / "cut.npy", frames[:, 10:, 22:])
    said = xfel("classify", tmp_path / "cut.npy", "--model", model)
    assert said.exit_code == 0, said.output
    found = re.search(r"the centre is not given; found at y, x = ([\d.]+), ([\d.]+)", said.stderr)
    middle = (np.array(frames.shape[1:]) - 1) / 2
    assert np.abs(np.array([float(n) for n in found.groups()]) - (middle - [10, 22])).max() < 1
    table = (tmp_path / "cut.csv").read_text()
    for given, same in (("middle", False), (f"{middle[0] - 10},{middle[1] - 22}", True)):
        said = xfel("classify", tmp_path / "cut.npy", "--model", model, "--centre", given)
        assert "the centre is not given" not in said.stderr
        probabilities = [
            [float(row["probability"]) for row in csv.DictReader(lines.splitlines())]
            for lines in (table, (tmp_path / "cut.csv").read_text())
        ]
        assert np.allclose(*probabilities, atol=1e-6) is same


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--centre", "7"), "--centre 7 is not two numbers such as 127.5,130"),
        (("--centre", "9000,0"), "is far from frames of"),
        (("--common-mode", "row"), "give --adu-per-photon as well"),
        (("--adu-per-photon", 8, "--panels", "2"), "--panels 2 is not two numbers such as 2x1"),
        (("--adu-per-photon", -1), "adu_per_photon is -1; it must be positive"),
        (("--geometry", "nowhere.geom"), "The geometry nowhere.geom is not a readable text file"),
    ],
)
def test_what_is_wrong_with_an_opening_is_one_sentence(work, options, what):
    said = xfel("info", work / "sim" / "torus.h5", *options)
    assert said.exit_code == 2
    assert what in " ".join(said.stderr.split())
