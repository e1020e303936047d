"""CPU milliseconds per pattern: the floor, ours and skopi's, for one to four particles.

The same shots of the `benchmark` recipe go through every route in turn, on one core. Ours (drawn,
diffracted, read out) and the floor (the same expected photons, only read out) end compressed in a file;
skopi's end in memory.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from xfelspi.constants import ELECTRON_RADIUS_NM
from xfelspi.patterns import Geometry, PatternWriter, ShotTruth, compress_frame, gather
from xfelspi.simulate import (
    Detector,
    Experiment,
    Particle,
    Pulse,
    Scene,
    Shot,
    load_recipe,
    scattered_light,
)
from xfelspi.simulate.particle import rotation_matrix
from xfelspi.simulate.qspace import momentum_transfer, polarization_factor, solid_angle

from .environment import python_with
from .page import machine, page_asked_for, publish

SKOPI = ("skopi==0.6.0", "numpy==1.23.5", "numba==0.68.1", "scipy==1.15.3", "matplotlib==3.10.9")
"""Its shots of several particles break with a numpy from 1.24 on."""

ROUNDS = 7
SHOTS, COPIES, SKOPI_SHOTS = 128, 78, 6
"""Per number of particles and round. Copies fill our file, so that its fixed cost weighs as in a long run."""

SKOPIS_SHARE = (
    "background.flat_fraction=0",
    "background.halo_fraction=0",
    "fluctuation.rms=0",
    "beam.centre_jitter_pixels=0",
)
"""The `benchmark` recipe without what skopi does not model."""

MEAN_PHOTONS = 95e3 / math.log(20.0)
"""Of the recipe's frames, log-uniform from 5e3 to 1e5; skopi's shots get as many."""

NOTES = f"""\
CPU milliseconds per pattern of 256 × 256 pixels on one core: medians of {ROUNDS} rounds in which the
routes take turns on the same shots of the `benchmark` recipe. Set-up is not counted.

* *Floor*: Poisson counts of the expected images, compressed and written.
* *Ours*: drawn and diffracted, fringes integrated over the pixels, background, field and jitter, then
  what the floor does. *Skopi's share*: only what skopi does as well, and the integrated fringes.
* *skopi* 0.6: diffracted, Poisson counts, left in memory. Its volume is handed over ready, since skopi
  fills it on an NVIDIA GPU only. `SPIExperiment` is the route that skopi documents; *by hand* calls its
  functions directly, without what the experiment repeats for every shot, and slices intensities instead
  of amplitudes where one particle allows it.
* *Over ours*: how many times our whole time, and in parentheses our time for skopi's share.
"""

Pattern = tuple[np.ndarray, ShotTruth]


class Skopi:
    """skopi in a process and an environment of its own."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, Path(__file__).with_name("skopi_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def ask(self, do: str, **question: Any) -> dict:
        """Have one function of the worker's `Side` called."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"do": do, **question}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"skopi's process ended with {self._process.wait()}; its error stands above.")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def as_skopi_takes_it(scene: Scene) -> dict:
    """Places and orientations; skopi knows one size and one fluence."""
    return {
        "positions_m": [np.multiply(p.position_nm, 1e-9).tolist() for p in scene.particles],
        "orientations": [p.orientation for p in scene.particles],
    }


def shots_by_number(experiment: Experiment) -> dict[int, list[int]]:
    """Find the first `SHOTS` shots with 1, 2, 3 and 4 particles."""
    found: dict[int, list[int]] = {1: [], 2: [], 3: [], 4: []}
    index = 0
    while min(map(len, found.values())) < SHOTS:
        found[len(experiment.draw(index).scene.particles)].append(index)
        index += 1
    return {number: indices[:SHOTS] for number, indices in found.items()}


def cpu_ms_written(experiment: Experiment, make: Callable[[int], Pattern], indices: Sequence[int]) -> float:
    """CPU milliseconds to make and write one pattern."""
    recipe, detector = experiment.recipe, experiment.recipe.detector
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        with PatternWriter(
            Path(folder) / "patterns.h5",
            run={"recipe": recipe.as_dict(), "seed": experiment.seed, "shape": experiment.shape},
            geometry=Geometry(
                photon_energy_ev=recipe.beam.photon_energy_ev,
                distance_m=detector.distance_m,
                pixel_size_m=detector.pixel_size_m,
                centre_yx=detector.middle_yx,
            ),
            shape=detector.shape,
            mask=detector.mask,
            n=COPIES * len(indices),
            block_size=len(indices),
        ) as writer:
            for block in range(COPIES):
                chunks, truth = [], []
                for index in indices:
                    frame, its_truth = make(index)
                    chunks.append(compress_frame(frame))
                    truth.append(its_truth)
                writer.append(block, gather(chunks, truth))
            writer.finish()
        return 1e3 * (time.process_time() - start) / (COPIES * len(indices))


def read_out_alone(experiment: Experiment, indices: Sequence[int]) -> Callable[[int], Pattern]:
    """Return the floor: expected photons are known already, counts are drawn from them."""
    known = {
        index: (experiment.expect(experiment.draw(index)).photons, experiment.pattern(index)[1])
        for index in indices
    }

    def make(index: int) -> Pattern:
        expected, truth = known[index]
        return experiment.read_out(expected, index), truth

    return make


def cpu_ms_in_memory(experiment: Experiment, shots: Sequence[Shot]) -> float:
    """CPU milliseconds from a drawn shot to its counts."""
    start = time.process_time()
    for index, shot in enumerate(shots):
        experiment.read_out(experiment.expect(shot).photons, index)
    return 1e3 * (time.process_time() - start) / len(shots)


def exact_photons(particle: Particle, pulse: Pulse, detector: Detector) -> np.ndarray:
    """r_e² ρ² P Ω fluence |F|² in the middle of every pixel, written out."""
    y, x = np.meshgrid(
        *detector.positions_m(np.arange(detector.rows), np.arange(detector.columns)), indexing="ij"
    )
    z = detector.distance_m
    q = momentum_transfer(x, y, z, pulse.wavenumber_per_nm) @ rotation_matrix(particle.orientation)
    electrons = particle.electrons_per_nm3 * np.abs(particle.form.exact(q, particle.diameter_nm))
    light = polarization_factor(x, y, z) * solid_angle(x, y, z, detector.pixel_size_m)
    return ELECTRON_RADIUS_NM**2 * pulse.peak_fluence_per_um2 * 1e-6 * light * electrons**2


def amplitude_error(photons: np.ndarray, exact: np.ndarray) -> float:
    """Rms error of the amplitude relative to its rms."""
    return float(np.sqrt(np.mean((np.sqrt(photons) - np.sqrt(exact)) ** 2) / exact.mean()))


def hand_over_volume(particle: Particle, folder: Path, grid: dict, skopi: Skopi) -> None:
    """Compute electrons scattering in phase, ρ F(q), on skopi's grid, exact."""
    axis = 2e-9 * np.pi * grid["voxel_per_m"] * (np.arange(grid["nodes"]) - grid["nodes"] // 2)
    volume = np.empty((len(axis),) * 3, dtype=complex)
    for plane, qx in zip(volume, axis, strict=True):
        q = np.stack(np.meshgrid(qx, axis, axis, indexing="ij"), axis=-1)[0]
        plane[:] = particle.electrons_per_nm3 * particle.form.exact(q, particle.diameter_nm)
    np.save(folder / "volume.npy", volume)
    skopi.ask("take_volume", path=str(folder / "volume.npy"))


def agreement(particle: Particle, detector: Detector, pulse: Pulse, folder: Path, skopi: Skopi) -> str:
    """Send one particle through the exact formula, our fast route and skopi: errors and absolute numbers."""
    scene = Scene((particle,))
    skopi.ask(
        "expected",
        fluence_per_um2=pulse.peak_fluence_per_um2,
        shot=as_skopi_takes_it(scene),
        path=str(folder / "expected.npy"),
    )
    exact = exact_photons(particle, pulse, detector)
    ours = scattered_light(scene, pulse, detector).photons
    theirs = np.load(folder / "expected.npy")
    return (
        f"One particle of {particle.diameter_nm:g} nm in {pulse.peak_fluence_per_um2:g} photons/µm² scatters "
        f"{exact.sum():.0f} photons\ninto the pixels by the exact formula, {ours.sum():.0f} by ours, "
        f"{theirs.sum():.0f} by skopi; rms errors of the amplitude\nrelative to its rms: "
        f"{amplitude_error(ours, exact):.1e} (ours) and {amplitude_error(theirs, exact):.1e} (skopi).\n"
    )


def table(times: dict[int, dict[str, list[float]]]) -> str:
    """Medians, and skopi's over ours."""
    lines = [
        "| particles | floor | ours | ours, skopi's share | skopi `SPIExperiment` | over ours "
        "| skopi by hand | over ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for number, routes in times.items():
        ms = {name: median(values) for name, values in routes.items()}
        cells = [str(number), f"{ms['floor']:.2f}", f"**{ms['ours']:.2f}**", f"{ms['share']:.2f}"]
        for theirs in ("experiment", "functions"):
            ratio, fair = ms[theirs] / ms["ours"], ms[theirs] / ms["share"]
            cells += [f"{ms[theirs]:.1f}", f"{ratio:.0f} ({fair:.0f})"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write if asked to."""
    page = page_asked_for(__doc__)
    python = python_with(SKOPI, newest=(3, 11))
    experiment = Experiment(load_recipe("benchmark"), seed=1)
    plain = Experiment(load_recipe("benchmark", SKOPIS_SHARE), seed=1)
    recipe, detector = experiment.recipe, experiment.recipe.detector
    energy_ev = recipe.beam.photon_energy_ev
    pulse = Pulse(photon_energy_ev=energy_ev, peak_fluence_per_um2=1e10, focus_fwhm_um=math.inf)
    particle = Particle(
        experiment.forms.family[0],
        recipe.sample.diameter_nm,
        recipe.sample.density,
        orientation=experiment.draw(0).scene.particles[0].orientation,
    )
    photons_at_1e10 = float(scattered_light(Scene((particle,)), pulse, detector).photons.sum())

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core, for skopi's process as well
    skopi = Skopi(python)
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        folder = Path(name)
        grid = skopi.ask(
            "set_up",
            photon_energy_ev=energy_ev,
            pixels=detector.rows,
            pixel_size_m=detector.pixel_size_m,
            distance_m=detector.distance_m,
        )
        hand_over_volume(particle, folder, grid, skopi)
        agrees = agreement(particle, detector, pulse, folder, skopi)

        def skopi_ms(route: str, number: int, shots: list[Shot]) -> float:
            fluence = 1e10 * MEAN_PHOTONS / number / photons_at_1e10
            scenes = [as_skopi_takes_it(shot.scene) for shot in shots]
            return skopi.ask(route, fluence_per_um2=fluence, shots=scenes)["cpu_ms"]

        times: dict[int, dict[str, list[float]]] = {}
        routes: dict[tuple[int, str], Callable[[], float]] = {}
        for number, indices in shots_by_number(experiment).items():
            floor = read_out_alone(experiment, indices)
            shots = [plain.draw(index) for index in indices]
            routes[number, "ours"] = partial(cpu_ms_written, experiment, experiment.pattern, indices)
            routes[number, "floor"] = partial(cpu_ms_written, experiment, floor, indices)
            routes[number, "share"] = partial(cpu_ms_in_memory, plain, shots)
            routes[number, "experiment"] = partial(skopi_ms, "experiment", number, shots[:SKOPI_SHOTS])
            routes[number, "functions"] = partial(skopi_ms, "functions", number, shots[:SKOPI_SHOTS])
        for round_number in range(1 + ROUNDS):
            for (number, name), route in routes.items():
                taken = route()
                if round_number > 0:  # the first compiles and fills caches
                    times.setdefault(number, {}).setdefault(name, []).append(taken)
    skopi.close()
    publish("peers", "\n".join([table(times), "", NOTES, agrees, machine()]), page)


if __name__ == "__main__":
    main()
