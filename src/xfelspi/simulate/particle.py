"""One particle in the beam: a body, and what its density adds up from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .table import FormFactor


@dataclass(frozen=True)
class Layer:
    """Density that a particle has beside its body's own: the body's shape at another size, or a wave in it.

    Parameters
    ----------
    size : float
        Relative to the body: below 1 a core, above 1 a shell around it.
    electrons_per_nm3 : float
        Added to what is there; negative to hollow out.
    wave_per_nm : (float, float, float)
        κ in the body frame; the density is times cos(κ·r + phase).
    phase : float
        In radians.
    """

    size: float
    electrons_per_nm3: float
    wave_per_nm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    phase: float = 0.0


@dataclass(frozen=True)
class Particle:
    """One particle in the beam.

    Parameters
    ----------
    form : FormFactor
        Its shape.
    diameter_nm : float
        Twice the largest distance of its surface from its centroid.
    electrons_per_nm3 : float
        Electron density of the body; what its layers have comes on top.
    position_nm : (float, float, float)
        Centroid (x, y, z) from the middle of the focus; z along the beam.
    orientation : (float, float, float, float)
        Unit quaternion (w, x, y, z) that turns the body frame into the lab frame.
    relative_fluence : float
        What the particle's place adds to the focus profile, as a factor.
    stretch : (3, 3) float64 or None
        Affine distortion of the shape in the body frame; None for none. It must leave the diameter as it
        is: see `stretched`.
    layers : tuple of Layer
        Cores, shells and waves of density.
    """

    form: FormFactor
    diameter_nm: float
    electrons_per_nm3: float
    position_nm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    relative_fluence: float = 1.0
    stretch: np.ndarray | None = None
    layers: tuple[Layer, ...] = ()

    @cached_property
    def outer_diameter_nm(self) -> float:
        """Diameter with the outermost shell."""
        return self.diameter_nm * max([1.0, *(layer.size for layer in self.layers)])

    @cached_property
    def to_lab(self) -> np.ndarray:
        """(3, 3) float64 that takes a point of the unit solid, times the radius, to the lab frame."""
        turn = rotation_matrix(self.orientation)
        return turn if self.stretch is None else turn @ self.stretch

    @cached_property
    def stretch_volume(self) -> float:
        """Volume over that of the shape that is not stretched."""
        if self.stretch is None:
            return 1.0
        (a, b, c), (d, e, f), (g, h, i) = self.stretch.tolist()  # np.linalg.det takes ten times as long
        return float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))

    @property
    def electrons(self) -> float:
        """All its electrons; a wave of density counts none."""
        density = self.electrons_per_nm3 + sum(
            layer.electrons_per_nm3 * layer.size**3 for layer in self.layers if not any(layer.wave_per_nm)
        )
        volume = self.form.solid.volume_nm3 * (self.diameter_nm / 2.0) ** 3
        return density * volume * self.stretch_volume

    def reach_nm(self, direction: Sequence[float] | np.ndarray) -> float:
        """Return how far the outermost shell goes along a unit vector of the lab frame."""
        points = self.form.solid.hull_points() @ (self.to_lab.T @ np.asarray(direction))
        return float(points.max()) * self.outer_diameter_nm / 2.0


def stretched(form: FormFactor, matrix: np.ndarray) -> np.ndarray:
    """Scale an affine distortion (3, 3) so that the diameter of a shape stays what it was.

    Examples
    --------
    A sphere made twice as long becomes half as wide instead:

    >>> from xfelspi.shapes import sphere
    >>> ball = FormFactor(sphere(2.0), np.empty((1, 0, 0, 0)), 0.0)
    >>> np.diag(stretched(ball, np.diag([1.0, 1.0, 2.0]))).round(2).tolist()
    [0.5, 0.5, 1.0]
    """
    points = form.solid.hull_points() @ matrix.T
    return matrix / math.sqrt((points * points).sum(axis=1).max())


def rotation_matrix(quaternion: Sequence[float]) -> np.ndarray:
    """Rotation (3, 3) of a unit quaternion (w, x, y, z): lab = matrix @ body.

    Examples
    --------
    A quarter turn about z takes the body's x axis to the lab's y axis:

    >>> import numpy as np
    >>> half = np.sqrt(0.5)
    >>> np.abs(rotation_matrix((half, 0, 0, half)) @ [1, 0, 0]).round(12).tolist()
    [0.0, 1.0, 0.0]
    """
    w, x, y, z = quaternion
    return np.array(
        (
            (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
            (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
            (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
        )
    )
