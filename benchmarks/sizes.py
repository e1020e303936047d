"""How well the size of a particle is told from its pattern: simulated singles whose volume is known.

The truth is the diameter of the sphere of the particle's volume, water around it included.
"""

import argparse
import math
from itertools import count
from pathlib import Path

import numpy as np

from xfelspi.hits import SphereFit, diameter_per_phase_nm
from xfelspi.simulate import Experiment, Particle, load_recipe

from .page import machine, publish

RECIPES = ("benchmark", "lcls-amo")
SHAPES = ("sphere", "soccer", "icosahedron", "octahedron", "cube", "tetrahedron", "capsid", "torus")
COMPACT = SHAPES[:5]
"""Filled and nearly as thick in all directions: the rest show where a sphere no longer tells the volume."""
LEAST_PHOTONS = 5e3
SEED = 31


def main() -> None:
    """Simulate, measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=500, help="singles of each shape and recipe")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    lines = [
        "| recipe, shape | median error | 90 % below | bias | within 1 σ | within 2 σ |",
        "|---|---|---|---|---|---|",
    ]
    of_compact = []
    for recipe in RECIPES:
        for shape in SHAPES:
            errors, sigmas = measured(recipe, shape, asked.n)
            size, pull = np.abs(errors), np.abs(errors) / sigmas
            lines.append(
                f"| {recipe}, {shape} | **{100 * np.median(size):.1f} %** "
                f"| {100 * np.quantile(size, 0.9):.1f} % | {100 * np.median(errors):+.1f} % "
                f"| {100 * (pull < 1).mean():.0f} % | {100 * (pull < 2).mean():.0f} % |"
            )
            if shape in COMPACT:
                of_compact.append(np.median(size))
    worst = (
        f"Of compact shapes ({', '.join(COMPACT)}) the largest median error is "
        f"{100 * max(of_compact):.1f} %. "
        f"{asked.n} singles of more than {LEAST_PHOTONS:,.0f} photons each; σ is the error "
        "given with the size."
    )
    publish("sizes", "\n".join([*lines, "", worst, "", machine()]), asked.write)


def measured(recipe: str, shape: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return relative errors of the diameters of n singles, and what they are said to be."""
    experiment = Experiment(load_recipe(recipe, [f'sample.shape="{shape}"']), seed=SEED)
    frames, truths = [], []
    for index in count():
        frame, truth = experiment.pattern(index)
        if truth.label == "single" and truth.expected_photons > LEAST_PHOTONS:
            frames.append(frame)
            truths.append(volume_diameter_nm(experiment.draw(index).scene.particles[0]))
        if len(frames) == n:
            break
    detector = experiment.recipe.detector
    pixel_rad = detector.pixel_size_m / detector.distance_m
    fit = SphereFit(detector.mask == 0, experiment.geometry.centre_yx, pixel_rad)
    found = fit(np.stack(frames))
    errors = found.phase * diameter_per_phase_nm(experiment.geometry) / np.array(truths) - 1
    return errors, found.relative_error


def volume_diameter_nm(particle: Particle) -> float:
    """Diameter of the sphere with the volume that the particle's outermost layer encloses."""
    of_unit = particle.form.solid.volume_nm3 * particle.stretch_volume  # radius 1
    return particle.outer_diameter_nm * (of_unit * 3 / (4 * math.pi)) ** (1 / 3)


if __name__ == "__main__":
    main()
