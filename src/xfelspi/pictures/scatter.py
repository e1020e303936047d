"""Points by their coordinates, in colours of what they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .save import DPI, save

_FACES = ((0, 1), (0, 2), (1, 2))
_SEEN = 0.002  # share of points at either end that do not set the limits


def scatter_plot(
    coordinates: np.ndarray,
    groups: Mapping[str, np.ndarray],
    out: str | os.PathLike[str],
    *,
    name: str = "ψ",
    in_place: bool = False,
) -> Path:
    """Draw the first three coordinates of points, in pairs; few points far away are drawn at the edge.

    Parameters
    ----------
    coordinates : (n, c)
        Of each point; two or more.
    groups : mapping of str to (n,) bool
        Which points are of a colour.
    out : path
        The PNG to write.
    name : str
        Of coordinates; a number follows.
    in_place : bool
        Write the names of groups where they lie, instead of in a legend.

    Raises
    ------
    InputError
        If there is nothing to draw, or the PNG cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    if not len(coordinates) or not groups:
        raise InputError("There are no points to draw; give one and a group or more.")
    faces = [face for face in _FACES if max(face) < coordinates.shape[1]]
    low, high = np.quantile(coordinates, (_SEEN, 1 - _SEEN), axis=0)
    margin = 0.05 * (high - low)
    low, high = low - margin, high + margin
    shown = np.clip(coordinates, low, high)
    size = float(np.clip(6e3 / len(shown), 1.0, 12.0))
    palette = colormaps["tab10" if len(groups) <= 10 else "tab20"]
    figure = Figure((4.6 * len(faces), 4.6), dpi=DPI, layout="constrained")
    for number, (x, y) in enumerate(faces):
        axes = figure.add_subplot(1, len(faces), number + 1)
        for colour, (label, members) in enumerate(groups.items()):
            ink = palette(colour % palette.N)
            own = shown[members]
            drawn = axes.scatter(
                own[:, x], own[:, y], s=size, color=ink, alpha=0.6, linewidths=0, label=label
            )
            drawn.set_clip_on(False)  # whole at the edge
        if in_place:
            for label, members in groups.items():
                if members.any():
                    middle = np.median(shown[members], axis=0)
                    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.75, "linewidth": 0}
                    axes.text(middle[x], middle[y], label, fontsize=8, ha="center", va="center", bbox=box)
        elif number == 0:
            axes.legend(frameon=False, fontsize=8, loc="best", markerscale=(24 / size) ** 0.5)
        axes.set_xlim(low[x], high[x])
        axes.set_ylim(low[y], high[y])
        axes.set_xlabel(f"{name}{x + 1}")
        axes.set_ylabel(f"{name}{y + 1}")
        axes.grid(alpha=0.3)
    return save(figure, Path(out))
