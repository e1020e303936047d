"""One shot: drawn from a recipe by chance, then turned into expected photons by physics alone."""

import math
from dataclasses import dataclass, replace

import numpy as np

from xfelspi.errors import InputError

from ._light import frame_light, lit_sum
from ._widen import row_weights, widen_columns, widening_weights
from .background import Background
from .beam import Pulse
from .blanks import Blanks
from .chance import BODY, COMPANY, DRAW, PAIR, READ_OUT, hash64, stream
from .detector import Detector
from .diffract import scattered_light
from .halo import halo_corner, halo_template
from .recipe import Recipe
from .scene import RANDOM, Forms, Scene
from .surround import NOTHING, Surround, draw_surround, light_beside, strengths

SCARCEST, MOST = 1e-25, 1e30
"""Photons a frame may hold for single precision to keep its digits."""


@dataclass(frozen=True)
class Shot:
    """What one pulse did, before physics and detector: everything that was left to chance.

    Parameters
    ----------
    scene : Scene
        The particles.
    pulse : Pulse
        The X-rays.
    photons : float or None
        Expected photons on good pixels, where the recipe fixes them.
    field : (rows, columns) float32 or None
        Coarse nodes of the multiplicative field; None for an even detector.
    field_step : int
        Pixels between its nodes.
    surround : Surround
        The light beside the particles.
    """

    scene: Scene
    pulse: Pulse
    photons: float | None
    field: np.ndarray | None
    field_step: int
    surround: Surround = NOTHING


@dataclass(frozen=True)
class Expectation:
    """Mean photons of one shot.

    Parameters
    ----------
    photons : (ny, nx) float32
        Per pixel; 0 where there is no pixel, unless asked for.
    total : float
        Their sum over good pixels.
    background : float
        The part of it that no particle scattered coherently, before field and blobs.
    own : (k,) float64
        Photons of each particle alone on good pixels, before the field.
    gain : float
        Factor on the fluence of the scene that the recipe's photon number asked for; else 1.
    """

    photons: np.ndarray
    total: float
    background: float
    own: np.ndarray
    gain: float


def read_out_key(seed: int, index: int) -> int:
    """64 bits that decide the read-out of one shot."""
    return hash64(seed, READ_OUT, index)


def draw_shot(recipe: Recipe, forms: Forms, seed: int, index: int, blanks: Blanks | None = None) -> Shot:
    """Draw shot `index` of a run; it depends on (recipe, seed, index) alone.

    Parameters
    ----------
    recipe : Recipe
        The populations.
    forms : Forms
        Form factors of what the recipe's scenes are made of.
    seed, index : int
        Run and shot.
    blanks : Blanks, optional
        What `read_blanks` makes of the file that `background.file` names.
    """
    rng = stream(seed, DRAW, index)
    single_comes_first = hash64(seed, PAIR, index // 2) % 2 == 0
    is_single = single_comes_first == (index % 2 == 0)
    scene, pulse, tilt_mrad = _draw_scene(recipe, forms, seed, index, rng, is_single)
    photons = None
    if recipe.beam.photons_per_frame is not None:
        low, high = recipe.beam.photons_per_frame
        photons = low * (high / low) ** rng.random()
    field = None
    if recipe.fluctuation.rms > 0.0:
        field = recipe.fluctuation.draw(rng, recipe.detector)
    surround = draw_surround(recipe.background, recipe.fluctuation, recipe.detector, blanks, seed, index)
    pulse, surround = _tilt(pulse, surround, tilt_mrad, recipe.detector)
    return Shot(scene, pulse, photons, field, recipe.fluctuation.step, surround)


def _tilt(
    pulse: Pulse, surround: Surround, tilt_mrad: tuple[float, float], detector: Detector
) -> tuple[Pulse, Surround]:
    """Move the pattern's centre by the tilt of the wave at the particles; halo and apertures stay."""
    if tilt_mrad == (0.0, 0.0):
        return pulse, surround
    pixels = 1e-3 * detector.distance_m / detector.pixel_size_m
    dx, dy = pixels * tilt_mrad[0], pixels * tilt_mrad[1]
    y, x = pulse.centre_offset_pixels
    from_y, from_x = surround.centre_shift_pixels
    return (
        replace(pulse, centre_offset_pixels=(y + dy, x + dx)),
        replace(surround, centre_shift_pixels=(from_y - dy, from_x - dx)),
    )


def _draw_scene(
    recipe: Recipe, forms: Forms, seed: int, index: int, rng: np.random.Generator, is_single: bool
) -> tuple[Scene, Pulse, tuple[float, float]]:
    sample, company = recipe.sample, recipe.company
    chance = None if company.leaves_nothing_to_chance else stream(seed, COMPANY, index)
    kind = None
    if sample.arrival == "pairs":
        kind = "single" if is_single else "multiple" if chance is None else company.draw_negative(chance)
    number = 0 if kind in ("droplet", "blank") else sample.draw_number(rng, single=kind != "multiple")
    pulse = recipe.beam.draw(rng)
    place = recipe.beam.draw_place(rng)
    pulse, tilt_mrad = recipe.beam.disturb(pulse, place, seed, index)
    body = None if recipe.body.is_plain and sample.shape != RANDOM else recipe.body
    particles = sample.draw(
        rng,
        forms,
        number,
        place,
        body,
        None if body is None else stream(seed, BODY, index),
        *(company.draw_cluster(chance, number) if chance else ()),
    )
    if forms.spheres is None or chance is None:
        return Scene(particles), pulse, tilt_mrad
    contaminated = None if kind is None else kind == "contaminated"
    foreign = company.draw_pieces(chance, forms.spheres, particles, contaminated)
    if kind == "droplet" or (kind is None and chance.random() < company.droplet):
        beside = sample.relative_fluence, particles, sample.farthest_step
        foreign.append(company.draw_droplet(chance, forms.spheres, place, *beside))
    return Scene(particles, tuple(foreign)), pulse, tilt_mrad


def expected_photons(
    shot: Shot, detector: Detector, background: Background, *, missing_too: bool = False
) -> Expectation:
    """Mean photon count in every pixel of one shot: a pure function.

    photons = field · (scattered + background) on good pixels, a part of it moved into smooth blobs where the
    recipe says so. Where the recipe fixes the total, the scattered part and the background get their
    fractions of it, and the sum with the field is brought to it.

    Parameters
    ----------
    shot : Shot
        What was drawn.
    detector : Detector
        Geometry and mask.
    background : Background
        Its mean strength; the pulse energy scales it where it is given in photons.
    missing_too : bool
        Give the light where there is no pixel as well, for panels that are not where they should be; the
        numbers beside it are of good pixels all the same.

    Returns
    -------
    expectation : Expectation
        Before any noise; see `read_out`.

    Raises
    ------
    InputError
        If the particles are too dark to be given the photons that the recipe fixes, or too bright to count.
    """
    pulse = shot.pulse
    light = scattered_light(shot.scene, pulse, detector)
    good = detector.good
    n_good = detector.n_good
    surround = shot.surround
    beside = strengths(background, surround, pulse, detector, shot.photons)
    gain = 1.0
    scattered = 0.0
    spread_out = surround.blobs_fraction > 0.0
    if shot.photons is not None or background.incoherent_fraction > 0.0 or spread_out:
        scattered = lit_sum(light.photons, good)
    if shot.photons is not None and shot.scene.bodies:
        if not scattered > SCARCEST:
            raise InputError(
                f"beam.photons_per_frame asks for {shot.photons:.3g} photons, but the particles send "
                "none onto the good pixels; raise beam.pulse_energy_mj, or move the detector nearer."
            )
        left = shot.photons - beside.flat - beside.halo - beside.beside
        gain = left / (scattered * (1.0 + background.incoherent_fraction))
    incoherent = background.incoherent_fraction * gain * scattered
    keep = 1.0 - surround.blobs_fraction
    added, to_apply = 0.0, gain
    if beside.beside > 0.0 or incoherent > 0.0 or spread_out:
        everything = gain * scattered + incoherent + beside.total
        added = light_beside(
            light.photons, gain, incoherent, beside, everything, surround, background, pulse, detector
        )
        to_apply = 1.0
    (y, x), (dy, dx) = pulse.centre_offset_pixels, surround.centre_shift_pixels

    photons = np.empty(detector.shape, dtype=np.float32)
    weights = widening_weights(shot.field_step)
    nodes = np.empty((0, 0), dtype=np.float32) if shot.field is None else shot.field
    field = np.empty((1, len(nodes), detector.columns), dtype=np.float32)
    widen_columns(nodes[None], row_weights(shot.field_step, detector.columns), shot.field_step, field)
    total = frame_light(
        light.photons,
        np.float32(to_apply),
        np.float32(keep * beside.flat / n_good),
        np.float32(keep * beside.halo),
        halo_template(detector, background.halo_decay_pixels),
        halo_corner((y + dy, x + dx)),
        field,
        weights,
        good,
        missing_too,
        photons,
    )
    if not total < MOST:
        raise InputError(
            f"A frame of {total:.3g} photons is beyond what can be counted; lower beam.pulse_energy_mj, or "
            "widen beam.focus_fwhm_um."
        )
    scale = 1.0
    if shot.photons is not None and shot.scene.bodies:
        scale = shot.photons / total
        photons *= np.float32(scale)
    return Expectation(
        photons=photons,
        total=total * scale,
        background=(beside.flat + beside.halo + added) * scale,
        own=light.own[: len(shot.scene.particles)] * (gain * scale),
        gain=gain * scale,
    )


def runner_up(scene: Scene, own: np.ndarray) -> tuple[float, float]:
    """Return the second brightest particle's share of all photons, and its distance from the brightest.

    Parameters
    ----------
    scene : Scene
        The particles.
    own : (k,) float64
        Photons of each alone.

    Returns
    -------
    fraction, separation_nm : float
        0 and NaN with fewer than two particles; the separation is transverse to the beam.
    """
    if len(scene.particles) < 2:
        return 0.0, math.nan
    second, first = np.argsort(own, kind="stable")[-2:]
    a, b = scene.particles[first].position_nm, scene.particles[second].position_nm
    total = own.sum()
    return float(own[second] / total) if total > 0.0 else 0.0, math.hypot(a[0] - b[0], a[1] - b[1])
