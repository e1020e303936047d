"""What is written and scored for a file."""

import csv

import h5py
import numpy as np
import pytest
from toy_shots import frames, write_plain, write_simulated

from xfelspi.classify import Policy, Prediction, Predictor, decide, score_predictions
from xfelspi.classify import write_selection as write
from xfelspi.errors import InputError
from xfelspi.patterns import LABELS, PatternSet


@pytest.fixture
def plain(tmp_path):
    with PatternSet.open(write_plain(tmp_path / "run.h5", np.array([1, 0, 1, -1]))) as patterns:
        yield patterns


def predicted(model, kept):
    steps = np.where(kept, 1.5, -1.5).astype(np.float32)
    ood = np.where(np.arange(len(steps)) == 2, 1.5, 0.5).astype(np.float32)
    return Prediction(logits=model.thresholds.balanced + steps, ood=ood, n_nan=0, n_negative=0, n_dark=0)


def write_selection(model, patterns, prediction, stem, policy=None):
    policy = policy or Policy()
    verdict = decide(model, prediction.logits, policy)
    return write(patterns, prediction, verdict, stem, abstains=policy.abstain is not None)


def test_table_and_list_agree(toy_model, plain, tmp_path):
    prediction = predicted(toy_model, [True, False, False, True])
    written = write_selection(toy_model, plain, prediction, tmp_path / "sorted.v1")
    assert (written.table.name, written.kept.name, written.unsure) == ("sorted.v1.csv", "sorted.v1.lst", None)
    assert (written.n_kept, written.n_unsure, written.n_strange) == (2, 0, 1)
    rows = list(csv.DictReader(written.table.read_text("utf-8").splitlines()))
    assert [row["index"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["kept"] for row in rows] == ["1", "0", "0", "1"]
    assert [row["label"] for row in rows] == ["1", "0", "1", "-1"]
    assert [row["strange"] for row in rows] == ["0", "0", "1", "0"]
    assert [float(row["ood"]) for row in rows] == [0.5, 0.5, 1.5, 0.5]
    np.testing.assert_allclose(
        [float(row["probability"]) for row in rows],
        toy_model.calibration.probabilities(prediction.logits),
        atol=1e-6,
    )
    assert written.kept.read_text().splitlines() == [f"{plain.path} //0", f"{plain.path} //3"]
    again = write_selection(toy_model, plain, predicted(toy_model, [False] * 4), tmp_path / "sorted.v1")
    assert again.n_kept == 0
    assert written.kept.read_text() == ""


def test_what_is_unsure_is_neither_kept_nor_left(toy_model, plain, tmp_path):
    """The toy model is sure of what lies 9 above or below its threshold, and not of what lies on it."""
    logits = (toy_model.thresholds.balanced + np.array([9, 0.1, -0.1, -9])).astype(np.float32)
    prediction = Prediction(logits=logits, ood=np.zeros(4, np.float32), n_nan=0, n_negative=0, n_dark=0)
    written = write_selection(toy_model, plain, prediction, tmp_path / "run-1", Policy(abstain=0.1))
    assert (written.n_kept, written.n_unsure) == (1, 2)
    assert written.kept.read_text().splitlines() == [f"{plain.path} //0"]
    assert written.unsure == tmp_path / "run-1-unsure.lst"
    assert written.unsure.read_text().splitlines() == [f"{plain.path} //1", f"{plain.path} //2"]
    rows = list(csv.DictReader(written.table.read_text("utf-8").splitlines()))
    assert [row["kept"] + row["unsure"] for row in rows] == ["10", "01", "01", "00"]
    write_selection(toy_model, plain, prediction, tmp_path / "run-1")
    assert not written.unsure.exists()  # the table is no longer about it


@pytest.mark.parametrize("name", ["run.csv", "run.lst"])
def test_files_of_others_are_not_replaced(toy_model, plain, tmp_path, name):
    (tmp_path / name).write_text("index,label\n0,1\n")
    with pytest.raises(InputError, match="--out"):
        write_selection(toy_model, plain, predicted(toy_model, [True] * 4), tmp_path / "run")
    assert (tmp_path / name).read_text() == "index,label\n0,1\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_cannot_be_written_is_one_sentence(toy_model, plain, tmp_path):
    with pytest.raises(InputError, match="nothing can be written below"):
        write_selection(toy_model, plain, predicted(toy_model, [True] * 4), tmp_path / "run.h5" / "below")


def test_unknown_labels_do_not_count(toy_model, plain):
    (row,) = score_predictions(toy_model, plain, predicted(toy_model, [True, True, False, True]))
    assert (row["n_single"], row["n_other"], row["shape"], row["fpr_clear"]) == (2, 1, None, None)
    assert (row["fnr"], row["fpr"], row["accuracy"]) == (0.5, 1.0, pytest.approx(1 / 3))


def test_a_simulated_file_has_a_row_with_clear_multiples(toy_model, toy_file):
    with PatternSet.open(toy_file) as patterns:
        (row,) = score_predictions(toy_model, patterns, Predictor(toy_model)(patterns))
    assert (row["file"], row["shape"]) == (str(toy_file), "torus")
    assert (row["n_single"], row["n_other"], row["n_clear"]) == (120, 120, 80)
    assert row["auc_clear"] > 0.99
    assert row["ece_ci"][0] <= row["ece"] <= row["ece_ci"][1] < 0.2
    assert row["strange"] < 0.2
    assert not {"unsure", "precision", "fnr_at_max_fpr"} & row.keys()


def test_a_policy_has_columns_of_its_own(toy_model, toy_file):
    policy = Policy(max_fpr=0.5, prior=0.5, abstain=0.3)
    with PatternSet.open(toy_file) as patterns:
        prediction = Predictor(toy_model)(patterns)
        (row,) = score_predictions(toy_model, patterns, prediction, policy)
        (plain,) = score_predictions(toy_model, patterns, prediction)
    for name in ("fnr_at_max_fpr", "fpr_at_max_fpr", "fpr_clear_at_max_fpr", "unsure", "wrong_decided"):
        low, high = row[f"{name}_ci"]
        assert 0 <= low <= row[name] <= high <= 1
    assert row["fnr"] == plain["fnr"]
    assert 0 < row["kept_share"] <= 0.5 + 0.5 * row["fpr_at_max_fpr"]
    assert row["precision_ci"][0] <= row["precision"] <= row["precision_ci"][1]


def test_nothing_to_score_against_is_one_sentence(toy_model, tmp_path):
    import h5py

    with h5py.File(tmp_path / "bare.h5", "w") as file:
        file["patterns"] = frames(np.array([1, 0]))
    with (
        PatternSet.open(tmp_path / "bare.h5") as patterns,
        pytest.raises(InputError, match="xfel classify"),
    ):
        score_predictions(toy_model, patterns, predicted(toy_model, [True, True]))


def test_droplets_have_a_row_of_their_own(toy_model, tmp_path):
    """Singles of any shape against droplets alone: 6 droplets of which 2 are kept."""
    path = write_simulated(tmp_path / "torus.h5", 40)
    with h5py.File(path, "r+") as file:
        label = file["entry_1/truth_1/label"]
        values = label[:]
        others = np.flatnonzero(values == LABELS.index("multiple"))
        values[others[:6]] = LABELS.index("droplet")
        label[:] = values
    kept = np.zeros(40, bool)
    with PatternSet.open(path) as patterns:
        kept[patterns.labels == 1] = True
        kept[others[:2]] = True
        torus, droplet = score_predictions(toy_model, patterns, predicted(toy_model, kept))
    assert (torus["shape"], torus["n_single"], torus["n_other"]) == ("torus", 20, 20)
    assert (droplet["shape"], droplet["n_single"], droplet["n_other"]) == ("droplet", 20, 6)
    assert droplet["fpr"] == pytest.approx(2 / 6)
    assert torus["fpr"] == pytest.approx(2 / 20)
