"""Star: Kepler's stella octangula, two tetrahedra through each other; concave, with eight points."""

from itertools import product

import numpy as np

from .polyhedron import Polyhedron


def star(diameter_nm: float) -> Polyhedron:
    """Return a stella octangula: an octahedron with a tetrahedron on every face.

    Volume √2 edge³ / 8, with the edge of the two tetrahedra.

    Parameters
    ----------
    diameter_nm : float
        Point to opposite point, edge · √(3/2).

    Examples
    --------
    >>> round(star(1.5**0.5).volume_nm3, 4)
    0.1768
    """
    corners = np.concatenate([np.eye(3), -np.eye(3)])  # of the octahedron; the points are a cube's corners
    points, triangles = [], []
    for i, point in enumerate(product((1, -1), repeat=3)):
        x, y, z = (axis if sign > 0 else axis + 3 for axis, sign in enumerate(point))
        tip = 6 + i
        faces = [(tip, x, y), (tip, y, z), (tip, z, x)]
        triangles += faces if np.prod(point) > 0 else [face[::-1] for face in faces]
        points.append(point)
    solid = Polyhedron(np.concatenate([corners, points]), np.array(triangles))
    return solid.scaled(diameter_nm / solid.diameter_nm)
