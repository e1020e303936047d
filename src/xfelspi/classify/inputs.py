"""What a network is shown: which views of a frame, in which scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xfelspi.errors import InputError

VIEWS = ("pattern", "patterson", "polar", "wide")
TRANSFORMS = ("sqrt", "log", "raw")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Views of a frame, each a channel or more of what the network sees.

    Attributes
    ----------
    views : tuple of {"pattern", "patterson", "polar", "wide"}
        The pattern itself; see `Patterson`, `Polar` and `Wide` for the others. With `wide` among them a
        frame has twice as many pixels along an edge, and the others look at its middle.
    transform : {"sqrt", "log", "raw"}
        Of counts over their mean, see `prepare`.
    rings : bool
        Take each pixel over the mean of its ring around the beam instead of that of the frame: the radial
        profile goes, and most of what tells size and shape.

    Raises
    ------
    InputError
        If a name is unknown, or no view or one twice is asked for.
    """

    views: tuple[str, ...] = ("pattern",)
    transform: str = "sqrt"
    rings: bool = False

    def __post_init__(self) -> None:
        for view in self.views:
            if view not in VIEWS:
                raise InputError(f"There is no view {view!r}; choose among {', '.join(VIEWS)}.")
        if not self.views or len(set(self.views)) < len(self.views):
            raise InputError(f"The views are {list(self.views)}; give one or more, none of them twice.")
        if self.transform not in TRANSFORMS:
            raise InputError(
                f"There is no transform {self.transform!r}; choose one of {', '.join(TRANSFORMS)}."
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Inputs:
        """Undo `dataclasses.asdict` and JSON, which knows no tuples."""
        return cls(**values | {"views": tuple(values["views"])})

    @property
    def reach(self) -> int:
        """Edge of a frame over that of a view."""
        return 2 if "wide" in self.views else 1
