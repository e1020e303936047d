"""What every shape promises: a homogeneous body in nm, centred on its centroid."""

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Solid(Protocol):
    """A homogeneous body whose centroid is the origin; lengths in nm.

    A solid knows its geometry and has never heard of X-rays: `xfelspi.simulate.form_factor` gives its
    Fourier transform.
    """

    @property
    def volume_nm3(self) -> float:
        """Exact volume."""

    @property
    def diameter_nm(self) -> float:
        """Twice the largest distance of the surface from the centroid."""

    def scaled(self, factor: float) -> "Solid":
        """Return the same shape, every length multiplied by `factor`."""

    def fingerprint(self) -> bytes:
        """Return bytes that differ whenever the geometry does: the key of what is computed from it."""

    def hull_points(self) -> np.ndarray:
        """Return points of the surface, (n, 3) in nm, that reach as far as the body any way."""

    @property
    def is_star_shaped(self) -> bool:
        """Whether the centroid sees the whole surface, so that a shrunken copy lies inside the body."""
