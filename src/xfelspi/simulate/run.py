"""From a recipe to a file: draw, diffract, read out, write; workers, seeds and resuming."""

import copy
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import Block, Geometry, PatternWriter, ShotTruth, compress_frame, gather
from xfelspi.shapes import Solid, make_solid, shape_name, sphere

from .blanks import Blanks, read_blanks
from .diffract import largest_q_per_nm
from .limits import require_one_scattering, require_sampling
from .readout import file_mask, read_out, unit_of
from .recipe import Recipe
from .scene import RANDOM, Forms
from .shot import Expectation, Shot, draw_shot, expected_photons, read_out_key, runner_up
from .table import FormFactor, form_factor_of
from .workers import Workers

BLOCK_SIZE = 128
"""Patterns written at once, fewer where they are large: what a kill costs at most, per worker."""

BLOCK_PIXELS = BLOCK_SIZE * 256 * 256
"""Of a block at most, whose memory a worker holds."""

BYTES_PER_PIXEL = 0.12
"""Of a compressed frame at a hundred thousand photons, truth included: for the estimate of disk space."""

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of it that is done."""


class Experiment:
    """A recipe made ready: its shape's form factor in memory, any shot at hand.

    Parameters
    ----------
    recipe : Recipe
        What to draw from.
    seed : int
        Shot i depends on (recipe, seed, i) alone; from 0 to 2⁶³ - 1.
    progress : callable, optional
        Told about the form factor's table when it has to be computed.

    Raises
    ------
    InputError
        If the shape is unknown or unusable, or too large for the detector to sample, or if the blanks that
        the recipe names cannot be used.

    Examples
    --------
    >>> from xfelspi.simulate import load_recipe
    >>> frame, truth = Experiment(load_recipe("benchmark"), seed=0).pattern(0)
    >>> frame.shape, frame.dtype.name
    ((256, 256), 'uint16')
    """

    def __init__(self, recipe: Recipe, seed: int, progress: Progress | None = None) -> None:
        if not 0 <= seed < 2**63:
            raise InputError(f"The seed is {seed}; it must lie between 0 and 2^63 - 1.")
        self.recipe = recipe
        self.seed = seed
        self.shape = shape_name(recipe.sample.shape)
        self.solids = _solids(recipe)
        self.forms = _forms(recipe, self.solids, progress)
        self.blanks: Blanks | None = read_blanks(recipe.background, recipe.beam, recipe.detector)

    @property
    def block_size(self) -> int:
        """Patterns written at once."""
        rows, columns = self.recipe.detector.shape
        return min(BLOCK_SIZE, max(1, BLOCK_PIXELS // (rows * columns)))

    @property
    def geometry(self) -> Geometry:
        """Where the detector stands."""
        detector = self.recipe.detector
        return Geometry(
            photon_energy_ev=self.recipe.beam.photon_energy_ev,
            distance_m=detector.distance_m,
            pixel_size_m=detector.pixel_size_m,
            centre_yx=detector.middle_yx,
        )

    @property
    def solid_sha256(self) -> str:
        """Hash of the geometry itself, so that a changed mesh file is another run."""
        return hashlib.sha256(b"".join(solid.fingerprint() for solid in self.solids)).hexdigest()

    @property
    def files_sha256(self) -> dict[str, str]:
        """Hashes of what the recipe's files hold, likewise."""
        found = {"blanks_sha256": self.blanks.sha256} if self.blanks else {}
        detector = self.recipe.detector
        if detector.mask_file:
            found["mask_sha256"] = hashlib.sha256(np.packbits(detector.mask == 0).tobytes()).hexdigest()
        return found

    def with_seed(self, seed: int) -> Self:
        """Return the same experiment under another seed; it shares the table."""
        other = copy.copy(self)
        other.seed = seed
        return other

    def draw(self, index: int) -> Shot:
        """Return what chance decided for one shot."""
        return draw_shot(self.recipe, self.forms, self.seed, index, self.blanks)

    def expect(self, shot: Shot) -> Expectation:
        """Return the mean photons of a shot."""
        recipe = self.recipe
        shifts = recipe.readout.shifts
        return expected_photons(shot, recipe.detector, recipe.background, missing_too=shifts)

    def read_out(self, expected: np.ndarray, index: int) -> np.ndarray:
        """Return the counts, (ny, nx) uint16, of shot `index` with these mean photons."""
        unit = unit_of(self.recipe.detector, self.recipe.readout, self.seed, index)
        return read_out(expected, unit, read_out_key(self.seed, index))

    def pattern(self, index: int) -> tuple[np.ndarray, ShotTruth]:
        """Return one frame, (ny, nx) uint16 counts, and its truth."""
        shot = self.draw(index)
        expectation = self.expect(shot)
        return self.read_out(expectation.photons, index), self._truth(shot, expectation)

    def _truth(self, shot: Shot, expectation: Expectation) -> ShotTruth:
        particles = shot.scene.particles
        fraction, separation_nm = runner_up(shot.scene, expectation.own)
        k = len(particles)
        return ShotTruth(
            label=shot.scene.label,
            shape=self.shape,
            diameter_nm=np.array([p.diameter_nm for p in particles]),
            position_nm=np.array([p.position_nm for p in particles]).reshape(k, 3),
            orientation=np.array([p.orientation for p in particles]).reshape(k, 4),
            fluence_per_um2=np.array(
                [
                    shot.pulse.fluence_per_um2(p.position_nm) * p.relative_fluence * expectation.gain
                    for p in particles
                ]
            ),
            photons=expectation.own,
            runner_up_fraction=fraction,
            separation_nm=separation_nm,
            foreign_fraction=shot.scene.foreign_fraction,
            expected_photons=expectation.total,
            background_photons=expectation.background,
            centre_offset_pixels=np.array(shot.pulse.centre_offset_pixels),
            pulse_energy_ratio=shot.pulse.energy_ratio,
        )


def simulate_to_file(
    path: Path,
    recipe: Recipe,
    n: int,
    seed: int,
    *,
    overwrite: bool = False,
    command: str = "",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Simulate `n` patterns into one file; killed, the same call goes on where it was.

    Parameters
    ----------
    path : Path
        The HDF5 file to write.
    recipe : Recipe
        What to draw from.
    n, seed : int
        Number of patterns, and the run's seed.
    overwrite : bool
        Replace a file of another run.
    command : str
        What the user typed, kept in the file.
    workers : int, optional
        Processes; by default one per core. The patterns do not depend on it.
    progress : callable, optional
        Told what is being done and the fraction done.

    Returns
    -------
    path : Path
        Of the complete file.

    Raises
    ------
    InputError
        If an input is unusable, or another run stands in the way.
    AlreadyComplete
        If the file holds this very run.
    """
    if n < 1:
        raise InputError(f"{n} patterns were asked for; ask for 1 or more with -n.")
    experiment = Experiment(recipe, seed, progress)
    detector = recipe.detector
    with PatternWriter(
        path,
        run=_run_header(experiment, n, command),
        geometry=experiment.geometry,
        shape=detector.shape,
        mask=file_mask(detector, recipe.readout),
        n=n,
        block_size=experiment.block_size,
        overwrite=overwrite,
        estimated_bytes_per_pattern=600 + int(BYTES_PER_PIXEL * detector.rows * detector.columns),
    ) as writer:
        n_blocks = -(-n // experiment.block_size)
        for index, block in _blocks(experiment, n, list(writer.missing_blocks), workers):
            writer.append(index, block)
            if progress is not None:
                progress(f"{experiment.shape} patterns", 1.0 - len(writer.missing_blocks) / n_blocks)
        return writer.finish()


def _solids(recipe: Recipe) -> tuple[Solid, ...]:
    """Return the sample's shape at its mean diameter, or every shape of the family."""
    sample = recipe.sample
    if sample.shape == RANDOM:
        if sample.proportions:
            raise InputError("The random family has no proportions to set; leave out sample.proportions.")
        members = recipe.body.family_members()
        return tuple(make_solid(shape, sample.diameter_nm, proportions) for shape, proportions in members)
    return (make_solid(sample.shape, sample.diameter_nm, sample.proportions, also=(RANDOM,)),)


def _forms(recipe: Recipe, solids: tuple[Solid, ...], progress: Progress | None) -> Forms:
    """Return form factors with tables that reach as far as the recipe's scenes may ask."""
    sample, body, company, detector = recipe.sample, recipe.body, recipe.company, recipe.detector
    largest_nm = sample.largest_diameter_nm * max(1.0, company.size_ratio[1])
    outer_nm = largest_nm + 2.0 * body.thickest_nm
    foreign_nm = (
        company.largest_foreign_nm(outer_nm, sample.density * body.heaviest) if company.needs_spheres else 0.0
    )
    energy_ev = recipe.beam.photon_energy_ev
    require_sampling(sample.diameter_nm, energy_ev, detector, max(outer_nm, foreign_nm) / sample.diameter_nm)
    require_one_scattering(largest_nm, sample.density, energy_ev)
    tilt_pixels = 5e-4 * max(recipe.beam.wavefront_tilt_mrad) * detector.distance_m / detector.pixel_size_m
    jitter = max(10.0, 4.0 * recipe.beam.centre_jitter_pixels) + min(tilt_pixels, 64.0)
    reach = largest_q_per_nm(energy_ev, detector, jitter)

    def form(solid: Solid, extent: float) -> FormFactor:
        tell = None
        if progress is not None:
            name = shape_name(sample.shape)

            def tell(fraction: float) -> None:
                progress(f"form factor of the {name}, once", fraction)

        return form_factor_of(solid, extent, tell)

    return Forms(
        tuple(form(solid, reach * outer_nm / 2.0 + body.largest_wave) for solid in solids),
        form(sphere(2.0), 0.0) if company.needs_spheres else None,
    )


def _run_header(experiment: Experiment, n: int, command: str) -> dict[str, Any]:
    return {
        "recipe": experiment.recipe.as_dict(),
        "shape": experiment.shape,
        "solid_sha256": experiment.solid_sha256,
        **experiment.files_sha256,
        "seed": experiment.seed,
        "n": n,
        "version": __version__,
        "command": command,
    }


def _blocks(
    experiment: Experiment, n: int, indices: list[int], workers: int | None
) -> Iterator[tuple[int, Block]]:
    """Compute blocks side by side, in order; a few ahead of the writer."""
    work = partial(_compute, experiment, n)
    if len(indices) < 2:  # not worth a process, which loads kernels anew
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # as in a worker
            yield from map(work, indices)
        return
    with Workers(work, workers) as compute:
        yield from compute(indices)


def _compute(experiment: Experiment, n: int, index: int) -> tuple[int, Block]:
    chunks, truths = [], []
    size = experiment.block_size
    for i in range(index * size, min((index + 1) * size, n)):
        frame, truth = experiment.pattern(i)
        chunks.append(compress_frame(frame))
        truths.append(truth)
    return index, gather(chunks, truths)
