"""`--match`: the recipe that is drawn from takes after measured frames, and says what they told."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xfelspi.errors import InputError

from .opening import Opening, say_centre, say_pixels
from .terminal import Progress

if TYPE_CHECKING:
    from xfelspi.simulate import Recipe
    from xfelspi.studies.matching import Matched

Match = Annotated[
    Path | None,
    typer.Option(
        help="Measured frames that tell frame size, mask, scale, counts, how photons became counts, how "
        "strong the background is and how far the beam wanders; their labels are not looked at. What --set "
        "says stays."
    ),
]

_LOOKED_AT = 20  # frames, for pixels without a value
_FEW = 0.1  # of the frames


def require_match(measured: Path | None, opening: Opening) -> None:
    """Refuse options that say how to open frames where no file of them is named."""
    if measured is None and opening != Opening():
        raise InputError("How frames are to be opened is for those of --match; name a file with it.")


def recipe_of(
    name: str, changes: list[str], measured: Path | None, opening: Opening, folder: Path
) -> "Recipe":
    """Load a recipe, and bring it to the frames of measured shots, opened as the user says."""
    from xfelspi.simulate import load_recipe

    recipe = load_recipe(name, changes)
    if measured is None:
        return recipe
    import numpy as np

    from xfelspi.patterns import pick
    from xfelspi.studies.matching import match
    from xfelspi.studies.simulated import changed

    fixed = {change.partition("=")[0].strip() for change in changes}
    with opening.open(measured) as patterns, Progress() as progress:
        say_centre(measured, patterns)
        looked_at = np.unique(np.linspace(0, patterns.n - 1, _LOOKED_AT).astype(int))
        frames = pick(patterns, looked_at)
        say_pixels(measured, frames.n_nan, frames.n_negative)
        found = match(recipe, patterns, folder / f"{measured.stem}-mask", progress, fixed=fixed)
    matched = changed(recipe, found.settings)
    _say(measured, matched, found, fixed)
    return matched


def _say(measured: Path, recipe: "Recipe", found: "Matched", fixed: set[str]) -> None:
    """Tell on stderr what is simulated after the frames, so that nobody takes it for granted."""
    from xfelspi.studies.background import FRACTIONS, fractions
    from xfelspi.studies.matching import CONVERTING

    assert recipe.beam.photons_per_frame is not None  # which matching sets
    low, high = recipe.beam.photons_per_frame
    said = [
        f"particles of {recipe.sample.diameter_nm:.3g} nm on pixels of "
        f"{1e6 * recipe.detector.pixel_size_m:.0f} um at {recipe.detector.distance_m:g} m, as "
        f"{found.n_told} of {found.n_frames} frames tell",
        f"{low:,.0f} to {high:,.0f} photons a frame",
    ]
    if "conversion_gain" in found.settings.get("readout", {}):
        least, most = recipe.readout.conversion_gain
        threshold = recipe.readout.threshold_photons
        said.append(f"{least:.2f} to {most:.2f} counts a photon, from a charge of {threshold:g} on")
    elif fixed & CONVERTING:
        said.append("photons become counts as set")
    else:
        said.append("photons become counts as in the recipe, for the frames do not tell how")
    if set(FRACTIONS) & found.settings["background"].keys():
        said.append(f"background of {sum(fractions(recipe).values()):.1%} of the particles' light")
    if "wavefront_tilt_mrad" in found.settings["beam"]:
        said.append(f"a beam that wanders by {recipe.beam.centre_jitter_pixels:.2f} pixels")
    if found.n_told < _FEW * found.n_frames:
        said.append("few frames tell: if most pulses hit nothing, match those that xfel hits lists")
    typer.secho(f"{measured}: simulating frames like these: {'; '.join(said)}.", fg="yellow", err=True)
