"""The recipes of a study: rungs made by switching off what is not on yet, and the full one less a term."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from xfelspi import __version__
from xfelspi.simulate import TERMS, Recipe, without

from .declaration import Declaration
from .simulated import contents, studied_recipe
from .steps import digest


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One recipe of a study, to simulate, train and score with.

    Parameters
    ----------
    name : str
        Of the rung, or ``without-TERM``.
    changes : tuple of str
        Terms that it adds to the rung before, or the one it lacks.
    recipe : Recipe
        All of it.
    seeds : int
        Trainings.
    folder : str
        Its own: two variants of one recipe share it, so nothing is computed twice.
    """

    name: str
    changes: tuple[str, ...]
    recipe: Recipe
    seeds: int
    folder: str


def full_recipe(declared: Declaration) -> Recipe:
    """Return the full recipe with the study's settings; see `studied_recipe`."""
    return studied_recipe(declared.recipe, declared.settings)


def ladder(declared: Declaration) -> list[Variant]:
    """Return the rungs, from the bottom."""
    full = full_recipe(declared)
    off = set(TERMS)
    variants: list[Variant] = []
    for rung in declared.rung:
        off -= set(rung.adds)
        seeds = declared.seeds_to_confirm if rung.name in declared.confirm else declared.seeds_to_screen
        recipe = without(full, [term for term in TERMS if term in off])
        variants.append(_variant(declared, rung.name, rung.adds, recipe, seeds, variants))
    return variants


def left_out(declared: Declaration, rungs: list[Variant]) -> list[Variant]:
    """Return the full recipe less one term, for each term to leave out."""
    variants: list[Variant] = []
    for term in declared.leave_out:
        recipe = without(rungs[-1].recipe, [term])
        among = [*rungs, *variants]
        variants.append(
            _variant(declared, f"without-{term}", (term,), recipe, declared.seeds_to_screen, among)
        )
    return variants


def _variant(
    declared: Declaration,
    name: str,
    changes: tuple[str, ...],
    recipe: Recipe,
    seeds: int,
    earlier: list[Variant],
) -> Variant:
    folder = f"{name}-{_identity(declared, recipe)}"
    for other in earlier:
        if other.recipe == recipe:
            folder = other.folder
    return Variant(name=name, changes=changes, recipe=recipe, seeds=seeds, folder=folder)


def _identity(declared: Declaration, recipe: Recipe) -> str:
    decides = {
        "recipe": dataclasses.asdict(recipe),
        "shapes": declared.shapes,
        "n": [declared.n_train, declared.n_test],
        "epochs": declared.epochs,
        "version": __version__,
    }
    files = contents(recipe, declared.shapes)
    return digest({**decides, "files": files} if files else decides)[:8]
