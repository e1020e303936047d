"""Any body with flat faces: a closed, outward-oriented triangle mesh."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """A closed triangle mesh in nm, moved to its centroid at birth.

    Parameters
    ----------
    vertices : (n, 3) float64
        Corners in nm.
    triangles : (m, 3) int64
        Corner indices, counter-clockwise seen from outside. The mesh must be closed;
        `xfelspi.shapes.load_mesh` checks that for files.
    """

    vertices: np.ndarray
    triangles: np.ndarray

    def __post_init__(self) -> None:
        vertices = np.array(self.vertices, dtype=np.float64)
        triangles = np.array(self.triangles, dtype=np.int64)
        object.__setattr__(self, "vertices", vertices - _volume_and_centroid(vertices, triangles)[1])
        object.__setattr__(self, "triangles", triangles)

    @cached_property
    def volume_nm3(self) -> float:
        """Sum of the signed tetrahedra between the origin and each triangle."""
        return _volume_and_centroid(self.vertices, self.triangles)[0]

    @cached_property
    def diameter_nm(self) -> float:
        """Twice the distance of the farthest corner from the centroid."""
        return float(2.0 * np.linalg.norm(self.hull_points(), axis=1).max())

    def scaled(self, factor: float) -> "Polyhedron":
        """Return the same shape, every length multiplied by `factor`."""
        return Polyhedron(self.vertices * factor, self.triangles)

    def fingerprint(self) -> bytes:
        """Return the rounded corners and the triangles, as bytes."""
        # Rounding keeps the key of a shape scaled up and down again; + 0.0 turns -0.0 into 0.0.
        return b"polyhedron" + (np.round(self.vertices, 9) + 0.0).tobytes() + self.triangles.tobytes()

    def hull_points(self) -> np.ndarray:
        """Return the corners that triangles use, (n, 3) in nm."""
        return self._corners

    @cached_property
    def _corners(self) -> np.ndarray:
        return self.vertices[np.unique(self.triangles)]

    @cached_property
    def is_star_shaped(self) -> bool:
        """Whether the centroid, the origin, lies on the inner side of every face."""
        a, b, c = (self.vertices[self.triangles[:, i]] for i in range(3))
        return bool((np.einsum("ij,ij->i", a, np.cross(b, c)) > 0.0).all())


def convex_polyhedron(corners: np.ndarray, diameter_nm: float) -> Polyhedron:
    """Return the convex hull of `corners` (n, 3), scaled to a diameter in nm."""
    from scipy.spatial import ConvexHull

    hull = ConvexHull(corners)
    triangles = hull.simplices.astype(np.int64)
    a, b, c = (corners[triangles[:, i]] for i in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), hull.equations[:, :3]) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    solid = Polyhedron(corners, triangles)
    return solid.scaled(diameter_nm / solid.diameter_nm)


def _volume_and_centroid(vertices: np.ndarray, triangles: np.ndarray) -> tuple[float, np.ndarray]:
    middle = vertices.mean(axis=0)  # near the body, so that the signed tetrahedra do not cancel
    a, b, c = (vertices[triangles[:, i]] - middle for i in range(3))
    tetrahedra = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
    volume = tetrahedra.sum()
    centroid = (tetrahedra[:, None] * (a + b + c)).sum(axis=0) / (4.0 * volume)
    return float(volume), middle + centroid
