"""Regular tetrahedron: the least round of the regular bodies, and without a centre of symmetry."""

import numpy as np

from .polyhedron import Polyhedron, convex_polyhedron


def tetrahedron(diameter_nm: float) -> Polyhedron:
    """Return a regular tetrahedron; volume edge³ / (6 √2).

    Parameters
    ----------
    diameter_nm : float
        Twice the distance from the centroid to a corner, edge · √(3/2).

    Examples
    --------
    >>> round(tetrahedron(1.5**0.5).volume_nm3, 4)
    0.1179
    """
    corners = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    return convex_polyhedron(corners, diameter_nm)
