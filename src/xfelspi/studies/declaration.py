"""What a fidelity study will do, declared in TOML before it runs."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

from xfelspi.errors import InputError
from xfelspi.simulate import TERMS

from .declaring import read_declaration, require_among, require_whole_numbers

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_WHOLE_NUMBERS = {
    "n_train": (20, 1_000_000),
    "n_test": (20, 1_000_000),
    "epochs": (1, 1_000),
    "seeds_to_screen": (1, 100),
    "seeds_to_confirm": (1, 100),
}


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A step of the ladder: a name, and the terms that it adds to the rung before."""

    name: str
    adds: tuple[str, ...]

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Quick:
    """What `--quick` does instead: fewer patterns, some rungs, one seed."""

    n_train: int = 600
    n_test: int = 200
    epochs: int = 2
    rungs: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "quick.", _WHOLE_NUMBERS)


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A fidelity study, before it runs.

    Parameters
    ----------
    recipe : str
        The full recipe: a name, or the path of a TOML file.
    match : bool
        Whether the recipe takes frame, mask, scale and counts from measured shots; see `matching.match`.
    settings : dict
        Values that differ from it on every rung, as in ``{"beam": {"photons_per_frame": [5e3, 1e5]}}``.
    shapes : tuple of str
        To simulate, each an equal share. The first is the sample's own, which the metrics look at.
    n_train, n_test : int
        Patterns per recipe and seed, over all shapes.
    epochs : int
        Of each training.
    seeds_to_screen, seeds_to_confirm : int
        Trainings of every recipe, and of those named in `confirm`.
    confirm : tuple of str
        Rungs to train with `seeds_to_confirm`.
    leave_out : tuple of str
        Terms to take from the full recipe, one at a time.
    rung : tuple of Rung
        The ladder, from the bottom. The first adds nothing, all together add every term.
    quick : Quick
        For a look in a few minutes.

    Raises
    ------
    InputError
        If a number is out of range, or the ladder is none; the sentence names the key.
    """

    recipe: str
    rung: tuple[Rung, ...]
    match: bool = True
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    shapes: tuple[str, ...] = ("icosahedron",)
    n_train: int = 12_000
    n_test: int = 2_000
    epochs: int = 6
    seeds_to_screen: int = 1
    seeds_to_confirm: int = 3
    confirm: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    quick: Quick = field(default_factory=Quick)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        require_whole_numbers(self, "", _WHOLE_NUMBERS)
        if not self.shapes:
            raise InputError(
                "The study's shapes are empty; name one or more, as in shapes = ['icosahedron']."
            )
        self._require_a_ladder()
        names = [rung.name for rung in self.rung]
        for key, chosen in (("confirm", self.confirm), ("quick.rungs", self.quick.rungs)):
            require_among(key, chosen, names, "rungs")
        for key, terms in (("leave_out", self.leave_out), ("quick.leave_out", self.quick.leave_out)):
            for term in terms:
                _require_term(key, term)

    def _require_a_ladder(self) -> None:
        if len(self.rung) < 2:
            raise InputError(
                f"The study has {len(self.rung)} [[rung]]; a ladder has 2 or more, from no term to all."
            )
        if self.rung[0].adds:
            raise InputError(
                f"The study's rung[0].adds is {list(self.rung[0].adds)}; the first rung adds nothing: "
                "what is climbed from."
            )
        names: set[str] = set()
        stands_on: dict[str, str] = {}
        for i, rung in enumerate(self.rung):
            if not _NAME.fullmatch(rung.name):
                raise InputError(
                    f"The study's rung[{i}].name is {rung.name!r}; it becomes a folder: up to 40 of a-z, "
                    "0-9 and -, no - first."
                )
            if rung.name in names:
                raise InputError(f"The study's rung[{i}].name {rung.name!r} is taken; give it another.")
            names.add(rung.name)
            for term in rung.adds:
                _require_term(f"rung[{i}].adds", term)
                if term in stands_on:
                    raise InputError(
                        f"The study's rung[{i}].adds has {term!r}, which stands on the rung "
                        f"{stands_on[term]!r} already; a term is added once."
                    )
                stands_on[term] = rung.name
        forgotten = [term for term in TERMS if term not in stands_on]
        if forgotten:
            raise InputError(
                f"The study forgets {', '.join(forgotten)}: every term of the simulator stands on a rung; "
                "put it into the adds of one."
            )

    def as_quick(self) -> Declaration:
        """Return the same study in small, as declared in its `quick`."""
        quick = self.quick
        kept = quick.rungs or (self.rung[0].name, self.rung[-1].name)
        if self.rung[0].name not in kept or self.rung[-1].name not in kept:
            raise InputError(
                f"The study's quick.rungs is {list(kept)}; the first and the last rung, "
                f"{self.rung[0].name} and {self.rung[-1].name}, are among them."
            )
        rungs: list[Rung] = []
        waiting: tuple[str, ...] = ()  # terms of rungs left out are added by the next one kept
        for rung in self.rung:
            waiting += rung.adds
            if rung.name in kept:
                rungs.append(Rung(name=rung.name, adds=waiting))
                waiting = ()
        return dataclasses.replace(
            self,
            rung=tuple(rungs),
            n_train=quick.n_train,
            n_test=quick.n_test,
            epochs=quick.epochs,
            leave_out=quick.leave_out,
            confirm=(),
            seeds_to_screen=1,
            seeds_to_confirm=1,
            quick=Quick(),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as TOML or JSON would hold them."""
        return dataclasses.asdict(self)


def load_declaration(name_or_path: str) -> Declaration:
    """Read a fidelity study by name or from a TOML file; see `read_declaration`.

    Examples
    --------
    >>> load_declaration("fidelity").rung[0].name
    'ideal'
    """
    return read_declaration("fidelity", name_or_path, Declaration)


def _require_term(key: str, term: str) -> None:
    if term not in TERMS:
        raise InputError(
            f"The study's {key} has {term!r}, which is no term; the terms are {', '.join(TERMS)}."
        )
