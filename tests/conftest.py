"""The shapes on which every law is tried, and the measured data where there are any."""

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from xfelspi.shapes import SHAPES, Polyhedron, load_mesh, make_solid

# No test is timed: the first example of many imports or compiles.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def crooked_solid() -> Polyhedron:
    """A tetrahedron without any symmetry: the witness for handedness, which symmetric shapes hide."""
    corners = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.3, 2.0, 0.0], [0.2, 0.4, 1.0]])
    solid = Polyhedron(corners, np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]))
    return solid.scaled(69.0 / solid.diameter_nm)


def _mesh_from_file(folder: Path):
    import trimesh

    path = folder / "bracket.stl"  # concave: an L of three boxes' outline
    outline = np.array([[0, 0], [3, 0], [3, 1], [1, 1], [1, 2], [0, 2]], dtype=float)
    triangles = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]])
    trimesh.creation.extrude_triangulation(outline, triangles, height=1.0).export(path)
    return load_mesh(path, 69.0)


@pytest.fixture(params=[*SHAPES, "mesh", "crooked"])
def solid(request, tmp_path):
    """Every shape of the catalogue, a mesh from a file, and the crooked one; 69 nm."""
    if request.param == "mesh":
        return _mesh_from_file(tmp_path)
    if request.param == "crooked":
        return crooked_solid()
    return make_solid(request.param, 69.0)


@pytest.fixture
def crooked():
    return crooked_solid()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Tables are computed once for the run, and looks noted, away from the user's own cache and log."""
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = tmp_path_factory.getbasetemp()
    os.environ["XFELSPI_CACHE"] = str((folder.parent if shared else folder) / "cache")
    os.environ["XFELSPI_STATE"] = str(folder / "state")


@pytest.fixture(scope="session")
def measured() -> Path:
    """The folder of measured data that XFELSPI_TEST_DATA names."""
    folder = os.environ.get("XFELSPI_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no measured data: XFELSPI_TEST_DATA does not name a folder")
    return Path(folder)
