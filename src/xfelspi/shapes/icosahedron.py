"""Regular icosahedron: the shape of most virus capsids."""

import numpy as np

from .polyhedron import Polyhedron, convex_polyhedron

GOLDEN = (1.0 + np.sqrt(5.0)) / 2.0


def icosahedron_corners() -> np.ndarray:
    """Return the 12 corners (12, 3) of an icosahedron of edge 2: cyclic permutations of (0, ±1, ±φ)."""
    signs = [(one, phi) for one in (-1.0, 1.0) for phi in (-GOLDEN, GOLDEN)]
    block = np.array([(0.0, one, phi) for one, phi in signs])
    return np.concatenate([np.roll(block, turn, axis=1) for turn in range(3)])


def icosahedron(diameter_nm: float) -> Polyhedron:
    """Return a regular icosahedron; volume 5 (3 + √5) edge³ / 12.

    Parameters
    ----------
    diameter_nm : float
        Corner to opposite corner, edge · √(φ √5).

    Examples
    --------
    >>> round(icosahedron(2.0).volume_nm3, 4)
    2.5362
    """
    return convex_polyhedron(icosahedron_corners(), diameter_nm)
