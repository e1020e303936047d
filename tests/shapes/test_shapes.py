"""The catalogue and the door for meshes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xfelspi.errors import InputError
from xfelspi.shapes import SHAPES, Solid, Torus, icosahedron, load_mesh, make_solid, soccer, torus


def test_every_shape_has_the_diameter_it_was_asked_for(solid):
    assert isinstance(solid, Solid)
    assert_allclose(solid.diameter_nm, 69.0, rtol=1e-9)


def test_volume_grows_with_the_cube_of_size(solid):
    assert_allclose(solid.scaled(2.0).volume_nm3, 8.0 * solid.volume_nm3, rtol=1e-9)


def test_a_fingerprint_tells_geometries_apart_and_survives_scaling(solid):
    assert solid.scaled(3.0).scaled(1 / 3.0).fingerprint() == solid.fingerprint()
    assert solid.scaled(1.001).fingerprint() != solid.fingerprint()


def test_closed_form_volumes():
    """Icosahedron 5 (3 + √5) a³ / 12; truncated icosahedron (125 + 43 √5) a³ / 4; both from their edge."""
    for solid, factor in (
        (icosahedron(60.0), 5 * (3 + 5**0.5) / 12),
        (soccer(60.0), (125 + 43 * 5**0.5) / 4),
    ):
        apart = np.linalg.norm(solid.vertices[:, None] - solid.vertices[None], axis=2)
        edge = apart[apart > 1e-6].min()
        assert_allclose(solid.volume_nm3, factor * edge**3, rtol=1e-9)


def test_a_thin_torus_is_a_rod_bent_round():
    ring = torus(60.0, tube_to_mean=0.01)
    assert_allclose(ring.volume_nm3, 2 * np.pi * ring.mean_radius_nm * np.pi * ring.tube_radius_nm**2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_solid("dodecahedron", 60.0), "no shape called 'dodecahedron'"),
        (lambda: make_solid("torus", 60.0, {"tube": 0.2}), "tube_to_mean"),
        (lambda: make_solid("sphere", 60.0, {"tube": 0.2}), "no proportions"),
        (lambda: torus(60.0, tube_to_mean=1.5), "tube_to_mean of a torus is 1.5; it must lie between 0.001"),
        (lambda: torus(60.0, tube_to_mean=-1.0), "tube_to_mean of a torus is -1; it must"),
        (lambda: make_solid("torus", 60.0, {"tube_to_mean": 1e-300}), "tube_to_mean of a torus is 1e-300"),
        (lambda: make_solid("torus", 60.0, {"tube_to_mean": float("nan")}), "tube_to_mean of a torus is nan"),
        (lambda: make_solid("a\0b.stl", 60.0), "no mesh file"),
        (lambda: make_solid("long" * 2000 + ".stl", 60.0), "no mesh file"),
        (lambda: Torus(10.0, -1.0), "cannot have a tube radius"),
        (lambda: make_solid("nowhere.stl", 60.0), "no mesh file nowhere.stl"),
    ],
)
def test_what_cannot_be_made_is_said(call, words):
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply"])
def test_meshes_of_every_format_are_the_same_body(tmp_path, suffix):
    import trimesh

    original = soccer(2.0)
    path = tmp_path / f"ball{suffix}"
    trimesh.Trimesh(original.vertices * 1e-3, original.triangles).export(path)
    loaded = load_mesh(path, 69.0)
    assert_allclose(loaded.volume_nm3, soccer(69.0).volume_nm3, rtol=1e-5)
    assert_allclose(loaded.diameter_nm, 69.0)


def test_a_mesh_turned_inside_out_is_turned_back(tmp_path):
    import trimesh

    body = icosahedron(2.0)
    trimesh.Trimesh(body.vertices, body.triangles[:, ::-1], process=False).export(tmp_path / "inside.stl")
    assert load_mesh(tmp_path / "inside.stl", 2.0).volume_nm3 > 0


def test_an_open_mesh_is_refused(tmp_path):
    import trimesh

    body = icosahedron(2.0)
    trimesh.Trimesh(body.vertices, body.triangles[1:]).export(tmp_path / "open.stl")
    with pytest.raises(InputError, match="not watertight"):
        load_mesh(tmp_path / "open.stl", 2.0)


@pytest.mark.parametrize("content", [b"", b"solid nothing\nendsolid nothing\n", b"\x00\x01\x02 not a mesh"])
def test_a_broken_mesh_file_is_refused(tmp_path, content):
    path = tmp_path / "broken.stl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.stl"):
        load_mesh(path, 2.0)


def test_the_catalogue_is_what_the_command_line_offers():
    assert set(SHAPES) == {"icosahedron", "soccer", "torus", "sphere", "cube", "octahedron"}
