"""`--match`: the recipe that is drawn from takes after measured frames, and says what they told."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .terminal import Progress

if TYPE_CHECKING:
    from xfelspi.simulate import Recipe

Match = Annotated[
    Path | None,
    typer.Option(
        help="Measured frames that tell frame size, mask, scale, counts, how photons became counts and how "
        "far the beam wanders; their labels are not looked at. What --set says stays."
    ),
]


def recipe_of(name: str, changes: list[str], measured: Path | None, folder: Path) -> "Recipe":
    """Load a recipe, and bring it to the frames of measured shots."""
    from xfelspi.simulate import load_recipe, with_settings

    recipe = load_recipe(name, changes)
    if measured is None:
        return recipe
    from xfelspi.patterns import PatternSet
    from xfelspi.studies.matching import match
    from xfelspi.studies.simulated import changed

    with PatternSet.open(measured) as patterns, Progress() as progress:
        learned = match(recipe, patterns, folder / f"{measured.stem}-mask", progress)
    matched = with_settings(changed(recipe, learned), changes)
    _say(measured, matched, learned)
    return matched


def _say(measured: Path, recipe: "Recipe", learned: dict[str, dict[str, Any]]) -> None:
    """Tell on stderr what is simulated after the frames, so that nobody takes it for granted."""
    assert recipe.beam.photons_per_frame is not None  # which matching sets
    low, high = recipe.beam.photons_per_frame
    said = [
        f"pixels of {1e6 * recipe.detector.pixel_size_m:.0f} um at {recipe.detector.distance_m:g} m",
        f"{low:,.0f} to {high:,.0f} photons a frame",
    ]
    if "conversion_gain" in learned.get("readout", {}):
        gain = sum(recipe.readout.conversion_gain) / 2
        said.append(f"{gain:.2f} counts a photon, from a charge of {recipe.readout.threshold_photons:g} on")
    else:
        said.append("how photons became counts as in the recipe, for the frames do not tell")
    if "wavefront_tilt_mrad" in learned["beam"]:
        said.append(f"a beam that wanders by {recipe.beam.centre_jitter_pixels:.2f} pixels")
    typer.secho(f"{measured}: simulating frames like these: {'; '.join(said)}.", fg="yellow", err=True)
