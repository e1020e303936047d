"""The physics of one shot: particles scatter, waves add, pixels integrate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from xfelspi.constants import ELECTRON_RADIUS_NM
from xfelspi.shapes import Sphere

from ._light import interfere
from ._waves import coarse_amplitude, coarse_sphere
from ._widen import BAND, BEFORE, coarse_count, row_weights, widening_weights
from .beam import Pulse
from .detector import Detector
from .limits import require_sampling
from .particle import Particle
from .pixel import pair_ramps, pixel_nodes, points_along
from .qspace import momentum_transfer, polarization_factor, solid_angle, wavenumber_per_nm
from .scene import Scene
from .table import STEP, FormFactor

GEOMETRY_STEP = 0.15
"""Largest coarse step in units of the distance: √(P Ω) and q(x) themselves vary over that length."""


@dataclass(frozen=True)
class Light:
    """Mean photons that the particles scatter into the pixels.

    Parameters
    ----------
    photons : (ny, nx) float32
        Per pixel; pixels that are missing from the detector are not darkened here.
    own : (k,) float64
        Photons of each body alone on good pixels, the sample's particles first.
    """

    photons: np.ndarray
    own: np.ndarray


def scattered_light(scene: Scene, pulse: Pulse, detector: Detector) -> Light:
    """Mean photon count that the particles of a scene put into every pixel.

    Particles add as amplitudes, each in the fluence of its own place,

        A_j(q) = r_e ρ_j √(fluence_j P Ω) F_j(R_jᵀ q) exp(-i q·r_j),
        photons = Σ_j |A_j|² + 2 Re Σ_{j<k} A_j A_k* γ_jk s(Δφ_x / 2) s(Δφ_y / 2),

    with s(x) = sin x / x and Δφ the change of the pair's phase difference across the pixel: a pixel
    integrates over its fringes. γ_jk = exp(-d_jk² / 2ξ²) for a transverse coherence length ξ; each particle
    is taken as small against it. Particles beyond `pixel.BLUR_FROM` are summed like this about each of
    several Gauss-Legendre nodes of the pixel. Kinematic (first Born) limit: no absorption, no refraction.

    Parameters
    ----------
    scene : Scene
        Particles with positions in nm; an empty scene is a blank and gives zeros.
    pulse : Pulse
        Fluence and photon energy.
    detector : Detector
        Geometry in metres.

    Returns
    -------
    light : Light
        Before any background, mask or noise.

    Raises
    ------
    InputError
        If a particle's speckles are narrower than two pixels.

    Notes
    -----
    F is band-limited by the particle's size, so it is evaluated on every `step`-th pixel only, with the
    largest step that keeps the phase between nodes within `BAND`, and interpolated. What q·r has beyond
    x, y, x² and y² goes into those coarse amplitudes; the rest is an outer product of a row and a column.

    References
    ----------
    Als-Nielsen & McMorrow, Elements of Modern X-ray Physics, 2nd ed., ch. 1 and 4.
    """
    bodies = scene.bodies
    if not bodies:
        return Light(np.zeros(detector.shape, dtype=np.float32), np.zeros(0))
    places = np.array([particle.position_nm for particle in bodies])
    shifts = places - places[0]  # a phase common to all is not seen
    edges = [_edge_phase(particle, pulse, detector) for particle in bodies]
    residuals = [_residual_phase(shift, pulse.wavenumber_per_nm, detector) for shift in shifts]
    largest = max(map(sum, zip(edges, residuals, strict=True)))
    step = _coarse_step(largest, bodies, pulse, detector)
    nodes = pixel_nodes(points_along(max(edges), max(residuals)))
    # Between several nodes the coarse grid starts at the pixels' edge, so that no node lies before it.
    lead = 0.0 if len(nodes) == 1 else 0.5
    resolved = len(nodes) == 1 or largest <= BAND
    coarse = _coarse_waves(bodies, shifts, step, pulse, detector, (lead, lead)) if resolved else None
    along = [[(n, pair_ramps(axis, n, shifts, pulse, detector)) for n in nodes] for axis in (0, 1)]
    photons, own = np.empty(detector.shape, dtype=np.float32), np.empty(len(shifts))
    total, all_own = photons, own
    if len(nodes) > 1:
        total, all_own = np.zeros_like(photons), np.zeros_like(own)
    for (down, ramps_y), (across, ramps_x) in product(*along):
        waves, beyond_y, beyond_x = coarse, down.place + lead, across.place + lead
        if waves is None:  # they change too much from pixel to pixel: taken at each node itself
            waves = _coarse_waves(bodies, shifts, 1, pulse, detector, (-down.place, -across.place))
            beyond_y = beyond_x = 0.0
        interfere(
            waves,
            len(waves) // len(shifts),
            row_weights(step, detector.columns, beyond_x),
            widening_weights(step, beyond_y),
            ramps_x,
            ramps_y,
            detector.good,
            own,
            photons,
        )
        if len(nodes) > 1:
            total += np.float32(down.weight * across.weight) * photons
            all_own += down.weight * across.weight * own
    if len(nodes) > 1:
        np.maximum(total, np.float32(0.0), out=total)
    return Light(total, all_own)


def _coarse_waves(
    bodies: Sequence[Particle],
    shifts: np.ndarray,
    step: int,
    pulse: Pulse,
    detector: Detector,
    lead: tuple[float, float],
) -> np.ndarray:
    """Waves of all bodies on nodes that start `lead` (y, x) before the first pixel: (waves, rows, columns).

    Real and imaginary part of each, float32; the real part alone where a single body's is all there is.
    """
    middle, offset = detector.middle_yx, pulse.centre_offset_pixels
    origin = np.array([middle[axis] + offset[axis] + lead[axis] for axis in (0, 1)])
    coarse = np.empty(
        (len(shifts), 2, coarse_count(detector.rows, step), coarse_count(detector.columns, step)),
        dtype=np.float32,
    )
    nodes = _Nodes(step, pulse, detector, origin)
    reach = _reach(step, coarse.shape[2:], pulse, detector, origin)
    is_real = [
        _fill_coarse(coarse[j], particle, shifts[j], nodes, reach) for j, particle in enumerate(bodies)
    ]
    parts = 1 if all(is_real) and len(shifts) == 1 else 2
    return coarse[:, :parts].reshape(-1, *coarse.shape[2:])


def _coarse_step(largest: float, bodies: Sequence[Particle], pulse: Pulse, detector: Detector) -> int:
    """Return the pixels between coarse nodes: as many as keep every wave's phase within `BAND` per node."""
    for particle in bodies:
        require_sampling(particle.outer_diameter_nm, pulse.photon_energy_ev, detector)
    geometry = GEOMETRY_STEP * detector.distance_m / detector.pixel_size_m
    return max(int(min(BAND / largest, geometry, 64.0)), 1)


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Coarse nodes `step` pixels apart, `origin` (y, x) the pixel that the beam meets."""

    step: int
    pulse: Pulse
    detector: Detector
    origin: np.ndarray

    def about(self, shift: np.ndarray, out: np.ndarray) -> tuple[Any, ...]:
        """Return what kernels take last: the nodes, a body's place, and what to write to."""
        detector = self.detector
        return (
            self.pulse.wavenumber_per_nm,
            detector.pixel_size_m,
            detector.distance_m,
            self.origin,
            self.step,
            shift,
            detector.horizontal_polarization,
            out,
        )


def _fill_coarse(
    out: np.ndarray, particle: Particle, shift: np.ndarray, nodes: _Nodes, reach: tuple[float, float]
) -> bool:
    """Write A_j, less its outer-product phase, into (2, rows, columns) float32; tell whether it is real."""
    field = ELECTRON_RADIUS_NM * math.sqrt(
        nodes.pulse.fluence_per_um2(particle.position_nm) * particle.relative_fluence * 1e-6
    )
    out[:] = 0.0
    form, components = particle.form, _components(particle)
    where = nodes.about(shift, out)
    has_waves = any(any(component.wave) for component in components)
    if isinstance(form.solid, Sphere):
        for component in components:
            _add_sphere(component, field, where)
        return not has_waves and not shift.any()
    on_table = [c for c in components if _on_table(form, c, reach)]
    if on_table:
        _add_from_table(form, on_table, field, where)
    for component in components:
        if component not in on_table:
            _add_exact(out, form, component, field, shift, nodes)
    return not has_waves and len(on_table) == len(components) and form.coefficients.shape[0] == 1


@dataclass(frozen=True, eq=False)
class _Component:
    """A term w |det B| F(Bᵀq - wave) exp(i lead) of a particle's amplitude; F that of the unit solid.

    widening bounds |Bᵀq| along an axis of the table, over |q|: above 1 where a stretch lengthens a body in a
    direction in which its surface is nearer than elsewhere.
    """

    weight: float
    to_lab: np.ndarray
    radius_nm: float
    wave: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lead: float = 0.0
    widening: float = 1.0

    @property
    def wave_reach(self) -> float:
        """|wave|, in units of 1 / radius."""
        return math.hypot(*self.wave)


def _components(particle: Particle) -> list[_Component]:
    """Body and layers; a cosine of density is two of its halves, F(q ∓ κ) exp(± i phase)."""
    radius, stretch, to_lab = particle.diameter_nm / 2.0, particle.stretch, particle.to_lab
    det = particle.stretch_volume
    widening = 1.0 if stretch is None else math.sqrt(max((stretch * stretch).sum(axis=0).tolist()))
    components = [_Component(particle.electrons_per_nm3 * det, to_lab, radius, widening=widening)]
    for layer in particle.layers:
        weight = layer.electrons_per_nm3 * det
        if not any(layer.wave_per_nm):
            components.append(_Component(weight, to_lab, radius * layer.size, widening=widening))
            continue
        kappa = np.array(layer.wave_per_nm)
        wave = radius * layer.size * (kappa if stretch is None else stretch.T @ kappa)
        for sign in (1.0, -1.0):
            x, y, z = (sign * wave).tolist()
            lead = sign * layer.phase
            components.append(
                _Component(weight / 2.0, to_lab, radius * layer.size, (x, y, z), lead, widening)
            )
    return components


def _add_from_table(
    form: FormFactor, components: Sequence[_Component], field: float, where: tuple[Any, ...]
) -> None:
    coarse_amplitude(
        form.coefficients,
        np.array([c.to_lab.T * (c.radius_nm / STEP) for c in components]),
        np.array([c.wave for c in components]) / STEP,
        np.array([c.lead for c in components]),
        np.array([field * c.weight * c.radius_nm**3 for c in components]),
        *where,
    )


def _add_sphere(component: _Component, field: float, where: tuple[Any, ...]) -> None:
    coarse_sphere(
        component.to_lab.T * component.radius_nm,
        np.array(component.wave),
        component.lead,
        field * component.weight * component.radius_nm**3,
        *where,
    )


def _add_exact(
    out: np.ndarray,
    form: FormFactor,
    component: _Component,
    field: float,
    shift: np.ndarray,
    nodes: _Nodes,
) -> None:
    step, pulse, detector, origin = nodes.step, nodes.pulse, nodes.detector, nodes.origin
    k = pulse.wavenumber_per_nm
    y = ((np.arange(out.shape[1]) - BEFORE) * step - origin[0])[:, None] * detector.pixel_size_m
    x = ((np.arange(out.shape[2]) - BEFORE) * step - origin[1])[None, :] * detector.pixel_size_m
    z = detector.distance_m
    x, y = np.broadcast_arrays(x, y)
    q = momentum_transfer(x, y, z, k)
    light = polarization_factor(x, y, z, detector.horizontal_polarization) * solid_angle(
        x, y, z, detector.pixel_size_m
    )
    outer = k * (shift[0] * x + shift[1] * y) / z - k * shift[2] * (x**2 + y**2) / (2.0 * z**2)
    radius = component.radius_nm
    in_body = q @ component.to_lab - np.array(component.wave) / radius
    values = field * component.weight * np.sqrt(light) * form.exact(in_body, 2.0 * radius)
    values = values * np.exp(-1j * (q @ shift - outer - component.lead))
    out[0] += values.real.astype(np.float32)
    out[1] += values.imag.astype(np.float32)


def _reach(
    step: int, coarse_shape: tuple[int, ...], pulse: Pulse, detector: Detector, origin: np.ndarray
) -> tuple[float, float]:
    """Largest |q| on the detector as this pulse meets it, and on the coarse nodes that overhang it."""
    k, z, p = pulse.wavenumber_per_nm, detector.distance_m, detector.pixel_size_m
    corner = [max(o + 0.5, n - 0.5 - o) * p for o, n in zip(origin.tolist(), detector.shape, strict=True)]
    overhang = [
        max(o + BEFORE * step, (n - 1 - BEFORE) * step - o) * p
        for o, n in zip(origin.tolist(), coarse_shape, strict=True)
    ]
    return _q_per_nm(math.hypot(*corner), z, k), _q_per_nm(math.hypot(*overhang), z, k)


def _on_table(form: FormFactor, component: _Component, reach: tuple[float, float]) -> bool:
    """Tell whether the table serves the detector and holds every coarse node.

    The nodes overhang the detector into the table's margin; what is read there weighs little.
    """
    radius, wave = component.radius_nm * component.widening, component.wave_reach
    nodes = form.coefficients.shape[1] // 2 - 2
    return reach[0] * radius + wave <= form.extent and reach[1] * radius + wave <= nodes * STEP


def _edge_phase(particle: Particle, pulse: Pulse, detector: Detector) -> float:
    """Radians between neighbouring pixels of the wave from the particle's edge."""
    return (
        pulse.wavenumber_per_nm
        * detector.pixel_size_m
        / detector.distance_m
        * particle.outer_diameter_nm
        / 2.0
    )


def _residual_phase(shift: np.ndarray, k: float, detector: Detector) -> float:
    """Bound on the slope, per pixel, of the part of q·shift that the outer products leave.

    To leading order k [X x + Y y] ρ² / 2z³ and 3 k Z ρ⁴ / 8z⁴; differentiated at the farthest corner.
    """
    z, p = detector.distance_m, detector.pixel_size_m
    angle = math.hypot(*detector.shape) / 2.0 * p / z
    across = math.hypot(shift[0], shift[1])
    return k * p / z * (1.5 * across * angle**2 + 1.5 * abs(shift[2]) * angle**3)


def largest_q_per_nm(photon_energy_ev: float, detector: Detector, jitter_pixels: float = 10.0) -> float:
    """|q| in the farthest corner of the detector, with the beam off its middle by a jitter."""
    half = [(n / 2.0 + jitter_pixels) * detector.pixel_size_m for n in detector.shape]
    return _q_per_nm(math.hypot(*half), detector.distance_m, wavenumber_per_nm(photon_energy_ev))


def _q_per_nm(off_axis_m: float, distance_m: float, k_per_nm: float) -> float:
    return 2.0 * k_per_nm * math.sin(math.atan2(off_axis_m, distance_m) / 2.0)
