"""What every form factor obeys, whatever computes it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xfelspi.shapes import Polyhedron, Torus, icosahedron, soccer, sphere, torus
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
