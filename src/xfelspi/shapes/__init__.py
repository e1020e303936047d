"""The catalogue of particle shapes, and the door for meshes from files."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xfelspi.errors import InputError

from .blob import Blob, blob
from .bowl import Bowl, bowl
from .capsid import capsid
from .cube import cube
from .cylinder import Cylinder, cylinder
from .disc import disc
from .groups import GROUPS
from .icosahedron import icosahedron
from .mesh import MESH_SUFFIXES, load_mesh
from .octahedron import octahedron
from .polyhedron import Polyhedron, convex_polyhedron
from .soccer import soccer
from .solid import Solid
from .sphere import Sphere, sphere
from .spheroid import Spheroid, oblate, prolate
from .star import star
from .tetrahedron import tetrahedron
from .torus import Torus, torus

SHAPES: dict[str, Callable[..., Solid]] = {
    "icosahedron": icosahedron,
    "soccer": soccer,
    "torus": torus,
    "sphere": sphere,
    "cube": cube,
    "octahedron": octahedron,
    "tetrahedron": tetrahedron,
    "prolate": prolate,
    "oblate": oblate,
    "cylinder": cylinder,
    "disc": disc,
    "capsid": capsid,
    "bowl": bowl,
    "star": star,
    "blob": blob,
}

__all__ = [
    "GROUPS",
    "SHAPES",
    "Blob",
    "Bowl",
    "Cylinder",
    "Polyhedron",
    "Solid",
    "Sphere",
    "Spheroid",
    "Torus",
    "convex_polyhedron",
    "load_mesh",
    "make_solid",
    "shape_name",
]


def make_solid(
    shape: str,
    diameter_nm: float,
    proportions: Mapping[str, float] | None = None,
    *,
    also: Sequence[str] = (),
) -> Solid:
    """Return a catalogue shape, or the body in a mesh file, of a diameter in nm.

    Parameters
    ----------
    shape : str
        A key of `SHAPES`, or the path of an STL, OBJ or PLY file.
    diameter_nm : float
        Twice the largest distance of the surface from the centroid.
    proportions : mapping of str to float, optional
        Further keywords of the shape, such as ``{"tube_to_mean": 0.4}`` for a torus.
    also : sequence of str, optional
        Names that the caller knows beside the catalogue's, for the sentence about an unknown one.

    Raises
    ------
    InputError
        If the shape is unknown, a proportion is not one of the shape's, or a mesh is unusable.
    """
    proportions = dict(proportions or {})
    if shape in SHAPES:
        build = SHAPES[shape]
        allowed = list(inspect.signature(build).parameters)[1:]
        unknown = sorted(set(proportions) - set(allowed))
        if unknown:
            knows = f"its proportions are {', '.join(allowed)}" if allowed else "it has no proportions to set"
            raise InputError(f"The shape {shape} does not know {', '.join(unknown)}; {knows}.")
        return build(diameter_nm, **proportions)
    if Path(shape).suffix.lower() in MESH_SUFFIXES:
        if proportions:
            raise InputError(f"A mesh has no proportions to set; leave out {', '.join(proportions)}.")
        return load_mesh(Path(shape), diameter_nm)
    raise InputError(
        f"There is no shape called {shape!r}; choose one of {', '.join([*SHAPES, *also])}, "
        "or give the path of an STL, OBJ or PLY file."
    )


def shape_name(shape: str) -> str:
    """Return the name under which a shape's patterns are filed: a mesh goes by its file's stem.

    Examples
    --------
    >>> shape_name("torus"), shape_name("models/bowl.stl")
    ('torus', 'bowl')
    """
    return shape if shape in SHAPES else Path(shape).stem
