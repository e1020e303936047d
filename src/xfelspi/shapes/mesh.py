"""Shapes from files: the door where trimesh stops."""

from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .polyhedron import Polyhedron

MESH_SUFFIXES = (".stl", ".obj", ".ply")


def load_mesh(path: Path, diameter_nm: float) -> Polyhedron:
    """Read a closed surface and scale it to a diameter; the unit of the file does not matter.

    Parameters
    ----------
    path : Path
        STL, OBJ or PLY.
    diameter_nm : float
        Twice the largest distance of the surface from the centroid.

    Raises
    ------
    InputError
        If the file is missing, unreadable, or its surface is not closed and consistently oriented.
    """
    import trimesh

    try:
        exists = path.is_file()
    except (OSError, ValueError):  # a name no file can have
        exists = False
    if not exists:
        raise InputError(f"There is no mesh file {path}; give the path of an STL, OBJ or PLY file.")
    try:
        mesh = trimesh.load_mesh(path, process=False)
        if isinstance(mesh, trimesh.Scene):
            mesh = mesh.to_mesh()
        extent = np.ptp(mesh.vertices, axis=0).max() if len(mesh.vertices) else 0.0
        if 0.0 < extent < np.inf:  # corners are merged within 1e-8, whatever the unit
            mesh.apply_scale(1.0 / extent)
        mesh.merge_vertices(merge_tex=True, merge_norm=True)  # OBJ splits corners at seams
    except Exception as error:  # trimesh raises whatever its parsers raise
        raise InputError(
            f"{path} could not be read as a mesh ({type(error).__name__}); give a valid STL, OBJ or PLY file."
        ) from error
    if len(mesh.faces) == 0:
        raise InputError(f"{path} holds no triangles; give an STL, OBJ or PLY file with a closed surface.")
    if not np.isfinite(mesh.vertices).all():
        raise InputError(f"{path} has corners that are not finite numbers; export the mesh again.")
    if not mesh.is_watertight:
        raise InputError(
            f"The surface in {path} is not watertight, so it has no inside; close its holes "
            "(in Blender: Mesh > Clean Up > Fill Holes) and try again."
        )
    if not mesh.is_winding_consistent:
        mesh.fix_normals()
    if mesh.volume < 0:
        mesh.invert()
    if not mesh.volume > 0:
        raise InputError(f"The surface in {path} encloses no volume; give a solid body.")
    solid = Polyhedron(mesh.vertices, mesh.faces)
    return solid.scaled(diameter_nm / solid.diameter_nm)
