"""The readable NumPy version of one shot: exact form factors in every pixel, nothing clever.

Of the code it judges it borrows the settings and the exact form factor (which has laws of its own); all
other physics is written out here once more.
"""

import numpy as np

R_E_NM = 2.817_940_3e-6
HC_EV_NM = 1239.841_98


def momentum_transfer(x, y, z, photon_energy_ev):
    """k (r/|r| - ẑ), (..., 3) in 1/nm."""
    k = 2.0 * np.pi * photon_energy_ev / HC_EV_NM
    r = np.sqrt(x * x + y * y + z * z)
    return np.stack([k * x / r, k * y / r, k * (z / r - 1.0)], axis=-1)


def into_body(q, orientation):
    """Lab vectors seen from a body that was turned by a quaternion: u = (x, y, z), turned back, w → -w."""
    w, u = -orientation[0], np.array(orientation[1:])
    return q + 2.0 * w * np.cross(u, q) + 2.0 * np.cross(u, np.cross(u, q))


def amplitudes(scene, pulse, detector, points=1):
    """A_j in √photons at `points`² Gauss-Legendre nodes a pixel: (ny · points, nx · points) arrays."""
    nodes = np.polynomial.legendre.leggauss(points)[0] / 2.0
    row = (np.arange(detector.rows)[:, None] + nodes).ravel()
    column = (np.arange(detector.columns)[:, None] + nodes).ravel()
    p, z = detector.pixel_size_m, detector.distance_m
    y = (row - (detector.rows - 1) / 2.0 - pulse.centre_offset_pixels[0]) * p
    x = (column - (detector.columns - 1) / 2.0 - pulse.centre_offset_pixels[1]) * p
    y, x = np.broadcast_arrays(y[:, None], x[None, :])
    q = momentum_transfer(x, y, z, pulse.photon_energy_ev)
    r = np.sqrt(x * x + y * y + z * z)
    solid_angle = p * p / r**2 * (z / r)  # the pixel is seen at a slant
    h = detector.horizontal_polarization
    polarization = h * (1.0 - (x / r) ** 2) + (1.0 - h) * (1.0 - (y / r) ** 2)
    waves = []
    for particle in scene.particles:
        place = np.array(particle.position_nm)
        off_axis_um = np.hypot(place[0], place[1]) / 1e3
        focus = 2.0 ** -((off_axis_um / (pulse.focus_fwhm_um / 2.0)) ** 2)
        photons_per_nm2 = pulse.peak_fluence_per_um2 * focus * particle.relative_fluence / 1e6
        field = R_E_NM * particle.electrons_per_nm3 * np.sqrt(photons_per_nm2 * polarization * solid_angle)
        form = particle.form.exact(into_body(q, particle.orientation), particle.diameter_nm)
        waves.append(field * form * np.exp(-1j * (q @ place)))
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
