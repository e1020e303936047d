"""Regular octahedron."""

import numpy as np

from .polyhedron import Polyhedron, convex_polyhedron


def octahedron(diameter_nm: float) -> Polyhedron:
    """Return a regular octahedron; volume √2 edge³ / 3.

    Parameters
    ----------
    diameter_nm : float
        Corner to opposite corner, edge · √2.

    Examples
    --------
    >>> round(octahedron(2.0).volume_nm3, 4)
    1.3333
    """
    return convex_polyhedron(np.concatenate([np.eye(3), -np.eye(3)]), diameter_nm)
