"""What every form factor obeys, whatever computes it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xfelspi.shapes import (
    Bowl,
    Polyhedron,
    Spheroid,
    Torus,
    blob,
    capsid,
    cylinder,
    icosahedron,
    soccer,
    sphere,
    star,
    tetrahedron,
    torus,
)
from xfelspi.simulate import form_factor
from xfelspi.simulate._polyhedron import polyhedron_transform


@pytest.fixture
def q():
    """Momentum transfers from the centre to far beyond the detector, among them singular directions."""
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(300, 3)) * 10.0 ** rng.uniform(-4, 0, size=(300, 1))
    axes = np.concatenate([np.eye(3), [[1, 1, 0], [0, 1, 1], [1, 1, 1], [1, -1, 0]]]) * 0.3
    return np.concatenate([spread, axes, 1e-12 * axes])


def test_forward_scattering_is_the_volume(solid):
    assert_allclose(form_factor(solid, np.zeros(3)), solid.volume_nm3, rtol=1e-12)


def test_friedel(solid, q):
    assert_allclose(form_factor(solid, -q), form_factor(solid, q).conj(), atol=1e-10 * solid.volume_nm3)


def test_nothing_exceeds_the_forward_direction(solid, q):
    assert np.abs(form_factor(solid, q)).max() <= solid.volume_nm3 * (1 + 1e-12)


def test_the_centroid_is_the_origin(solid):
    """F'(0) = -i ∫ r d³r vanishes: no phase to first order."""
    tiny = 1e-3 / solid.diameter_nm * np.eye(3)
    assert_allclose(form_factor(solid, tiny).imag, 0.0, atol=1e-9 * solid.volume_nm3)


def test_scaling_a_body_scales_its_transform(solid, q):
    """F of a body s times as large is s³ F(s q)."""
    assert_allclose(
        form_factor(solid.scaled(1.7), q), 1.7**3 * form_factor(solid, 1.7 * q), atol=1e-9 * solid.volume_nm3
    )


def test_parseval(solid):
    """∫ |F|² d³q / (2π)³ is the volume: the body is 0 or 1 everywhere."""
    unit = solid.scaled(2.0 / solid.diameter_nm)
    step, n = np.pi / 2.2, 30  # fine enough that copies of the body do not touch: the sum is exact
    axis = (np.arange(-n, n) + 0.5) * step
    q = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    power = (np.abs(form_factor(unit, q)) ** 2).sum() * (step / (2 * np.pi)) ** 3
    # |F|² falls as q⁻⁴ on average, so some of it lies beyond the cube, and never less than nothing.
    assert 0.75 * unit.volume_nm3 < power < unit.volume_nm3


def test_shifting_a_body_is_a_phase(q):
    """The kernel takes any corners: moved by t they give F exp(-i q.t)."""
    solid = soccer(69.0)
    t = np.array([12.0, -7.0, 30.0])
    here, there = np.empty((2, len(q)), dtype=complex)
    polyhedron_transform(q, solid.vertices, solid.triangles, here)
    polyhedron_transform(q, solid.vertices + t, solid.triangles, there)
    assert_allclose(there, here * np.exp(-1j * q @ t), atol=1e-9 * solid.volume_nm3)


def test_an_affine_stretch_is_free(q):
    """F_A(q) = |det A| F(Aᵀ q)."""
    solid = icosahedron(69.0)
    a = np.array([[1.2, 0.1, 0.0], [0.0, 0.8, 0.3], [0.1, 0.0, 1.1]])
    stretched = Polyhedron(solid.vertices @ a.T, solid.triangles)
    expected = np.linalg.det(a) * form_factor(solid, q @ a)
    assert_allclose(form_factor(stretched, q), expected, atol=1e-9 * solid.volume_nm3)


def test_a_cube_is_three_sincs(q):
    half = 20.0
    corners = half * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    from xfelspi.shapes import convex_polyhedron

    cube = convex_polyhedron(corners, 2.0 * half * np.sqrt(3.0))
    expected = np.prod(2.0 * half * np.sinc(q * half / np.pi), axis=1)
    assert_allclose(form_factor(cube, q), expected, atol=1e-10 * cube.volume_nm3)


def test_singular_directions_are_limits():
    """On q ∥ edge, q ⊥ face and q → 0 the value is what the neighbourhood tends to."""
    solid = icosahedron(69.0)
    a, b, c = solid.vertices[solid.triangles[0]]
    edge, normal = b - a, np.cross(b - a, c - a)
    for direction in (edge, normal, solid.vertices[0], a + b + c):
        direction = direction / np.linalg.norm(direction)
        beside = np.cross(direction, [0.3, 0.5, 0.7])
        for size in (1e-14, 1e-7, 1e-3, 0.0145, 0.3, 3.0):
            at, near = size * direction, size * (direction + 1e-9 * beside)
            assert_allclose(form_factor(solid, at), form_factor(solid, near), atol=1e-7 * solid.volume_nm3)


def test_a_fine_mesh_of_a_sphere_is_a_sphere(q):
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=5, radius=34.5)
    mesh = Polyhedron(ball.vertices, ball.faces)
    exact = sphere(69.0)
    q = q[:80]
    relative = form_factor(mesh, q) / mesh.volume_nm3 - form_factor(exact, q) / exact.volume_nm3
    assert np.abs(relative).max() < 1e-3


def test_a_fine_mesh_of_a_torus_is_the_integral(q):
    import trimesh

    exact = torus(69.0)
    ring = trimesh.creation.torus(exact.mean_radius_nm, exact.tube_radius_nm, 192, 96)
    mesh = Polyhedron(ring.vertices, ring.faces)
    q = q[::4]
    relative = form_factor(mesh, q) / mesh.volume_nm3 - form_factor(exact, q) / exact.volume_nm3
    assert np.abs(relative).max() < 1e-3


def test_the_torus_integral_has_converged():
    """Points summed with distant ones get more nodes; the value must not care."""
    ring = Torus(20.0, 9.0)
    rng = np.random.default_rng(2)
    q = rng.normal(size=(50, 3)) * 0.4
    far = np.concatenate([q, [[40.0, 0.0, 0.0]]])
    assert_allclose(form_factor(ring, far)[:-1], form_factor(ring, q), atol=1e-12 * ring.volume_nm3)


def relative_difference(mesh, solid, q):
    return np.abs(form_factor(mesh, q) / mesh.volume_nm3 - form_factor(solid, q) / solid.volume_nm3).max()


def test_a_spheroid_is_a_stretched_sphere(q):
    """F_A(q) = |det A| F(Aᵀ q)."""
    axes = np.array([20.0, 20.0, 34.5])
    expected = axes.prod() * form_factor(sphere(2.0), q * axes)
    assert_allclose(form_factor(Spheroid(20.0, 34.5), q), expected, rtol=1e-9, atol=1e-12 * axes.prod())


def test_a_fine_mesh_of_a_cylinder_is_the_closed_form(q):
    import trimesh

    exact = cylinder(69.0, length_to_width=1.3)
    mesh = trimesh.creation.cylinder(exact.radius_nm, exact.length_nm, sections=400)
    assert relative_difference(Polyhedron(mesh.vertices, mesh.faces), exact, q[::3]) < 1e-3


def test_a_fine_mesh_of_a_bowl_is_the_integral(q):
    import trimesh

    exact = Bowl(40.0, 24.0)
    turn = np.linspace(0.0, np.pi / 2.0, 97)
    outer = 40.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    inner = 24.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)[::-1]
    ring = np.concatenate([inner, outer, inner[:1]])
    mesh = trimesh.creation.revolve(ring, sections=192)
    mesh.fix_normals()
    mesh = Polyhedron(mesh.vertices, mesh.faces)
    assert relative_difference(mesh, exact, q[::4]) < 1e-3
    assert_allclose(mesh.volume_nm3, exact.volume_nm3, rtol=1e-3)


def test_a_capsid_is_an_icosahedron_less_a_smaller_one(q):
    whole, part = icosahedron(69.0), icosahedron(0.8 * 69.0)
    hollow = form_factor(capsid(69.0, inner_to_outer=0.8), q)
    assert_allclose(hollow, form_factor(whole, q) - form_factor(part, q), atol=1e-10 * whole.volume_nm3)


def test_a_star_is_two_tetrahedra_less_what_they_share(q):
    """The shared part is an octahedron, whose corners are the middles of a tetrahedron's edges."""
    body = star(69.0)
    one = tetrahedron(69.0)
    other = Polyhedron(-one.vertices, one.triangles[:, ::-1])
    from xfelspi.shapes import octahedron

    shared = octahedron(69.0 / 3**0.5)
    expected = form_factor(one, q) + form_factor(other, q) - form_factor(shared, q)
    assert_allclose(form_factor(body, q), expected, atol=1e-9 * body.volume_nm3)


def test_a_fine_mesh_of_a_blob_is_the_sum_over_cones(q):
    from scipy.spatial import ConvexHull

    body = blob(69.0, seed=3)
    tips, _ = body.cones(56)
    tips = np.concatenate([tips, -tips])
    triangles = ConvexHull(tips / np.linalg.norm(tips, axis=1)[:, None]).simplices
    a, b, c = (tips[triangles[:, i]] for i in range(3))
    inward = np.einsum("ij,ij->i", a, np.cross(b, c)) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    assert relative_difference(Polyhedron(tips, triangles), body, q[::12]) < 2e-3


def test_the_blobs_quadrature_has_converged():
    """Every shell of |q| has nodes enough: twice as many change nothing."""
    from xfelspi.simulate._cones import cone_transform

    body = blob(2.0, seed=3, roughness=0.2)
    rng = np.random.default_rng(5)
    q = rng.normal(size=(60, 3))
    q *= (np.linspace(0.0, 60.0, 60) / np.linalg.norm(q, axis=1))[:, None]
    finer = np.empty(len(q))
    cone_transform(q, *body.cones(80), finer)
    assert_allclose(form_factor(body, q), finer, atol=1e-7 * body.volume_nm3)


@pytest.mark.kernel
def test_a_cone_is_its_integral():
    """g(x) = ∫ t² cos(xt) dt, small and large x, against Gauss-Legendre nodes."""
    from xfelspi.simulate._cones import cone_transform

    x = np.concatenate([[0.0], np.logspace(-8, 2, 60), [0.3464, 0.3465]])
    q = np.stack([x, 0 * x, 0 * x], axis=1)
    out = np.empty(len(x))
    cone_transform(q, np.array([[1.0, 0.0, 0.0]]), np.array([1.0]), out)
    t, w = np.polynomial.legendre.leggauss(100)
    t, w = (t + 1) / 2, w / 2
    assert_allclose(out, np.cos(np.outer(x, t)) @ (w * t * t), atol=2e-14)
