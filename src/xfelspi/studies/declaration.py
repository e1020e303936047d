"""What a fidelity study will do, declared in TOML before it runs."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from xfelspi.errors import InputError
from xfelspi.simulate import TERMS

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")  # pydantic's words for it
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
        _require_whole_numbers(self, "quick.")


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
        _require_whole_numbers(self, "")
        if not self.shapes:
            raise InputError(
                "The study's shapes are empty; name one or more, as in shapes = ['icosahedron']."
            )
        self._require_a_ladder()
        names = [rung.name for rung in self.rung]
        for key, chosen in (("confirm", self.confirm), ("quick.rungs", self.quick.rungs)):
            for name in chosen:
                if name not in names:
                    raise InputError(f"The study's {key} names {name!r}; the rungs are {', '.join(names)}.")
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


def declaration_names() -> list[str]:
    """Return the names of the studies that come with the package."""
    folder = resources.files("xfelspi.studies") / "declared"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_declaration(name_or_path: str) -> Declaration:
    """Read a study by name or from a TOML file.

    Raises
    ------
    InputError
        If there is none, the TOML is malformed, a key is unknown or missing, or a value does not serve.

    Examples
    --------
    >>> load_declaration("fidelity").rung[0].name
    'ideal'
    """
    if name_or_path in declaration_names():
        text = (resources.files("xfelspi.studies") / "declared" / f"{name_or_path}.toml").read_text("utf-8")
    else:
        try:
            text = Path(name_or_path).read_text("utf-8")
        except (OSError, ValueError):  # ValueError: not UTF-8, or a name no file can have
            raise InputError(
                f"There is no study {name_or_path!r}; choose one of {', '.join(declaration_names())}, "
                "or give the path of a TOML file."
            ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The study {name_or_path} is not valid TOML: {error}.") from None
    return _from_dict(values)


def _from_dict(values: dict[str, Any]) -> Declaration:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Declaration).validate_python(values)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the first is what can be seen in the file.
        first = min(error.errors(), key=lambda one: one["type"] not in _UNKNOWN)
        where = _place(first["loc"])
        if first["type"] in _UNKNOWN:
            raise InputError(f"The study has no key {where}; {_known(first['loc'])}.") from None
        if first["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
            raise InputError(f"The study lacks {where}; {_known(first['loc'])}.") from None
        raise InputError(f"The study's {where} is {first['input']!r}: {first['msg'].lower()}.") from None


def _place(loc: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "declaration"


def _known(loc: tuple[int | str, ...]) -> str:
    owner = {"rung": Rung, "quick": Quick}.get(str(loc[0]), Declaration) if len(loc) > 1 else Declaration
    return f"its keys are {', '.join(f.name for f in dataclasses.fields(owner))}"


def _require_whole_numbers(owner: Declaration | Quick, prefix: str) -> None:
    for name, (low, high) in _WHOLE_NUMBERS.items():
        value = getattr(owner, name, None)
        if value is not None and not low <= value <= high:
            raise InputError(f"The study's {prefix}{name} is {value}; it must lie between {low} and {high}.")


def _require_term(key: str, term: str) -> None:
    if term not in TERMS:
        raise InputError(
            f"The study's {key} has {term!r}, which is no term; the terms are {', '.join(TERMS)}."
        )
