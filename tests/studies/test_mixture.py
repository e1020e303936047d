"""A model is declared before it is trained: which recipes take turns, and what each keeps of its own."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.errors import InputError
from xfelspi.simulate import load_recipe
from xfelspi.studies.box import train_declared
from xfelspi.studies.mixture import load_mixture

TOY = """
n = 48
epochs = 2
validation_fraction = 0.25
[augmentation]
relief = 0.2
[settings]
beam.photons_per_frame = [5e3, 1e5]
detector.rows = 64
detector.columns = 64
[[ingredient]]
name = "plain"
recipe = "benchmark"
turns = 2
[[ingredient]]
name = "wide"
recipe = "lcls-amo"
binned = 2
settings.sample.shape = "sphere"
[quick]
n = 24
epochs = 1
"""


def toy(folder, *changes):
    """Write the toy mixture with some text replaced; return its path."""
    text = TOY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "toy.toml"
    path.write_text(text)
    return str(path)


def test_the_shipped_mixture_is_blind_to_brightness_and_sees_several_scales():
    declared = load_mixture("model")
    recipes = declared.recipes()
    assert len(recipes) == sum(one.turns for one in declared.ingredient)
    assert all(recipe.beam.photons_per_frame is not None for recipe in recipes)
    assert {recipe.sample.shape for recipe in recipes} == {"random"}
    scales = {recipe.sample.diameter_nm * recipe.detector.pixel_size_m for recipe in recipes}
    assert max(scales) / min(scales) > 3.0


def test_recipes_have_their_turns_spread_over_a_round(tmp_path):
    shapes = [recipe.sample.shape for recipe in load_mixture(toy(tmp_path)).recipes()]
    assert shapes == ["icosahedron", "sphere", "icosahedron"]


def test_binned_pixels_see_the_same_field_and_keep_the_angles(tmp_path):
    declared = load_mixture(toy(tmp_path))
    wide, whole = declared.recipe_of(declared.ingredient[1]), load_recipe("lcls-amo")
    assert wide.detector.shape == (32, 32)
    assert wide.detector.pixel_size_m == pytest.approx(600e-6)
    assert wide.background.halo_decay_pixels == whole.background.halo_decay_pixels / 2
    assert wide.beam.centre_jitter_pixels == whole.beam.centre_jitter_pixels / 2
    assert wide.sample.diameter_nm == whole.sample.diameter_nm


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("turns = 2", "turns = 0", "ingredient plain: turns is 0"),
        ("turns = 2", "turn = 2", "no key ingredient[0].turn"),
        ('name = "wide"', 'name = "plain"', "a name of its own"),
        ('name = "wide"', 'name = "../up"', "'../up'"),
        ("relief = 0.2", "releif = 0.2", "no key augmentation.releif"),
        ("n = 48", "n = 1", "n is 1"),
        ("validation_fraction = 0.25", "validation_fraction = 2.0", "validation fraction is 2"),
        ("epochs = 1\n", "epochs = 0\n", "quick.epochs is 0"),
    ],
)
def test_a_wrong_mixture_is_refused_by_its_key(tmp_path, old, new, words):
    with pytest.raises(InputError) as caught:
        load_mixture(toy(tmp_path, (old, new)))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("beam.photons_per_frame = [5e3, 1e5]", "beam.n_modes = 9", "learn brightness"),
        ('settings.sample.shape = "sphere"', "settings.sample.colour = 1", "sample.colour"),
        ('recipe = "lcls-amo"', 'recipe = "nowhere"', "no recipe 'nowhere'"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path, old, new, words):
    with pytest.raises(InputError, match=words):
        load_mixture(toy(tmp_path, (old, new))).recipes()


def test_a_declared_model_says_how_it_came_to_be_and_is_not_trained_twice(tmp_path):
    declared, lines = toy(tmp_path), []
    path = train_declared(tmp_path, study=declared, name="toy", command="typed", tell=lines.append)
    page = json.loads(path.with_suffix(".json").read_text())
    (data,) = page["training"]["data"]
    assert [recipe["detector"]["rows"] for recipe in data["recipes"]] == [64, 32, 64]
    assert data["shapes"] == ["icosahedron", "sphere", "icosahedron"]
    assert page["training"]["settings"]["augmentation"]["relief"] == 0.2
    assert (page["training"]["n"], page["training"]["n_validation"], page["command"]) == (48, 12, "typed")
    curve = page["curve"]
    assert [row["epoch"] for row in curve] == [1, 2]
    assert curve[0]["seconds"] < curve[1]["seconds"]
    assert all({"auc", "auc_clear", "loss"} <= row.keys() for row in curve)
    before = path.read_bytes()
    train_declared(tmp_path, study=declared, name="toy", overwrite=True, tell=lines.append)
    assert lines[-1].endswith("is already trained")
    assert path.read_bytes() == before


def test_killed_it_goes_on_and_ends_the_same(tmp_path):
    import torch
    from safetensors.torch import load_file

    code = (
        "import os, signal, sys, torch; from pathlib import Path; from xfelspi.classify import learning;"
        "from xfelspi.studies.box import train_declared\n"
        "learning.fastest = lambda *_, **__: torch.float32\n"
        "def tell(line):\n"
        "    line.startswith('epoch ') and sys.argv[2] == 'kill' and os.kill(os.getpid(), signal.SIGKILL)\n"
        "train_declared(Path(sys.argv[1]), study=sys.argv[3], name='toy', tell=tell)\n"
    )
    declared = toy(tmp_path)

    def run(folder, how):
        command = [sys.executable, "-c", code, str(tmp_path / folder), how, declared]
        return subprocess.run(command, check=False, env=os.environ).returncode

    assert run("killed", "kill") == -signal.SIGKILL
    left = {path.name for path in (tmp_path / "killed").iterdir()}
    assert left == {"toy.part", "toy.safetensors.lock"}
    assert run("killed", "go on") == run("whole", "go on") == 0
    one, other = (load_file(tmp_path / folder / "toy.safetensors") for folder in ("killed", "whole"))
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], rtol=0, atol=0, msg=name)


def test_the_command_trains_what_is_declared(tmp_path):
    declared = toy(tmp_path)
    options = ["study", "model", "--study", declared, "--quick", "--name", "ours", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "ours.safetensors")
    assert "plain x 2, wide x 1" in result.stderr
    assert json.loads((tmp_path / "ours.json").read_text())["training"]["n"] == 24
    again = CliRunner().invoke(app, [*options[:4], "--name", "ours", "--out", str(tmp_path)])
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_quick_is_smaller(tmp_path):
    quick = load_mixture(toy(tmp_path)).as_quick()
    assert (quick.n, quick.epochs, quick.seed) == (24, 1, 0)
    assert quick.recipes() == load_mixture(toy(tmp_path)).recipes()
