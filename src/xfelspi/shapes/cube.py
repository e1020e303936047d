"""Cube."""

from itertools import product

import numpy as np

from .polyhedron import Polyhedron, convex_polyhedron


def cube(diameter_nm: float) -> Polyhedron:
    """Return a cube; volume edge³.

    Parameters
    ----------
    diameter_nm : float
        Corner to opposite corner, edge · √3.

    Examples
    --------
    >>> round(cube(3.0**0.5).volume_nm3, 4)
    1.0
    """
    return convex_polyhedron(np.array(list(product((-1.0, 1.0), repeat=3))), diameter_nm)
