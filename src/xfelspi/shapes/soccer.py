"""Soccer ball: the truncated icosahedron, 12 pentagons and 20 hexagons."""

import numpy as np

from .icosahedron import icosahedron_corners
from .polyhedron import Polyhedron, convex_polyhedron


def soccer(diameter_nm: float) -> Polyhedron:
    """Return a truncated icosahedron: every icosahedron edge cut at its thirds.

    Volume (125 + 43 √5) edge³ / 4.

    Parameters
    ----------
    diameter_nm : float
        Corner to opposite corner, about 4.956 edges.

    Examples
    --------
    >>> len(soccer(69.0).vertices)
    60
    """
    corners = icosahedron_corners()
    distance = np.linalg.norm(corners[:, None] - corners[None], axis=2)
    start, end = np.nonzero(np.isclose(distance, 2.0))
    return convex_polyhedron((2.0 * corners[start] + corners[end]) / 3.0, diameter_nm)
