"""The recipe's door: what goes in comes out, and what does not fit is said."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xfelspi.errors import InputError
from xfelspi.simulate import Recipe, load_recipe, recipe_from_dict, recipe_names


@pytest.mark.parametrize("name", ["benchmark", "ideal", "lcls-amo"])
def test_shipped_recipes_load_and_survive_a_round_trip(name):
    recipe = load_recipe(name)
    assert name in recipe_names()
    assert recipe_from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_a_file_is_a_recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text("[sample]\ndiameter_nm = 40\n[beam]\nphotons_per_frame = [1e3, 2e3]\n")
    recipe = load_recipe(str(path), ["sample.shape=torus", "sample.proportions.tube_to_mean=0.3"])
    assert recipe.sample.diameter_nm == 40.0
    assert recipe.sample.shape == "torus"
    assert recipe.sample.proportions == {"tube_to_mean": 0.3}
    assert recipe.beam.photons_per_frame == (1e3, 2e3)
    assert recipe.detector == Recipe().detector


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["sample.diameter_nm=-3"], "sample.diameter_nm is -3"),
        (["sample.diameter_nm=nan"], "sample.diameter_nm is nan"),
        (["sample.diameter_spread=0.9"], "between 0 and 0.2"),
        (["sample.size=3"], "no setting sample.size; there are shape"),
        (["smaple.size=3"], "no setting smaple; there are beam"),
        (["sample.diameter_nm=big"], "sample.diameter_nm is 'big'"),
        (["sample.arrival=never"], "sample.arrival is 'never'"),
        (["detector.rows=3.5"], "detector.rows is 3.5"),
        (["detector.rows=4"], "between 16 and 8192"),
        (["beam.photons_per_frame=[5, 1]"], "low end first"),
        (["beam.transmission=1.5"], "above 0 and up to 1"),
        (["background.flat_fraction=0.7", "background.halo_fraction=0.7"], "add up to 1"),
        (["fluctuation.rms=2"], "between 0 and 1"),
        (["sample.multiplicity=[]"], "up to 15 weights"),
        (["sample.material=cheese"], "no material called 'cheese'"),
        (["diameter_nm=3"], "section.name=value"),
        (["sample.diameter_nm"], "section.name=value"),
        (["sample.shape.kind=3"], "single value"),
    ],
)
def test_what_does_not_fit_is_said_with_its_key(settings, words):
    with pytest.raises(InputError, match=words):
        load_recipe("lcls-amo", ["sample.shape=torus", *settings])


def test_unknown_recipes_and_broken_toml(tmp_path):
    with pytest.raises(InputError, match="no recipe 'lcls'; choose one of benchmark"):
        load_recipe("lcls")
    path = tmp_path / "broken.toml"
    path.write_text("[sample\n")
    with pytest.raises(InputError, match="not valid TOML"):
        load_recipe(str(path))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3)
)
keys = st.sampled_from(
    ["beam", "sample", "detector", "background", "fluctuation", "rows", "diameter_nm", "multiplicity", "rms"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.dictionaries(keys, st.dictionaries(keys, values, max_size=3) | values, max_size=4))
def test_any_dictionary_is_a_recipe_or_one_sentence(tree):
    sentence = ""
    try:
        recipe_from_dict(tree)
    except InputError as error:
        sentence = str(error)
    assert "\n" not in sentence
