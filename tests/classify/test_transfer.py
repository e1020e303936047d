"""A transfer classifier: VGG16's features, a regression on top, and a model that works like any other."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from test_streaming import ToySource
from toy_shots import write_simulated
from toy_vgg import random_weights, write_weights
from typer.testing import CliRunner

from xfelspi.classify import (
    Extractor,
    ModelFrame,
    Predictor,
    TransferConfig,
    fit_logistic,
    load_model,
    load_vgg16,
    train_transfer,
    vgg16_features,
    vgg_features,
)
from xfelspi.classify.scores import find_thresholds
from xfelspi.cli import app
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

CONFIG = TransferConfig(size=32, validation_fraction=0.4, seed=2)


def xfel(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", autouse=True)
def _one_precision():
    """What is compared must not depend on what else the machine does."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("vgg_features", "predict"):
            patch.setattr(f"xfelspi.classify.{module}.fastest", lambda *_, **__: torch.float32)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty toy shots, and weights of VGG16 drawn at random; tests only read them."""
    folder = tmp_path_factory.mktemp("transfer")
    write_weights(folder / "vgg16.safetensors", random_weights())
    write_simulated(folder / "torus.h5", 40)
    return folder


@pytest.fixture(scope="module")
def model_path(folder):
    weights = folder / "vgg16.safetensors"
    return train_transfer([folder / "torus.h5"], weights, CONFIG, out=folder / "runs", name="toy")


@pytest.fixture
def patterns(folder):
    with PatternSet.open(folder / "torus.h5") as opened:
        yield opened


@pytest.fixture(scope="module")
def extractor(folder):
    return Extractor(load_vgg16(folder / "vgg16.safetensors"), size=CONFIG.size)


def test_the_logit_is_the_regression_on_the_features(model_path, extractor, patterns):
    """What `Predictor` says equals features times weights, but that the cache keeps features as float16."""
    model = load_model(model_path)
    last = model.classifier.network.logits
    weight, offset = (tensor[1].detach().numpy() for tensor in (last.weight, last.bias))
    features = vgg16_features(extractor, patterns, frame=model.frame)
    assert features.shape == (40, 512)
    prediction = Predictor(model)(patterns)
    np.testing.assert_allclose(
        prediction.logits, features @ weight + offset, atol=0.02
    )  # float16 in the cache
    assert last.weight[0].abs().max() == last.bias[0] == 0


def test_it_learns_what_is_plain_to_see(model_path):
    model = load_model(model_path)
    validation = model.about["validation"]
    assert (validation["n_single"], validation["n_other"]) == (8, 8)
    assert validation["auc"] > 0.9


def test_thresholds_come_from_the_patterns_held_out(model_path):
    model = load_model(model_path)
    singles, others = model.held.singles, model.held.others
    assert (len(singles), len(others)) == (8, 8)
    logits = np.concatenate([singles, others])
    labels = np.repeat([1, 0], 8)
    clear = (labels == 0) & np.isin(logits, model.thresholds.negatives)
    again = find_thresholds(logits, labels, clear, (labels == 0) & ~clear)
    assert again.balanced == pytest.approx(model.thresholds.balanced, abs=1e-4)
    assert again.at_fpr == pytest.approx(model.thresholds.at_fpr, abs=1e-4)


def test_the_weights_of_vgg16_stay_where_they_are(model_path, folder):
    with safe_open(model_path, "pt") as file:
        of_network = [name for name in file.keys() if name.startswith("classifier.")]  # noqa: SIM118
    assert of_network == ["classifier.network.logits.bias", "classifier.network.logits.weight"]
    page = json.loads(model_path.with_suffix(".json").read_text())
    assert page["weights"] == str(folder / "vgg16.safetensors")
    assert page["architecture"]["sha256"] == load_vgg16(folder / "vgg16.safetensors").sha256
    assert page["architecture"]["convention"] == "bgr"


def test_without_its_weights_a_model_says_what_to_do(model_path, folder, tmp_path, monkeypatch):
    elsewhere, weights = tmp_path / "moved.safetensors", folder / "vgg16.safetensors"
    weights.rename(elsewhere)
    try:
        with pytest.raises(InputError, match="XFELSPI_VGG16") as caught:
            load_model(model_path)
        assert "\n" not in str(caught.value)
        other = write_weights(tmp_path / "other.safetensors", random_weights(seed=1))
        monkeypatch.setenv("XFELSPI_VGG16", str(other))
        with pytest.raises(InputError, match="trained on"):
            load_model(model_path)
        monkeypatch.setenv("XFELSPI_VGG16", str(elsewhere))
        assert load_model(model_path).about["identity"]
    finally:
        elsewhere.rename(weights)


def test_training_again_is_already_done_and_another_is_refused(model_path, folder, monkeypatch):
    monkeypatch.setattr(Extractor, "maps", None)  # nothing is looked at again
    said = []
    files, weights, out = [folder / "torus.h5"], folder / "vgg16.safetensors", folder / "runs"
    assert train_transfer(files, weights, CONFIG, out=out, name="toy", say=said.append) == model_path
    assert said == [f"{model_path} is already trained"]
    for other in (replace(CONFIG, seed=3), replace(CONFIG, transform="sqrt")):
        with pytest.raises(InputError, match="--overwrite"):
            train_transfer(files, weights, other, out=out, name="toy")


def test_what_was_seen_before_a_kill_is_not_computed_again(extractor, patterns, monkeypatch, tmp_path):
    monkeypatch.setenv("XFELSPI_CACHE", str(tmp_path))
    monkeypatch.setattr(vgg_features, "BLOCK", 2)
    seen = []
    look = extractor._ready.look

    def killed(frames):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(len(frames))
        return look(frames)

    monkeypatch.setattr(extractor._ready, "look", killed)
    with pytest.raises(KeyboardInterrupt):
        vgg16_features(extractor, patterns, indices=range(5))
    assert [path.suffix for path in (tmp_path / "vgg16").iterdir()] == [".npy"] * 2
    monkeypatch.setattr(extractor._ready, "look", lambda frames: [seen.append(len(frames)), look(frames)][1])
    told = []
    features = vgg16_features(extractor, patterns, lambda _, done: told.append(done), indices=range(5))
    assert seen == [2, 2, 1]  # the third block alone
    assert told == [0.4, 0.8, 1.0]
    monkeypatch.setattr(extractor._ready, "look", None)
    again = vgg16_features(extractor, patterns, indices=range(5))
    np.testing.assert_array_equal(features, again)
    damaged = next((tmp_path / "vgg16").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-100])
    monkeypatch.setattr(extractor._ready, "look", look)
    np.testing.assert_array_equal(features, vgg16_features(extractor, patterns, indices=range(5)))


def test_other_settings_are_other_features(extractor, folder, patterns):
    roots = Extractor(load_vgg16(folder / "vgg16.safetensors"), transform="sqrt", size=CONFIG.size)
    one, other = (vgg16_features(each, patterns, indices=[0]) for each in (extractor, roots))
    assert not np.allclose(one, other)
    with pytest.raises(InputError, match="128"):
        vgg16_features(extractor, patterns, frame=ModelFrame(size=128))
    with pytest.raises(InputError, match="fc6 and fc7"):
        Extractor(load_vgg16(folder / "vgg16.safetensors"), layer="fc7")


def test_fresh_patterns_are_seen_once(folder, tmp_path):
    source = ToySource(n=16, block=10)
    path = train_transfer(source, folder / "vgg16.safetensors", CONFIG, out=tmp_path)
    assert source.asked == [("held out", 0, 6), ("fresh", 0, 16)]
    about = load_model(path).about
    assert (about["training"]["n"], about["training"]["n_validation"]) == (16, 6)
    assert path.name.startswith("soccer-torus-16-")


def test_its_commands_are_those_of_any_model(model_path, folder, tmp_path):
    data, weights = write_simulated(tmp_path / "few.h5", 12), folder / "vgg16.safetensors"
    command = ("train", "--data", data, "--method", "vgg16", "--weights", weights, "--out", tmp_path)
    trained = xfel(*command)
    assert trained.exit_code == 0, trained.output
    path = Path(trained.output.splitlines()[-1])
    assert path.name.startswith("torus-12-")
    page = json.loads(path.with_suffix(".json").read_text())
    assert page["architecture"]["size"] == 128
    assert page["command"].startswith("xfel")
    scored = xfel("score", "--data", data, "--model", model_path, "--json")
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.stdout)["rows"][0]["auc"] > 0.9
    sorted_out = xfel("classify", data, "--model", model_path, "--out", tmp_path / "sorted")
    assert sorted_out.exit_code == 0, sorted_out.output
    assert len((tmp_path / "sorted.csv").read_text().splitlines()) == 13
    drawn = xfel("explain", model_path, data, "--index", "0,5", "--out", tmp_path / "sheet.png")
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert xfel("explain", model_path, data, "--index", "12").exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--method", "vgg16", "--epochs", 3), "--epochs is for --method resnet"),
        (("--method", "vgg16", "--blocks", "2,2"), "--blocks is for --method resnet"),
        (("--weights", "vgg16.pth"), "--weights is for --method vgg16"),
        (("--layer", "fc7"), "--layer is for --method vgg16"),
        (("--method", "alexnet"), "alexnet"),
        (("--method", "vgg16", "--layer", "conv9"), "conv9"),
        (("--method", "vgg16", "--weights", "nowhere.pth"), "get https"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(folder, options, said):
    refused = xfel("train", "--data", folder / "torus.h5", *options)
    assert refused.exit_code == 2, refused.output
    assert said in refused.output.replace("\n", "")


class TestRegression:
    """Scikit-learn's, with the regularization that serves patterns not learned from."""

    @pytest.fixture
    def drawn(self, rng):
        """Features of which one tells, one is constant, and all have scales of their own."""
        labels = rng.integers(0, 2, 120)
        features = rng.normal(size=(120, 30)).astype(np.float32)
        features[:, 0] += 1.5 * labels
        features[:, 1] = 0
        return features * 10.0 ** rng.integers(-2, 3, 30).astype(np.float32), labels

    def test_it_is_scikit_learns_on_standardized_features(self, drawn):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        features, labels = drawn
        found = fit_logistic(features, labels)
        judge = make_pipeline(
            StandardScaler(), LogisticRegression(C=found.c, class_weight="balanced", max_iter=1000)
        ).fit(features.astype(float), labels)
        np.testing.assert_allclose(found.logits(features), judge.decision_function(features), atol=2e-3)
        assert found.losses[found.c] == min(found.losses.values())

    def test_patterns_that_go_together_do_not_vouch_for_each_other(self, rng):
        """Every pattern there twice, labels tossed: whoever splits pairs believes that it has learned."""
        features = np.repeat(rng.normal(size=(60, 400)), 2, axis=0).astype(np.float32)
        labels, pairs = np.repeat(rng.permutation(60) % 2, 2), np.repeat(np.arange(60), 2)
        fooled, careful = fit_logistic(features, labels), fit_logistic(features, labels, pairs)
        assert min(fooled.losses.values()) < 0.5 * np.log(2)
        assert min(careful.losses.values()) > 0.9 * np.log(2)
        assert careful.c < fooled.c

    def test_same_seed_same_regression(self, drawn):
        one, other = (fit_logistic(*drawn, seed=4) for _ in range(2))
        np.testing.assert_array_equal(one.weight, other.weight)
        assert (one.offset, one.losses) == (other.offset, other.losses)

    def test_too_few_are_refused(self, drawn):
        features, _ = drawn
        with pytest.raises(InputError, match="too few"):
            fit_logistic(features[:5], np.array([1, 0, 0, 0, 0]))
