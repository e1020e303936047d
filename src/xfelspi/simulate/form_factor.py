"""Solid -> F(q) = ∫ exp(-i q.r) d³r, exact."""

from functools import singledispatch

import numpy as np

from xfelspi.shapes import Blob, Bowl, Cylinder, Polyhedron, Solid, Sphere, Spheroid, Torus

from ._cones import cone_transform
from ._polyhedron import polyhedron_transform


@singledispatch
def form_factor(solid: Solid, q: np.ndarray) -> np.ndarray:
    """Fourier transform of a homogeneous solid, exact.

    F(0) is the volume; F(-q) is the conjugate of F(q) (Friedel).

    Parameters
    ----------
    solid : Solid
        Body in nm, centred on its centroid.
    q : (..., 3) float64
        Momentum transfer in the body frame, 1/nm, with the 2π inside.

    Returns
    -------
    F : (...) complex128
        In nm³.

    References
    ----------
    Polyhedra and meshes: Wuttke (2021), J. Appl. Cryst. 54, 580. Sphere and, in coordinates in which it is
    one, spheroid: Guinier (1939), Ann. Phys. 11, 161. Cylinder: Fournet (1951), Bull. Soc. Fr. Minéral. 74,
    39. Torus and bowl: the sum over the height of the transforms of flat rings, ∫ 2π [ρ J₁(q⊥ρ)/q⊥]
    exp(-i q_z z) dz. Blob: the sum over directions of the transforms of thin cones.

    Examples
    --------
    >>> from xfelspi.shapes import sphere
    >>> round(float(form_factor(sphere(2.0), np.zeros(3)).real), 4)
    4.1888
    """
    raise TypeError(f"no form factor is known for {type(solid).__name__} at {len(q)} points")


@form_factor.register
def _(solid: Polyhedron, q: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(q, dtype=np.float64).reshape(-1, 3)
    out = np.empty(len(flat), dtype=np.complex128)
    polyhedron_transform(flat, solid.vertices, solid.triangles, out)
    return out.reshape(np.shape(q)[:-1])


@form_factor.register
def _(solid: Sphere, q: np.ndarray) -> np.ndarray:
    return solid.volume_nm3 * _ball(np.linalg.norm(q, axis=-1) * solid.radius_nm) + 0j


@form_factor.register
def _(solid: Spheroid, q: np.ndarray) -> np.ndarray:
    axes = np.array([solid.equatorial_nm, solid.equatorial_nm, solid.polar_nm])
    return solid.volume_nm3 * _ball(np.linalg.norm(q * axes, axis=-1)) + 0j


@form_factor.register
def _(solid: Cylinder, q: np.ndarray) -> np.ndarray:
    q = np.asarray(q, dtype=np.float64)
    across = _disc(np.hypot(q[..., 0], q[..., 1]), solid.radius_nm)
    return solid.length_nm * across * np.sinc(q[..., 2] * solid.length_nm / (2.0 * np.pi)) + 0j


@form_factor.register
def _(solid: Bowl, q: np.ndarray) -> np.ndarray:
    q = np.asarray(q, dtype=np.float64)
    halves = _half_ball(q, solid.outer_nm) - _half_ball(q, solid.inner_nm)
    return halves * np.exp(1j * q[..., 2] * solid.centroid_nm)


@form_factor.register
def _(solid: Blob, q: np.ndarray) -> np.ndarray:
    # A wave has as many harmonics on the surface as its phase has radians, so each shell of |q| takes a
    # quadrature of its own.
    flat = np.ascontiguousarray(q, dtype=np.float64).reshape(-1, 3)
    out = np.empty(len(flat))
    reach = np.linalg.norm(flat, axis=1) * solid.diameter_nm / 2.0
    shells = np.ceil(reach / 8.0).astype(int)
    for shell in np.unique(shells):
        here = shells == shell
        tips, weights = solid.cones(max(16, 12 + 3 * int(shell)))
        part = np.empty(np.count_nonzero(here))
        cone_transform(flat[here], tips, weights, part)
        out[here] = part
    return out.reshape(np.shape(q)[:-1]) + 0j


def _ball(x: np.ndarray) -> np.ndarray:
    """3 (sin x - x cos x) / x³, with its limit 1."""
    small = x < 0.05
    safe = np.where(small, 1.0, x)
    exact = 3.0 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
    series = 1.0 - x**2 / 10.0 + x**4 / 280.0 - x**6 / 15120.0
    return np.where(small, series, exact)


@form_factor.register
def _(solid: Torus, q: np.ndarray) -> np.ndarray:
    q = np.asarray(q, dtype=np.float64)
    across = np.hypot(q[..., 0], q[..., 1])
    along = np.abs(q[..., 2])
    # z = r sin t makes the integrand smooth and periodic in t, so the midpoint rule converges
    # exponentially once there are more nodes than the phase has radians.
    reach = float((across * (solid.mean_radius_nm + solid.tube_radius_nm)).max(initial=0.0))
    reach = max(reach, float((along * solid.tube_radius_nm).max(initial=0.0)))
    n_pairs = 12 + int(reach / 2.0)  # the upper and the lower half are alike: one node stands for both
    total = np.zeros(across.shape)
    for angle in (np.arange(n_pairs) + 0.5) * np.pi / (2 * n_pairs):
        half_width = solid.tube_radius_nm * np.cos(angle)
        height = solid.tube_radius_nm * np.sin(angle)
        ring = _disc(across, solid.mean_radius_nm + half_width) - _disc(
            across, solid.mean_radius_nm - half_width
        )
        total += half_width * np.cos(along * height) * ring
    return total * np.pi / n_pairs + 0j


def _half_ball(q: np.ndarray, radius: float) -> np.ndarray:
    """Transform of the half ball z > 0: flat discs at the heights R sin t, by Gauss-Legendre nodes in t."""
    across, along = np.hypot(q[..., 0], q[..., 1]), q[..., 2]
    reach = float(np.hypot(across, along).max(initial=0.0)) * radius
    nodes, weights = np.polynomial.legendre.leggauss(16 + int(reach / 2.0))
    total = np.zeros(across.shape, dtype=np.complex128)
    for angle, weight in zip((nodes + 1.0) * np.pi / 4.0, weights * np.pi / 4.0, strict=True):
        width, height = radius * np.cos(angle), radius * np.sin(angle)
        total += weight * width * np.exp(-1j * along * height) * _disc(across, width)
    return total


def _disc(q: np.ndarray, radius: float) -> np.ndarray:
    """Transform of a flat disc, 2π ρ J₁(qρ) / q, with its limit π ρ² at q = 0."""
    from scipy.special import j1

    x = q * radius
    small = x < 1e-4
    safe = np.where(small, 1.0, x)
    return 2.0 * np.pi * radius**2 * np.where(small, 0.5 - x**2 / 16.0, j1(safe) / safe)
