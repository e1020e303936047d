"""Heat maps: rows against columns, several quantities below each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .save import DPI, save

_WIDE, _HIGH = 0.74, 0.36  # inches of a cell


@dataclass(frozen=True, kw_only=True, eq=False)
class Heat:
    """One quantity.

    Attributes
    ----------
    title : str
        What it is.
    values : (rows, columns) float
        NaN where there is none.
    texts : sequence of sequence of str
        What is written into each cell.
    limits : (float, float)
        Values of the palest and of the darkest colour; they may fall.
    power : float
        Colours follow the values to this power, so that small ones differ.
    """

    title: str
    values: np.ndarray
    texts: Sequence[Sequence[str]]
    limits: tuple[float, float] = (0.0, 1.0)
    power: float = 1.0


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    heats: Sequence[Heat],
    out: str | os.PathLike[str],
    *,
    framed: np.ndarray | None = None,
    groups: Sequence[str] = (),
) -> Path:
    """Draw quantities of all pairs (row, column), one map below the other.

    Parameters
    ----------
    rows, columns : sequence of str
        Names.
    heats : sequence of Heat
        The maps.
    out : path
        The PNG to write.
    framed : (rows, columns) bool, optional
        Cells drawn with a frame.
    groups : sequence of str, optional
        Of each column; a line parts one group from the next.

    Raises
    ------
    InputError
        If there is nothing to draw, or the PNG cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    if not rows or not columns or not heats:
        raise InputError("There is nothing to draw; a heat map needs one row, column and quantity or more.")
    height = len(heats) * (_HIGH * len(rows) + 1.15)
    figure = Figure((max(5.0, 2.0 + _WIDE * len(columns)), height), dpi=DPI, layout="constrained")
    colours = colormaps["YlOrBr"].with_extremes(bad="#eeeeee")
    for heat, axes in zip(heats, figure.subplots(len(heats), 1, squeeze=False)[:, 0], strict=True):
        low, high = heat.limits
        shade = np.clip((np.asarray(heat.values, float) - low) / (high - low), 0.0, 1.0) ** heat.power
        axes.imshow(np.ma.masked_invalid(shade), cmap=colours, vmin=0.0, vmax=1.2, aspect="auto")
        for row, texts in enumerate(heat.texts):
            for column, text in enumerate(texts):
                ink = "white" if shade[row, column] > 0.7 else "black"
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
                if framed is not None and framed[row, column]:
                    corner = (column - 0.46, row - 0.44)
                    axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor="#1f5f99", lw=1.6))
        for column in range(1, len(groups)):
            if groups[column] != groups[column - 1]:
                axes.axvline(column - 0.5, color="#444444", lw=1.2)
        axes.set_title(heat.title, fontsize=10, loc="left")
        axes.set_xticks(range(len(columns)), columns, fontsize=8, rotation=30, ha="right")
        axes.set_yticks(range(len(rows)), rows, fontsize=8)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
    return save(figure, Path(out))
