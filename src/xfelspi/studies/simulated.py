"""Simulated files of a study: what is there already is not simulated again."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xfelspi.errors import InputError
from xfelspi.patterns import AlreadyComplete
from xfelspi.shapes import shape_name
from xfelspi.shapes.mesh import MESH_SUFFIXES
from xfelspi.simulate import Recipe, load_recipe, recipe_from_dict, simulate_to_file

TEST_SEED = 2**40
"""Of the simulated patterns to test on; trainings have seeds 0, 1, 2 …"""

Progress = Callable[[str, float], None]


def studied_recipe(name: str, settings: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return a recipe with the settings of a study, in which brightness is no cue.

    Parameters
    ----------
    name : str
        Of a recipe, or the path of a TOML file.
    settings : mapping of str to mapping
        Values to change, by section.

    Raises
    ------
    InputError
        If there is no such recipe, a setting is unknown or out of range, or brightness would be a cue.
    """
    recipe = changed(load_recipe(name), settings)
    if recipe.beam.photons_per_frame is None:
        raise InputError(
            f"With the recipe {name} several particles give more photons than one, and a network "
            "would learn brightness; set beam.photons_per_frame in the study's settings, as in [5e3, 1.2e5]."
        )
    return recipe


def changed(recipe: Recipe, settings: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return a recipe with some values changed, by section."""
    values = recipe.as_dict()
    for section, some in settings.items():
        values[section] = {**values.get(section, {}), **some}
    return recipe_from_dict(values)


def of_shape(recipe: Recipe, shape: str) -> Recipe:
    """Return the recipe with another shape in its sample."""
    return replace(recipe, sample=replace(recipe.sample, shape=shape))


def contents(recipe: Recipe, shapes: Sequence[str] = ()) -> list[str]:
    """Hashes of the files that a recipe and more shapes name, so that a changed file is another question."""
    meshes = [
        shape
        for shape in (recipe.sample.shape, *recipe.body.family, *shapes)
        if Path(shape).suffix.lower() in MESH_SUFFIXES
    ]
    named = [name for name in (recipe.detector.mask_file, recipe.background.file, *meshes) if name]
    return [_sha256(Path(name)) for name in named if Path(name).is_file()]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def simulated_file(folder: Path, recipe: Recipe, n: int, seed: int, command: str, progress: Progress) -> Path:
    """Simulate into a folder what is not there yet; return the file, named after the shape."""
    path = folder / f"{shape_name(recipe.sample.shape)}.h5"
    with contextlib.suppress(AlreadyComplete):
        simulate_to_file(path, recipe, n, seed, command=command, progress=progress)
    return path
