"""The random family keeps away from the shapes that it is to be tested on."""

import numpy as np
import pytest

from xfelspi.shapes import SHAPES, make_solid
from xfelspi.simulate import Body, FormFactor, Particle
from xfelspi.simulate.nearness import difference, nearness_profile
from xfelspi.simulate.table import NO_TABLE

UNSEEN = ("soccer", "torus")


def body_of(shape, **proportions):
    return Particle(FormFactor(make_solid(shape, 2.0, proportions), NO_TABLE, 0.0), 2.0, 1.0)


@pytest.fixture(scope="module")
def unseen():
    return {shape: nearness_profile(body_of(shape)) for shape in UNSEEN}


def test_size_and_density_drop_out():
    small = body_of("torus")
    large = Particle(small.form, 70.0, 436.0)
    assert difference(nearness_profile(small), nearness_profile(large)) < 1e-6


def test_the_profile_of_a_ball_is_guiniers():
    """3 (sin x - x cos x) / x³ at x = q R, R_g² = 3 R² / 5."""
    x = np.linspace(1.0, 8.0, 71) / np.sqrt(0.6)
    expected = (3.0 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    assert np.abs(nearness_profile(body_of("sphere")) - expected).max() < 1e-3


def test_what_looks_alike_is_near(unseen):
    """The ladder by which the numbers are read: a ball is near a soccer ball, a disc near a torus."""
    ladder = [difference(nearness_profile(body_of(s)), unseen["soccer"]) for s in ("sphere", "cube", "torus")]
    assert ladder[0] < 0.15 < 0.3 < ladder[1] < ladder[2]
    ladder = [difference(nearness_profile(body_of(s)), unseen["torus"]) for s in ("disc", "cube")]
    assert ladder[0] < 0.2 < 0.3 < ladder[1]


def test_every_member_is_far_from_what_is_never_seen(unseen):
    body = Body()
    assert {shape for shape, _ in body.family_members()} <= set(SHAPES) - {*UNSEEN, "sphere", "icosahedron"}
    for shape, proportions in body.family_members():
        profile = nearness_profile(body_of(shape, **proportions))
        for name in UNSEEN:
            assert difference(profile, unseen[name]) > 0.3, (shape, name)


@pytest.mark.parametrize(
    "body",
    [Body(), Body(family_core_probability=1.0, core_size=(0.5, 0.95), core_density=(0.0, 0.3))],
    ids=["as it is", "hollow, as in the geometry study"],
)
def test_stretched_and_hollowed_they_stay_away(unseen, body):
    """0.3 from the soccer ball and 0.2 from the torus: farther than an icosahedron and a disc are."""
    rng = np.random.default_rng(7)
    for shape, proportions in body.family_members():
        form = body_of(shape, **proportions).form
        for _ in range(12):
            _, stretch, layers = body.draw(rng, form, 2.0, 1.0, body.draw_kind(rng, form))
            profile = nearness_profile(Particle(form, 2.0, 1.0, stretch=stretch, layers=layers), 80)
            assert difference(profile, unseen["soccer"]) > 0.3, (shape, layers)
            assert difference(profile, unseen["torus"]) > 0.2, (shape, layers)
