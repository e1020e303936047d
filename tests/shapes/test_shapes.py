"""The catalogue and the door for meshes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xfelspi.errors import InputError
from xfelspi.shapes import (
    GROUPS,
    SHAPES,
    Solid,
    Torus,
    bowl,
    capsid,
    icosahedron,
    load_mesh,
    make_solid,
    soccer,
    star,
    torus,
)


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


@pytest.mark.parametrize(
    ("name", "volume"),
    [
        ("icosahedron", 5 * (3 + 5**0.5) / 12 * (2 / np.sqrt(np.sqrt(5) * (1 + np.sqrt(5)) / 2)) ** 3),
        ("torus", 2 * np.pi**2 * (2 / 3) * (1 / 3) ** 2),
        ("sphere", 4 / 3 * np.pi),
        ("cube", (2 / 3**0.5) ** 3),
        ("octahedron", 2**0.5 / 3 * 2**1.5),
        ("tetrahedron", (2 / 1.5**0.5) ** 3 / (6 * 2**0.5)),
        ("prolate", 4 / 3 * np.pi / 1.5**2),
        ("oblate", 4 / 3 * np.pi / 1.5),
        ("cylinder", np.pi / 4 * (2 / 5**0.5) ** 2 * (4 / 5**0.5)),
        ("disc", np.pi / 4 * 0.25 * (2 / np.hypot(1, 0.25)) ** 3),
        ("star", 2**0.5 / 8 * (2 / 1.5**0.5) ** 3),
    ],
)
def test_volumes_are_those_of_the_textbook(name, volume):
    """At diameter 2: edges, radii and heights follow from the circumscribed sphere."""
    assert_allclose(make_solid(name, 2.0).volume_nm3, volume, rtol=1e-12)


def test_what_is_hollow_lacks_the_hollow():
    whole = icosahedron(2.0).volume_nm3
    assert_allclose(capsid(2.0, inner_to_outer=0.7).volume_nm3, whole * (1 - 0.7**3), rtol=1e-12)
    cup = bowl(60.0, inner_to_outer=0.5)
    assert_allclose(cup.volume_nm3, 2 / 3 * np.pi * cup.outer_nm**3 * (1 - 0.5**3), rtol=1e-12)
    half = bowl(60.0, inner_to_outer=0.1)  # nearly half a ball: its centroid is 3/8 R above the flat side
    assert_allclose(half.centroid_nm, 3 / 8 * half.outer_nm, rtol=1e-3)


def test_a_blob_fills_what_chance_says_it_fills():
    """Monte Carlo: the share of random points of the surrounding ball that lie below the surface."""
    rng = np.random.default_rng(0)
    body = make_solid("blob", 2.0)
    points = rng.normal(size=(200_000, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    # Radii along random directions come from the quadrature's own nearest cone, close enough for 1 %.
    tips, _ = body.cones(60)
    from scipy.spatial import KDTree

    reach = np.linalg.norm(tips, axis=1)
    points[points[:, 2] < 0] *= -1  # the body is its own mirror image through the centroid
    _, nearest = KDTree(tips / reach[:, None]).query(points)
    inside = rng.random(len(points)) ** (1 / 3) < reach[nearest]
    assert_allclose(4 / 3 * np.pi * inside.mean(), body.volume_nm3, rtol=0.01)


def test_blobs_are_smooth_irregular_and_different():
    radii = []
    for seed in range(4):
        tips, _ = make_solid("blob", 2.0, {"seed": seed}).cones(24)
        reach = np.linalg.norm(tips, axis=1)
        assert 0.0 < reach.min() < 0.8 < reach.max() < 1.01
        radii.append(np.log(reach))
    assert np.corrcoef(radii)[np.triu_indices(4, 1)].max() < 0.9
    rms = []
    for seed in range(60):  # the root mean square of ln R is what was asked for
        tips, _ = make_solid("blob", 2.0, {"seed": seed, "roughness": 0.1}).cones(10)
        solid_angle = np.repeat(np.polynomial.legendre.leggauss(20)[1][10:], 40) / 40
        ln_r = np.log(np.linalg.norm(tips, axis=1))
        rms.append(np.average((ln_r - np.average(ln_r, weights=solid_angle)) ** 2, weights=solid_angle))
    assert_allclose(np.sqrt(np.mean(rms)), 0.1, rtol=0.06)


def test_only_what_its_centroid_sees_whole_is_star_shaped():
    hollow = {name for name in SHAPES if not make_solid(name, 60.0).is_star_shaped}
    assert hollow == {"torus", "capsid", "bowl"}


def test_a_star_is_concave_and_its_shrunken_copy_lies_inside():
    """Points stick out of the hull of the notches between them."""
    body = star(2.0)
    reach = np.linalg.norm(body.hull_points(), axis=1)
    assert_allclose(np.unique(reach.round(9)), [1 / 3**0.5, 1.0], rtol=1e-6)
    assert body.volume_nm3 < 0.6 * make_solid("cube", 2.0).volume_nm3  # its hull


def test_groups_share_out_the_catalogue():
    grouped = [shape for shapes in GROUPS.values() for shape in shapes]
    assert sorted(grouped) == sorted(SHAPES)
    assert len(GROUPS) == 4


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
        (lambda: make_solid("prolate", 60.0, {"aspect": 0.5}), "aspect of a spheroid \\(prolate\\) is 0.5"),
        (lambda: make_solid("oblate", 60.0, {"aspect": 11.0}), "aspect of a spheroid \\(oblate\\) is 11"),
        (
            lambda: make_solid("cylinder", 60.0, {"length_to_width": 0.0}),
            "length_to_width of a cylinder is 0",
        ),
        (lambda: make_solid("disc", 60.0, {"thickness_to_width": 2.0}), "thickness_to_width of a disc is 2"),
        (lambda: make_solid("capsid", 60.0, {"inner_to_outer": 1.0}), "inner_to_outer of a capsid is 1"),
        (
            lambda: make_solid("bowl", 60.0, {"inner_to_outer": float("nan")}),
            "inner_to_outer of a bowl is nan",
        ),
        (lambda: make_solid("blob", 60.0, {"seed": 1.5}), "seed of a blob is 1.5; it must be a whole number"),
        (lambda: make_solid("blob", 60.0, {"seed": float("inf")}), "seed of a blob is inf"),
        (lambda: make_solid("blob", 60.0, {"roughness": 0.5}), "roughness of a blob is 0.5"),
        (lambda: make_solid("star", 60.0, {"points": 5}), "no proportions to set"),
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


@pytest.mark.parametrize("metres", [1.0, 35e-9])
def test_the_unit_of_a_mesh_does_not_matter(tmp_path, metres):
    """Corners nearer than the 1e-8 within which they are merged, once in units of the body."""
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=3, radius=metres)
    ball.export(tmp_path / "ball.ply")  # STL in single precision, PLY likewise
    assert_allclose(load_mesh(tmp_path / "ball.ply", 69.0).diameter_nm, 69.0)


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
    from typer.testing import CliRunner

    from xfelspi.cli import app

    text = CliRunner().invoke(app, ["simulate", "--help"], env={"COLUMNS": "400"}).output
    assert ", ".join(SHAPES) in " ".join(text.split())
