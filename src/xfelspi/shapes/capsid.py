"""Capsid: a hollow icosahedron, the shell of a virus without its genome."""

import numpy as np

from xfelspi.errors import InputError

from .icosahedron import icosahedron
from .polyhedron import Polyhedron


def capsid(diameter_nm: float, *, inner_to_outer: float = 0.8) -> Polyhedron:
    """Return an icosahedron with a concentric icosahedron taken out.

    Volume 5 (3 + √5) edge³ / 12 · (1 - inner_to_outer³).

    Parameters
    ----------
    diameter_nm : float
        Corner to opposite corner.
    inner_to_outer : float
        Size of the cavity over the body's, from 0.1 to 0.98.

    Raises
    ------
    InputError
        If the cavity is smaller or larger.

    Examples
    --------
    >>> round(capsid(2.0, inner_to_outer=0.5).volume_nm3 / icosahedron(2.0).volume_nm3, 4)
    0.875
    """
    if not 0.1 <= inner_to_outer <= 0.98:
        raise InputError(
            f"inner_to_outer of a capsid is {inner_to_outer:g}; it must lie between 0.1 and 0.98."
        )
    outer = icosahedron(diameter_nm)
    cavity = outer.triangles[:, ::-1] + len(outer.vertices)  # its outside is the cavity
    return Polyhedron(
        np.concatenate([outer.vertices, inner_to_outer * outer.vertices]),
        np.concatenate([outer.triangles, cavity]),
    )
