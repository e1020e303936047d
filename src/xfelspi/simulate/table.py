"""The table that makes form factors fast: one per shape, for every size, kept on disk."""

import hashlib
import math
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xfelspi.cache import cache_folder
from xfelspi.shapes import Blob, Polyhedron, Solid, Sphere

from ._halfway import with_halfway
from .form_factor import form_factor

TABLE_VERSION = 2
STEP = 0.75
"""Grid step in units of 1 / radius. A body of radius 1 is band-limited, so the cubic B-spline's error is
1.4 (STEP / 2π)⁴ = 3e-4 of the local amplitude for its surface and less inside: 1e-4 in all, at any extent."""

MARGIN = 10
"""Nodes beyond the extent: the spline's memory of its boundary fades by 0.27 per node, and coarse nodes
overhang the detector by up to 3 rad per axis."""

LARGEST_TABLE = 257
"""Nodes along an edge: 68 MB for a centrosymmetric shape. Larger scenes use the exact formula."""

MANY_TRIANGLES = 200
"""Of a polyhedron, whose formula then takes so long that only every second node is worked out with it."""

NO_TABLE = np.empty((1, 0, 0, 0), dtype=np.float32)
"""Of shapes whose closed form is faster than a look-up, and of scenes too large for one."""


@dataclass(frozen=True, eq=False)
class FormFactor:
    """Form factor of one shape at any size: exact always, and from a table up to `extent`.

    Parameters
    ----------
    solid : Solid
        The shape at radius 1 (diameter 2), where radius is the largest distance from the centroid.
    coefficients : (parts, n, n, n) float32
        Cubic B-spline coefficients of F on a cube, indices (x, y, z); one part where F is real
        (centrosymmetric shapes), else real and imaginary part.
    extent : float
        Largest |q| · radius that the table serves; 0 without a table.
    """

    solid: Solid
    coefficients: np.ndarray
    extent: float

    def exact(self, q: np.ndarray, diameter_nm: float) -> np.ndarray:
        """F(q) in nm³ at a diameter, by the exact formula; q (..., 3) in 1/nm."""
        radius = diameter_nm / 2.0
        return radius**3 * form_factor(self.solid, np.asarray(q) * radius)


def form_factor_of(
    solid: Solid, extent: float, progress: Callable[[float], None] | None = None
) -> FormFactor:
    """Return the form factor of a shape with a table up to `extent`, from the cache or computed.

    Parameters
    ----------
    solid : Solid
        Any size; the table serves all sizes of the shape.
    extent : float
        Largest |q| · radius wanted. Beyond what `LARGEST_TABLE` allows no table is made.
    progress : callable, optional
        Called with the fraction done while a table is computed.

    Notes
    -----
    Two processes that build the same table at once both succeed: each writes a file of its own and
    renames it. A cache folder that cannot be written only costs the time.
    """
    unit = solid.scaled(2.0 / solid.diameter_nm)
    if isinstance(unit, Sphere):
        return FormFactor(unit, NO_TABLE, 0.0)
    half = math.ceil(extent / STEP)
    half = 4 * math.ceil(half / 4)  # a few sizes of table, so that near sizes of particle share one
    n = 2 * (half + MARGIN) + 1
    if n > LARGEST_TABLE:
        return FormFactor(unit, NO_TABLE, 0.0)
    key = hashlib.sha256(unit.fingerprint() + f"|{STEP}|{half}|{MARGIN}|{TABLE_VERSION}".encode())
    path = cache_folder() / f"form-factor-{key.hexdigest()[:32]}.npy"
    coefficients = _load(path, n)
    if coefficients is None:
        coefficients = _compute(unit, n, progress or (lambda _: None))
        _save(path, coefficients)
    return FormFactor(unit, coefficients, half * STEP)


def _compute(unit: Solid, n: int, progress: Callable[[float], None]) -> np.ndarray:
    from scipy.ndimage import spline_filter

    if isinstance(unit, Blob) or (isinstance(unit, Polyhedron) and len(unit.triangles) > MANY_TRIANGLES):
        values = with_halfway(_exact(unit, n // 2 + 1, 2.0 * STEP, progress), 2.0 * STEP)
    else:
        values = _exact(unit, n, STEP, progress)
    parts = [values.real]
    if np.abs(values.imag).max() > 1e-9 * unit.volume_nm3:
        parts.append(values.imag)
    return np.stack([spline_filter(part, order=3, mode="mirror").astype(np.float32) for part in parts])


def _exact(unit: Solid, n: int, step: float, progress: Callable[[float], None]) -> np.ndarray:
    """Return F on n nodes along each axis, n odd: (n, n, n) complex128."""
    axis = (np.arange(n) - n // 2) * step
    values = np.empty((n, n, n), dtype=np.complex128)
    half = n // 2 + 1  # planes x <= 0; the rest follows from Friedel's law

    def plane(i: int) -> None:
        q = np.empty((n, n, 3))
        q[..., 0], q[..., 1], q[..., 2] = axis[i], axis[:, None], axis[None, :]
        values[i] = form_factor(unit, q)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(plane, range(half)), start=1):
            progress(done / half)
    values[half:] = values[: half - 1][::-1, ::-1, ::-1].conj()
    return values


def _load(path: Path, n: int) -> np.ndarray | None:
    try:
        coefficients = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None  # absent or damaged: compute it again
    good = coefficients.ndim == 4 and coefficients.shape[1:] == (n, n, n)
    return coefficients if good and coefficients.dtype == np.float32 else None


def _save(path: Path, coefficients: np.ndarray) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            try:
                np.save(file, coefficients, allow_pickle=False)
                file.flush()
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError:
        return  # no room or no permission: the table is in memory, which is what matters now
