"""Laws of a particle whose body is stretched, hollow, wet or uneven, against its density."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from judge import R_E_NM, momentum_transfer
from xfelspi.errors import InputError
from xfelspi.shapes import make_solid, torus
from xfelspi.simulate import (
    Body,
    Detector,
    Experiment,
    Layer,
    Particle,
    Pulse,
    Scene,
    form_factor_of,
    load_recipe,
    scattered_light,
    without,
)
from xfelspi.simulate.diffract import _components, _on_table, _reach, largest_q_per_nm
from xfelspi.simulate.particle import rotation_matrix, stretched

DETECTOR = Detector(rows=48, columns=48, hole_pixels=0, gap_rows=0, pixel_size_m=6e-4)
PULSE = Pulse(1600.0, 1e11, math.inf)
TURN = (0.6, 0.5, -0.3, math.sqrt(1 - 0.36 - 0.25 - 0.09))
STRETCH = np.array([[1.3, 0.1, 0.0], [0.1, 0.8, -0.2], [0.0, -0.2, 0.9]])
DIAMETER_NM = 40.0


def form_of(solid, extra=0.0, reach=1.0):
    largest = largest_q_per_nm(1600.0, DETECTOR) * reach * DIAMETER_NM / 2.0
    return form_factor_of(solid, largest + extra)


def points_inside(solid, order=26):
    """Places (n, 3) and volumes (n,) that integrate over a tetrahedron: Gauss-Legendre nodes, collapsed."""
    t, w = np.polynomial.legendre.leggauss(order)
    t, w = (t + 1.0) / 2.0, w / 2.0
    a, b, c = np.meshgrid(t, t, t, indexing="ij")
    weights = w[:, None, None] * w[None, :, None] * w[None, None, :] * (1 - a) ** 2 * (1 - b)
    corners = solid.vertices
    edges = corners[1:] - corners[0]
    shares = np.stack([a, (1 - a) * b, (1 - a) * (1 - b) * c], axis=-1).reshape(-1, 3)
    return corners[0] + shares @ edges, weights.ravel() * abs(np.linalg.det(edges))


def light_of(places, electrons, orientation=TURN):
    """Photons in the middle of every pixel from electrons (n,) at places (n, 3) in nm in the body frame."""
    p, z = DETECTOR.pixel_size_m, DETECTOR.distance_m
    u = (np.arange(48) - 23.5) * p
    y, x = np.meshgrid(u, u, indexing="ij")
    q = momentum_transfer(x, y, z, 1600.0).reshape(-1, 3) @ rotation_matrix(orientation)
    wave = np.array([np.exp(-1j * (places @ row)) @ electrons for row in q]).reshape(48, 48)
    r = np.sqrt(x * x + y * y + z * z)
    return R_E_NM**2 * 1e11 * 1e-6 * (1 - (x / r) ** 2) * p * p * z / r**3 * np.abs(wave) ** 2


def close(got, exact):
    difference = np.sqrt(got) - np.sqrt(exact)
    return np.sqrt(np.mean(difference**2)) < 6e-4 * np.sqrt(np.mean(exact))


def test_a_stretched_wet_hollow_uneven_body_is_its_density(crooked):
    """Everything at once on the solid without symmetry, against the integral over its density."""
    form = form_of(crooked, extra=6.0, reach=1.2)
    stretch = stretched(form, STRETCH)
    kappa = (0.12, -0.2, 0.1)
    layers = (Layer(1.2, 150.0), Layer(0.6, -200.0), Layer(1.0, 90.0, kappa, 0.7))
    particle = Particle(form, DIAMETER_NM, 286.0, orientation=TURN, stretch=stretch, layers=layers)
    unit, volume = points_inside(form.solid)
    radius = DIAMETER_NM / 2.0
    places = radius * unit @ stretch.T
    volume = volume * radius**3 * np.linalg.det(stretch)
    rippled = 286.0 + 90.0 * np.cos(places @ np.array(kappa) + 0.7)
    body = [(places, volume * rippled)]
    body += [(size * places, volume * size**3 * density) for size, density in ((1.2, 150.0), (0.6, -200.0))]
    exact = light_of(np.concatenate([r for r, _ in body]), np.concatenate([e for _, e in body]))
    light = scattered_light(Scene((particle,)), PULSE, DETECTOR)
    assert close(light.photons, exact)
    assert particle.electrons == pytest.approx(volume.sum() * (286.0 + 150.0 * 1.2**3 - 200.0 * 0.6**3))
    without_table = Particle(
        form_factor_of(crooked, 1e9), DIAMETER_NM, 286.0, (0, 0, 0), TURN, 1.0, stretch, layers
    )
    assert close(scattered_light(Scene((without_table,)), PULSE, DETECTOR).photons, exact)


def test_stretching_keeps_the_diameter_and_the_handedness(solid):
    form = form_of(solid)
    stretch = stretched(form, STRETCH)
    reach = np.linalg.norm(form.solid.hull_points() @ stretch.T, axis=1)
    assert reach.max() == pytest.approx(1.0, rel=2e-3)
    assert np.linalg.det(stretch) > 0.0
    assert form.solid.hull_points().shape[1] == 3
    assert np.linalg.norm(form.solid.hull_points(), axis=1).max() == pytest.approx(1.0, rel=1e-6)


def test_a_body_that_departs_by_nothing_is_the_body(crooked):
    form = form_of(crooked)
    plain = Particle(form, DIAMETER_NM, 436.0, orientation=TURN)
    same = Particle(
        form, DIAMETER_NM, 136.0, orientation=TURN, stretch=np.eye(3), layers=(Layer(1.0, 300.0),)
    )
    a, b = (scattered_light(Scene((p,)), PULSE, DETECTOR).photons for p in (plain, same))
    assert_allclose(b, a, rtol=1e-4, atol=1e-6 * a.max())


def test_a_hollow_shell_holds_the_difference_of_two_bodies(solid):
    """F_shell(0) = V - V_core; for bodies whose centroid sees everything it is a shell."""
    form = form_of(solid)
    shell = Particle(form, 60.0, 436.0, layers=(Layer(0.8, -436.0),))
    assert shell.electrons == pytest.approx(436.0 * form.solid.volume_nm3 * 30.0**3 * (1 - 0.8**3))


def body_rng():
    return np.random.default_rng(3)


def test_draws_are_as_wide_as_they_say():
    form = form_of(make_solid("icosahedron", 69.0))
    rng = body_rng()
    body = Body(stretch=0.2)
    axes = [np.linalg.eigvalsh(body.draw_stretch(rng, 0.2)) for _ in range(3000)]
    assert np.log(axes).std() == pytest.approx(0.2, rel=0.05)
    body = Body(hydration_nm=1.5, core_probability=0.4, ripple=0.2)
    drawn = [body.draw(rng, form, 69.0, 436.0, None) for _ in range(4000)]
    thickness = np.array([(layers[0].size - 1.0) * 69.0 / 2.0 for _, _, layers in drawn])
    assert thickness.max() <= 4.5
    assert thickness.mean() == pytest.approx(1.5 * (1.0 - math.exp(-3.0)), rel=0.06)
    cores = sum(any(0.0 < layer.size < 1.0 for layer in layers) for _, _, layers in drawn)
    assert abs(cores / 4000 - 0.4) < 0.03
    inside, _, layers = drawn[0]
    assert inside + layers[0].electrons_per_nm3 == pytest.approx(436.0)
    ripple = layers[-1]
    assert ripple.electrons_per_nm3 / math.sqrt(2.0) == pytest.approx(0.2 * 436.0)
    lengths = [2.0 * math.pi / np.linalg.norm(layers[-1].wave_per_nm) / 69.0 for _, _, layers in drawn]
    assert min(lengths) >= 0.5
    assert max(lengths) <= 2.0


def test_rings_stay_solid():
    """A torus shrunk about its centroid pokes into its own hole, so it gets no core and no layer."""
    body = Body(core_probability=1.0, hydration_nm=2.0)
    _, _, layers = body.draw(body_rng(), form_of(torus(60.0)), 60.0, 436.0, None)
    assert layers == ()


SMALL = ["detector.rows=64", "detector.columns=64", "detector.pixel_size_m=1.2e-3"]


FAR = [*SMALL, "detector.distance_m=2.3", "sample.shape=random"]
"""A detector far away, for which small tables do."""


def test_the_random_family_is_a_new_solid_every_shot():
    experiment = Experiment(load_recipe("benchmark", FAR), seed=4)
    shots = [experiment.draw(i) for i in range(400)]
    firsts = [shot.scene.particles[0] for shot in shots]
    assert {id(p.form) for p in firsts} == {id(form) for form in experiment.forms.family}
    assert len({p.stretch.tobytes() for p in firsts}) == 400
    for shot in shots:  # within a shot all are of one kind
        assert len({p.stretch.tobytes() for p in shot.scene.particles}) == 1
        assert len({id(p.form) for p in shot.scene.particles}) == 1
        assert len({p.layers for p in shot.scene.particles}) == 1
    hollow = sum(bool(p.layers) for p in firsts)
    assert abs(hollow / 400 - 0.7) < 0.08
    assert all(p.layers[0].size < 1.0 and p.layers[0].electrons_per_nm3 < 0.0 for p in firsts if p.layers)
    _, truth = experiment.pattern(0)
    assert truth.shape == "random"


def test_an_unknown_shape_is_told_of_the_family_too():
    with pytest.raises(InputError, match=r"choose one of icosahedron, .*, blob, random, or give the path"):
        Experiment(load_recipe("benchmark", ["sample.shape=dodecahedron"]), seed=0)
    with pytest.raises(InputError, match=r"choose one of icosahedron, .*, blob, or give the path"):
        Experiment(load_recipe("benchmark", ["sample.shape=random", "body.family=['random']"]), seed=0)


def test_a_kind_with_a_core_gets_no_second_one():
    body = Body(family_core_probability=1.0, core_probability=1.0)
    form, rng = form_of(make_solid("cube", 69.0)), body_rng()
    kind = body.draw_kind(rng, form)
    _, _, layers = body.draw(rng, form, 69.0, 436.0, kind)
    assert [layer.size for layer in layers] == [kind.core[0]]


def test_a_stretch_that_reaches_beyond_the_table_is_exact():
    """A cube's faces are nearer than its corners: lengthened across one, it outruns the table."""
    form, untabled = (form_factor_of(make_solid("cube", 69.0), extent) for extent in (9.0, 1e9))
    diameter_nm = 1.98 * form.extent / largest_q_per_nm(1600.0, DETECTOR)
    stretch = stretched(form, np.diag([3.0, 1.0, 1.0]))
    assert stretch[0, 0] > 1.5
    turn = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # x of the body along y of the detector
    origin, served = np.array(DETECTOR.middle_yx), []
    for layers in ((), (Layer(0.9, -200.0),)):
        light = []
        for f in (form, untabled):
            particle = Particle(f, diameter_nm, 436.0, orientation=turn, stretch=stretch, layers=layers)
            light.append(scattered_light(Scene((particle,)), PULSE, DETECTOR).photons)
        assert close(*light)
    for matrix in (None, stretch):
        (body,) = _components(Particle(form, diameter_nm, 436.0, orientation=turn, stretch=matrix))
        served.append(_on_table(form, body, _reach(1, (53, 53), PULSE, DETECTOR, origin)))
    assert served == [True, False]


@pytest.mark.parametrize(
    "terms",
    [["body.stretch=0.2"], ["body.core_probability=1.0"], ["body.hydration_nm=1.0"], ["body.ripple=0.2"]],
)
def test_a_term_leaves_the_rest_of_the_shot_alone(terms):
    """Number, places, orientations, sizes, photons and field are those of the shot without the term."""
    plain = Experiment(load_recipe("benchmark", SMALL), seed=4)
    term = Experiment(load_recipe("benchmark", [*SMALL, *terms]), seed=4)
    for i in range(20):
        a, b = plain.draw(i), term.draw(i)
        assert a.pulse == b.pulse
        assert a.photons == b.photons
        assert_allclose(a.field, b.field)
        for p, q in zip(a.scene.particles, b.scene.particles, strict=True):
            assert (p.position_nm, p.orientation, p.diameter_nm) == (
                q.position_nm,
                q.orientation,
                q.diameter_nm,
            )


@pytest.mark.parametrize("term", ["distortion", "cores", "hydration", "ripple"])
def test_terms_of_a_body_take_their_numbers_on_or_off(term):
    """A study leaves one term out and looks at the very same shots without it."""
    full = load_recipe("lcls-amo", [*SMALL, "body.ripple_probability=0.6"])
    both = [Experiment(recipe, seed=4) for recipe in (full, without(full, [term]))]

    def parts(particle):
        waves = {layer.wave_per_nm for layer in particle.layers if any(layer.wave_per_nm)}
        still = [layer for layer in particle.layers if not any(layer.wave_per_nm)]
        return {
            "distortion": None if particle.stretch is None else particle.stretch.tobytes(),
            "cores": [layer.size for layer in still if layer.size < 1.0],
            "hydration": [layer.size for layer in still if layer.size > 1.0],
            "ripple": waves,
        }

    seen = 0
    for i in range(60):
        for one, other in zip(*(each.draw(i).scene.particles for each in both), strict=True):
            with_it, without_it = parts(one), parts(other)
            seen += bool(with_it.pop(term))
            assert not without_it.pop(term)
            assert with_it == without_it
    assert seen > 10


def test_a_ripple_goes_through_the_core_as_well():
    """It multiplies the density, so that what is empty stays empty and nothing is below 0."""
    body = Body(core_probability=1.0, core_density=(0.0, 0.5), ripple=0.7)
    form, rng = form_of(make_solid("cube", 69.0)), body_rng()
    for _ in range(50):
        inside, _, layers = body.draw(rng, form, 69.0, 436.0)
        core = next(layer for layer in layers if layer.size < 1.0)
        mean = inside + core.electrons_per_nm3
        for place in rng.normal(size=(20, 3)):  # nm, well within the core
            waves = sum(
                layer.electrons_per_nm3 * math.cos(np.dot(layer.wave_per_nm, place) + layer.phase)
                for layer in layers
                if any(layer.wave_per_nm)
            )
            assert abs(waves) <= math.sqrt(2.0) * 0.7 * mean + 1e-9
