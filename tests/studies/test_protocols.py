"""Who is trained on what is declared before the run, and what is wrong with it is said by key."""

import numpy as np
import pytest
import trimesh
from toy_geometry import toy_geometry

from xfelspi.errors import InputError
from xfelspi.shapes import GROUPS
from xfelspi.studies import load_geometry
from xfelspi.studies.noise import sweep_recipes
from xfelspi.studies.trainings import trainings
from xfelspi.studies.transfer import Transfer


def of(tmp_path, **changes):
    return load_geometry(str(toy_geometry(tmp_path / "study.toml", **changes)))


def test_the_shipped_study_tests_shapes_that_no_random_body_is_near():
    declared = load_geometry("geometry")
    plan = {training.name: training for training in trainings(declared)}
    assert declared.groups == GROUPS
    for name in ("B", "B-realistic"):
        assert {"soccer", "torus"} <= {s for s in declared.shapes if plan[name].has_seen(s) == "no"}
    assert plan["A"].has_seen("icosahedron") == "yes"
    assert plan["B"].has_seen("cube") == "stretched"
    assert plan["A"].recipe == plan["B"].recipe != plan["B-realistic"].recipe
    assert sweep_recipes(plan["B"], declared.noise)


def test_the_group_left_out_is_not_trained_on_and_all_else_is():
    declared = load_geometry("geometry")
    left = [training for training in trainings(declared) if training.left_out is not None]
    assert [training.left_out for training in left] == list(declared.groups)
    for training in left:
        out = set(declared.groups[training.left_out])
        assert set(training.shapes) | out == set(declared.shapes)
        assert not set(training.shapes) & out


def test_quick_is_smaller_and_keeps_to_what_is_there(tmp_path):
    quick = load_geometry("geometry").as_quick()
    assert quick.seeds == 1
    assert quick.n_train < 2_000
    assert set(quick.noise.shapes) <= set(quick.shapes)
    assert trainings(quick)
    replaced = [('protocols = ["A"]', 'protocols = ["C"]\nshapes = ["sphere", "cube"]')]
    small = of(tmp_path, replaced=replaced).as_quick()
    assert small.groups == {"round": ("sphere",), "all else": ("cube",)}
    assert small.second is small.noise is None  # of a protocol that is not in it


def test_a_value_of_a_sweep_stands_at_its_place_and_changes_one_setting(tmp_path):
    declared = of(tmp_path)
    (a, *_) = trainings(declared)
    recipes = sweep_recipes(a, declared.noise)
    assert declared.noise.sweep[0].places == [1e3, 1e4]
    assert [recipe.beam.photons_per_frame for recipe in recipes["photons"]] == [(1e3, 1e3), (1e4, 1e4)]
    (noisy,) = recipes["read noise"]
    assert noisy.detector.read_noise_photons == 0.3
    assert noisy.beam == a.recipe.beam


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('round = ["sphere"]', 'round = ["egg"]', "groups.round has the shape 'egg'"),
        ('round = ["sphere"]', 'round = ["random"]', "groups.round has the shape 'random'"),
        ('round = ["sphere"]', 'round = ["sphere", "cube"]', "'cube' twice"),
        ('train = ["sphere"]', 'train = ["egg"]', "protocol A: train has the shape 'egg'"),
        ('train = ["sphere"]', "train = []", "protocol A is to train on []"),
        ('train = ["sphere"]', 'train = ["sphere"]\none_group_out = true', "one_group_out is true"),
        ('many = ["cube"]', 'many = ["torus"]', "protocol A: many names 'torus'"),
        ('name = "C"', 'name = "A"', "protocols are A, A"),
        ('name = "C"', 'name = "../up"', "'../up'"),
        ('round = ["sphere"]', '"../up" = ["sphere"]', "group called '../up'"),
        ('recipe = "small"\ntrain', 'recipe = "large"\ntrain', "protocol A: recipe names 'large'"),
        (
            'protocol = "A"\nshapes = ["cube"]',
            'protocol = "C"\nshapes = ["cube"]',
            "second.protocol names 'C'",
        ),
        ('protocol = "A"\nshapes = ["sphere"]', 'protocol = "A"\nshapes = []', "noise.shapes are empty"),
        ('setting = "beam.photons_per_frame"', 'setting = "photons"', "'photons' sets 'photons'"),
        ("values = [0.3]", "values = []", "'read noise' has no values"),
        ("values = [0.3]", 'values = ["much"]', "has the value 'much'"),
        ("epochs = 1\nseeds", "epochs = 0\nseeds", "epochs is 0"),
        ("n_many = 60", "n_many = 1", "n_many is 1"),
        ("n_many = 60", "n_maybe = 60", "no key n_maybe"),
        ('recipe = "benchmark"', 'recipe = "benchmark"\ncolour = 1', "no key recipes.small.colour"),
        ("oracle_shots = 2", "oracle_shot = 2", "no key second.oracle_shot"),
        ('name = "read noise"\n', "", "lacks noise.sweep[1].name"),
    ],
)
def test_a_wrong_declaration_is_refused_by_its_key(tmp_path, old, new, words):
    with pytest.raises(InputError) as caught:
        of(tmp_path, replaced=[(old, new)])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('recipe = "benchmark"', 'recipe = "no-such"', "no-such"),
        ("settings.beam.photons_per_frame = [5e3, 1e5]", "settings.beam.colour = 1", "beam.colour"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path, old, new, words):
    with pytest.raises(InputError, match=words):
        trainings(of(tmp_path, replaced=[(old, new)]))


def test_a_changed_mesh_or_mask_is_another_training(tmp_path):
    """What a file holds decides, not how it is called: its network and patterns are made anew."""
    mesh, mask = tmp_path / "body.stl", tmp_path / "mask.npy"
    replaced = [
        ('["icosahedron", "cube"]', f'["{mesh}", "cube"]'),
        ("settings.detector.rows", f'settings.detector.mask_file = "{mask}"\nsettings.detector.rows'),
    ]
    folders = []
    for extents, rows in (((1, 1, 1), 2), ((1, 1, 2), 2), ((1, 1, 2), 3)):
        trimesh.creation.box(extents).export(mesh)
        np.save(mask, np.arange(64)[:, None] < np.full(64, rows))
        plan = {training.name: training for training in trainings(of(tmp_path, replaced=replaced))}
        transfer = Transfer(tmp_path, load_geometry("geometry"), "", lambda *_: None, print)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("xfelspi.studies.transfer.simulated_file", lambda folder, *_: folder)
            tests = transfer.file(plan["A"].recipe, str(mesh), 40, 0, "test")
        folders.append((plan["C-without-round"].folder, plan["A"].folder, tests))
    first, other_mesh, other_mask = folders
    assert first[0] != other_mesh[0]
    assert first[2] != other_mesh[2]
    assert first[1] == other_mesh[1]  # trains on spheres alone
    assert not set(other_mesh) & set(other_mask)


def test_two_meshes_of_one_name_are_refused_before_anything_is_done(tmp_path):
    with pytest.raises(InputError, match="would have files of one name"):
        of(tmp_path, replaced=[('["icosahedron", "cube"]', '["a/body.stl", "b/body.stl"]')])


def test_no_such_study():
    with pytest.raises(InputError, match="choose one of geometry"):
        load_geometry("fidelity")
