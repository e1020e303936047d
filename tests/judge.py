"""The readable NumPy version of one shot: exact form factors in every pixel, nothing clever."""

import numpy as np

from xfelspi.constants import ELECTRON_RADIUS_NM
from xfelspi.simulate.qspace import momentum_transfer, polarization_factor, solid_angle
from xfelspi.simulate.scene import rotation_matrix


def amplitudes(scene, pulse, detector, points=1):
    """A_j in √photons at `points`² Gauss-Legendre nodes a pixel: (ny · points, nx · points) arrays."""
    nodes = np.polynomial.legendre.leggauss(points)[0] / 2.0
    row = (np.arange(detector.rows)[:, None] + nodes).ravel()
    column = (np.arange(detector.columns)[:, None] + nodes).ravel()
    y, x = detector.positions_m(row[:, None], column[None, :], pulse.centre_offset_pixels)
    x, y = np.broadcast_arrays(x, y)
    z = detector.distance_m
    q = momentum_transfer(x, y, z, pulse.wavenumber_per_nm)
    seen = solid_angle(x, y, z, detector.pixel_size_m) * polarization_factor(
        x, y, z, detector.horizontal_polarization
    )
    waves = []
    for particle in scene.particles:
        body_q = q @ rotation_matrix(particle.orientation)
        fluence_per_nm2 = pulse.fluence_per_um2(particle.position_nm) * particle.relative_fluence * 1e-6
        field = np.sqrt(fluence_per_nm2 * seen) * particle.electrons_per_nm3 * ELECTRON_RADIUS_NM
        shift = np.exp(-1j * (q @ np.asarray(particle.position_nm)))
        waves.append(field * particle.form.exact(body_q, particle.diameter_nm) * shift)
    return waves


def pixel_average(values, detector, points):
    """Mean over each pixel of values at its `points`² Gauss-Legendre nodes."""
    weights = np.polynomial.legendre.leggauss(points)[1] / 2.0
    ny, nx = detector.shape
    return np.einsum("iajb,a,b->ij", values.reshape(ny, points, nx, points), weights, weights)


def photons(scene, pulse, detector, points=1):
    """Mean photons per pixel, integrated over its area by `points`² Gauss-Legendre nodes."""
    intensity = np.abs(sum(amplitudes(scene, pulse, detector, points))) ** 2
    return pixel_average(intensity, detector, points)
