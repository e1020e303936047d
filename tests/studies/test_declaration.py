"""A study is declared before it runs, and what is wrong with it is said by key."""

import dataclasses

import pytest
from toy_study import ALL, FIRST, toy_toml

from xfelspi.errors import InputError
from xfelspi.simulate import TERMS, load_recipe, without
from xfelspi.studies import load_declaration
from xfelspi.studies.ladder import full_recipe, ladder, left_out


def test_the_shipped_study_names_every_term_and_climbs_to_the_full_recipe():
    declared = load_declaration("fidelity")
    rungs = ladder(declared)
    full = full_recipe(declared)
    assert rungs[-1].recipe == full
    assert rungs[0].recipe == without(full, list(TERMS))
    assert {rung.name: rung.seeds for rung in rungs}["full"] == 3
    assert {variant.changes[0] for variant in left_out(declared, rungs)} <= set(TERMS)
    assert ladder(declared.as_quick())[-1].recipe == full


def test_rungs_switch_on_what_they_add_and_nothing_else(tmp_path):
    ladder_of = [("ideal", []), *((f"rung-{i}", [term]) for i, term in enumerate(TERMS))]
    declared = load_declaration(str(toy_toml(tmp_path / "s.toml", ladder=ladder_of, confirm=[])))
    rungs = ladder(declared)
    on = []
    for rung, term in zip(rungs[1:], TERMS, strict=True):
        on.append(term)
        off = [other for other in TERMS if other not in on]
        assert rung.recipe == without(full_recipe(declared), off)


def test_two_variants_of_one_recipe_share_a_folder(tmp_path):
    """Without the term of the last rung is the rung before: it is not computed twice."""
    *lower, last = ALL
    path = toy_toml(
        tmp_path / "s.toml", ladder=[("ideal", []), ("most", lower), ("full", [last])], leave_out=[last]
    )
    declared = load_declaration(str(path))
    rungs = ladder(declared)
    (without_last,) = left_out(declared, rungs)
    assert without_last.folder == rungs[1].folder
    assert len({rung.folder for rung in rungs}) == 3


def test_quick_keeps_the_terms_of_the_rungs_it_skips(tmp_path):
    path = toy_toml(tmp_path / "s.toml", ladder=[("ideal", []), ("most", ALL[:-1]), ("full", ALL[-1:])])
    quick = load_declaration(str(path)).as_quick()
    assert [rung.name for rung in quick.rung] == ["ideal", "full"]
    assert quick.rung[1].adds == tuple(ALL)
    assert (quick.n_train, quick.epochs, quick.seeds_to_confirm, quick.leave_out) == (40, 1, 1, ())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ladder": [("ideal", []), ("full", ALL[1:])]}, f"forgets {FIRST}"),
        ({"ladder": [("ideal", []), ("full", [*ALL, "dark-matter"])]}, "rung[1].adds has 'dark-matter'"),
        ({"ladder": [("ideal", []), ("full", [*ALL, FIRST])]}, "rung[1].adds"),
        ({"ladder": [("ideal", [FIRST]), ("full", ALL[1:])]}, "rung[0].adds"),
        ({"ladder": [("ideal", []), ("ideal", ALL)]}, "rung[1].name"),
        ({"ladder": [("ideal", []), ("../up", ALL)]}, "rung[1].name"),
        ({"ladder": [("full", [])]}, "1 [[rung]]"),
        ({"leave_out": ["dark-matter"]}, "leave_out has 'dark-matter'"),
        ({"confirm": ["top"]}, "confirm names 'top'"),
        ({"epochs": 0}, "epochs is 0"),
        ({"n_train": "many"}, "n_train is 'many'"),
        ({"n_test": 3}, "n_test is 3"),
        ({"shapes": []}, "shapes"),
        ({"epoch": 3}, "no key epoch"),
        ({"recipe": None}, "recipe"),
    ],
)
def test_a_wrong_declaration_is_refused_by_its_key(tmp_path, changes, words):
    changes = {key: value for key, value in changes.items() if value is not None} | (
        {"recipe": 7} if "recipe" in changes else {}
    )
    path = toy_toml(tmp_path / "s.toml", **changes)
    with pytest.raises(InputError) as caught:
        load_declaration(str(path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('recipe = "lcls-amo"\n', "", "lacks recipe"),
        ("[[rung]]", "[[rungs]]", "no key rungs"),
        ('name = "full"', 'name = "full"\nplus = 1', "no key rung[1].plus"),
        ("epochs = 1\n", "epochs = \n", "not valid TOML"),
        ("n_train = 40", "n_train = 1", "quick.n_train is 1"),
    ],
)
def test_a_slip_of_the_pen_is_named(tmp_path, old, new, words):
    path = toy_toml(tmp_path / "s.toml", confirm=[])
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=words.replace("[", r"\[")):
        load_declaration(str(path))


def test_no_such_study():
    with pytest.raises(InputError, match="choose one of fidelity"):
        load_declaration("no-such")


def test_a_wrong_setting_is_named(tmp_path):
    declared = load_declaration(str(toy_toml(tmp_path / "s.toml")))
    for settings, words in (
        ({"beam": {"photons_per_frame": [5e3, 1e5], "colour": 1}}, "beam.colour"),
        ({"beam": {}}, "beam.photons_per_frame"),  # brightness would be a cue
    ):
        with pytest.raises(InputError, match=words):
            full_recipe(dataclasses.replace(declared, settings=settings))
    assert load_recipe("lcls-amo").beam.photons_per_frame is None
