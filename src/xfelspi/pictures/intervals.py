"""Values with intervals, one line each, in panels side by side: rungs of a ladder, terms left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xfelspi.errors import InputError

from .save import DPI, save

_BLUE, _ORANGE, _GREY = "#1f5f99", "#d9822b", "#888888"
_LINE = 0.42  # inches between lines


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One quantity of every line.

    Attributes
    ----------
    title : str
        What it is, with its unit.
    points : sequence of (value, low, high) or None
        One for each line; None where there is none.
    seeds : sequence of sequence of float
        Single values behind each, drawn as small dots.
    at : float or None
        Where a dashed line is drawn.
    note : str
        What the dashed line means.
    limits : (float, float) or None
        Of the axis.
    bars : bool
        Draw bars from `at` instead of points.
    """

    title: str
    points: Sequence[tuple[float, float, float] | None]
    seeds: Sequence[Sequence[float]] = field(default_factory=tuple)
    at: float | None = None
    note: str = ""
    limits: tuple[float, float] | None = None
    bars: bool = False


def interval_plot(names: Sequence[str], panels: Sequence[Panel], out: str | os.PathLike[str]) -> Path:
    """Draw values and their intervals, the first name at the top.

    Parameters
    ----------
    names : sequence of str
        Of the lines.
    panels : sequence of Panel
        Side by side, on the same lines.
    out : path
        The PNG to write.

    Raises
    ------
    InputError
        If there is nothing to draw, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    if not names or not panels:
        raise InputError("There are no values to draw; give one name and one panel or more.")
    figure = Figure((11.0, 1.3 + _LINE * len(names)), dpi=DPI, layout="constrained")
    lines = range(len(names))
    for number, (panel, axes) in enumerate(
        zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True)
    ):
        if panel.at is not None:
            axes.axvline(panel.at, color=_GREY, linestyle="--", linewidth=1, zorder=1)
            axes.annotate(
                panel.note,
                (panel.at, 1.0),
                (3, 3),
                color=_GREY,
                fontsize=8,
                annotation_clip=False,
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
            )
        for line, point in zip(lines, panel.points, strict=True):
            if point is None:
                axes.text(
                    0.5,
                    line,
                    "not known",
                    color=_GREY,
                    transform=axes.get_yaxis_transform(),
                    ha="center",
                    va="center",
                    fontsize=8,
                )
                continue
            value, low, high = point
            if panel.bars:
                origin = panel.at or 0.0
                axes.barh(line, value - origin, left=origin, height=0.55, color="#9dbcd8", zorder=2)
            axes.plot([low, high], [line, line], color=_BLUE, linewidth=2.2, solid_capstyle="butt", zorder=3)
            axes.plot(value, line, "o", color=_BLUE, markersize=6, zorder=4)
            label = f"{value:+.3f}" if panel.bars else f"{value:.3f}"
            axes.annotate(label, (value, line), (0, 6), textcoords="offset points", ha="center", fontsize=8)
        for line, values in zip(lines, panel.seeds, strict=False):
            axes.plot(values, [line + 0.2] * len(values), "o", color=_ORANGE, markersize=3.5, zorder=4)
        axes.set_title(panel.title, fontsize=10, loc="left", pad=16)
        axes.set_yticks(list(lines), list(names) if number == 0 else [""] * len(names))
        axes.set_ylim(len(names) - 0.45, -0.6)
        if panel.limits is not None:
            axes.set_xlim(*panel.limits)
        axes.grid(axis="x", alpha=0.3)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    return save(figure, Path(out))
