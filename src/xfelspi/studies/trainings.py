"""Who is trained on what in a geometry study."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from xfelspi import __version__
from xfelspi.simulate import Recipe
from xfelspi.simulate.scene import RANDOM

from .protocols import Geometry, Protocol
from .simulated import changed, contents, studied_recipe
from .steps import digest


@dataclass(frozen=True, kw_only=True)
class Training:
    """One network of a study, to train with every seed.

    Parameters
    ----------
    name : str
        The protocol's, or PROTOCOL-without-GROUP.
    protocol : Protocol
        That it belongs to.
    recipe, taught : Recipe
        For test, and for training, whatever its sample's shape.
    shapes : tuple of str
        That take turns in training.
    left_out : str or None
        The group whose shapes are not among them.
    n_held_each : int
        Patterns of each shape that thresholds are fixed on.
    folder : str
        Its own.
    """

    name: str
    protocol: Protocol
    recipe: Recipe
    taught: Recipe
    shapes: tuple[str, ...]
    left_out: str | None
    n_held_each: int
    folder: str

    def has_seen(self, shape: str) -> str:
        """Say whether it trained on a shape: "yes", "stretched" as a member of the random family, or "no"."""
        if shape in self.shapes:
            return "yes"
        return "stretched" if RANDOM in self.shapes and shape in self.taught.body.family else "no"


def trainings(declared: Geometry) -> list[Training]:
    """Return all networks to train, protocol by protocol.

    Raises
    ------
    InputError
        If a recipe or its settings do not serve.
    """
    found = []
    for protocol in declared.protocol:
        use = declared.recipes[protocol.recipe]
        recipe = studied_recipe(use.recipe, use.settings)
        if not protocol.one_group_out:
            n_each = declared.n_many // len(protocol.train)
            found.append(_training(declared, protocol, recipe, protocol.train, None, n_each))
            continue
        # One share for all groups, so that their networks hold out the same files.
        n_each = declared.n_many // len(declared.shapes)
        for group, left_out in declared.groups.items():
            shapes = tuple(shape for shape in declared.shapes if shape not in left_out)
            found.append(_training(declared, protocol, recipe, shapes, group, n_each))
    return found


def _training(
    declared: Geometry,
    protocol: Protocol,
    recipe: Recipe,
    shapes: tuple[str, ...],
    left_out: str | None,
    n_each: int,
) -> Training:
    name = protocol.name if left_out is None else f"{protocol.name}-without-{left_out}"
    taught = changed(recipe, protocol.settings)
    decides: list[Any] = [asdict(taught), shapes, declared.n_train, declared.epochs, __version__]
    if protocol.network != Protocol.network:  # studies of the usual one keep their folders
        decides.append(protocol.network)
    decides += contents(taught, shapes)
    return Training(
        name=name,
        protocol=protocol,
        recipe=recipe,
        taught=taught,
        shapes=shapes,
        left_out=left_out,
        n_held_each=max(n_each, 20),
        folder=f"{name.replace(' ', '-')}-{digest(decides)[:8]}",
    )
