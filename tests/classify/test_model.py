"""A model is two files that belong together, and no pickle is ever opened."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import xfelspi.classify
from xfelspi.classify import Architecture, Classifier, Inputs, load_model
from xfelspi.classify.model import save_model
from xfelspi.errors import InputError


@pytest.fixture
def copy(toy_model, tmp_path):
    """A model of one's own, to be damaged."""
    path = tmp_path / "copy.safetensors"
    save_model(toy_model, path)
    return path


def test_what_is_saved_comes_back(toy_model, copy):
    loaded = load_model(copy)
    for name, tensor in toy_model.classifier.state_dict().items():
        assert torch.equal(tensor, loaded.classifier.state_dict()[name])
    assert (loaded.architecture, loaded.frame) == (toy_model.architecture, toy_model.frame)
    assert loaded.thresholds.balanced == toy_model.thresholds.balanced
    assert loaded.thresholds.at_fpr == toy_model.thresholds.at_fpr
    assert (loaded.thresholds.negatives == toy_model.thresholds.negatives).all()
    assert loaded.calibration == toy_model.calibration
    assert loaded.familiarity.limit == toy_model.familiarity.limit
    for one, other in (
        (loaded.familiarity.mean, toy_model.familiarity.mean),
        (loaded.familiarity.whitening, toy_model.familiarity.whitening),
        (loaded.held.singles, toy_model.held.singles),
        (loaded.held.others, toy_model.held.others),
    ):
        np.testing.assert_array_equal(one, other)
    assert loaded.about == toy_model.about


def test_a_model_of_an_older_format_is_one_sentence(copy):
    change_page("format", "xfelspi classifier 1")(copy)
    with pytest.raises(InputError, match="train the model again"):
        load_model(copy)


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture(blocks=(1, 2), width=0.5, pooling="mean+max"),
        Architecture(inputs=Inputs(transform="log", rings=True)),
        Architecture(inputs=Inputs(views=("pattern", "patterson", "polar")), fusion="late", width=0.5),
        Architecture(size=256, inputs=Inputs(views=("pattern", "wide"))),
    ],
)
def test_a_model_comes_back_with_its_settings(toy_model, tmp_path, architecture):
    torch.manual_seed(1)
    frame = replace(toy_model.frame, size=architecture.size)
    model = replace(
        toy_model, architecture=architecture, frame=frame, classifier=Classifier(architecture).eval()
    )
    save_model(model, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model")
    assert loaded.architecture == architecture
    frames = torch.poisson(torch.ones(2, architecture.size, architecture.size))
    assert torch.equal(loaded.classifier.eval()(frames), model.classifier(frames))


def test_either_file_names_the_model(copy):
    for name in (copy, copy.with_suffix(".json"), copy.with_suffix("")):
        assert load_model(name).about == load_model(copy).about


def test_the_page_says_how_the_model_came_to_be(toy_model_path, toy_file):
    page = json.loads(toy_model_path.with_suffix(".json").read_text())
    assert {"network": "pooled", "blocks": [1, 1], "size": 128}.items() <= page["architecture"].items()
    assert page["command"] == "typed"
    assert page["training"]["settings"]["seed"] == 3
    (source,) = page["training"]["data"]
    assert (source["file"], source["n"], source["shapes"]) == (str(toy_file), 240, ["torus"])
    assert source["recipe"] == {"name": "toy"}
    assert [row["epoch"] for row in page["curve"]] == [1, 2, 3]
    assert 0 < page["curve"][0]["seconds"] < page["curve"][2]["seconds"]
    assert page["validation"]["auc"] > 0.99
    assert {"xfelspi", "torch"} <= page["versions"].keys()


def pickled(path):
    torch.save({"weight": torch.zeros(2)}, path)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def other_page(path):
    path.with_suffix(".json").write_text('{"epochs": 3}')


def page_cut_short(path):
    page = path.with_suffix(".json")
    page.write_text(page.read_text()[:200])


def change_page(name, value):
    def change(path):
        page = path.with_suffix(".json")
        page.write_text(json.dumps(json.loads(page.read_text()) | {name: value}))

    return change


@pytest.mark.parametrize(
    "damage",
    [
        pickled,
        cut_short,
        other_page,
        page_cut_short,
        lambda path: path.unlink(),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: path.with_suffix(".json").write_bytes(b"\xff\x00"),
        lambda path: path.with_suffix(".json").write_text("[]"),
        change_page("architecture", {"network": "pooled", "blocks": [2, 2], "size": 128}),
        change_page("architecture", {"network": "elsewhere", "blocks": [1, 1], "size": 128}),
        change_page("architecture", 7),
        change_page("frame", {"size": 64, "q_per_pixel_per_nm": 0.004}),
        change_page("threshold_logit", None),
        change_page("threshold_logit", float("nan")),
        change_page("threshold_logit_at_fpr", {}),
        change_page("calibration", {"slope": -1.0, "offset": 0.0, "lowest": 0.0, "highest": 1.0}),
        change_page("calibration", {"slope": 1.0}),
        change_page("familiarity_limit", 0.0),
    ],
)
def test_anything_else_is_refused_in_one_sentence(copy, damage):
    damage(copy)
    with pytest.raises(InputError) as caught:
        load_model(copy)
    assert "copy" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["patterns.h5", "model.pt", "nothing"])
def test_a_file_that_is_no_model_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(InputError, match="model"):
        load_model(tmp_path / name)


def test_no_pickle_is_ever_opened():
    """Nor any that may hold more than weights, as those of others do who write .pth."""
    unsafe = r"torch\.load\b(?!.*weights_only=True\))|import pickle|joblib|allow_pickle=True|torch\.save\b"
    for path in Path(xfelspi.classify.__file__).parent.glob("*.py"):
        assert not re.search(unsafe, path.read_text("utf-8")), path
