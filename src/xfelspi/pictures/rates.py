"""Rates along an axis, with their bands: what is lost as particles become smaller, dimmer, nearer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .save import DPI, save

_LINEAR_BELOW = 1e-3  # of the axis of rates: below it zero can be drawn


@dataclass(frozen=True, kw_only=True)
class RateCurve:
    """One curve.

    Attributes
    ----------
    name : str
        In the legend.
    x, value : sequence of float
        Rates between 0 and 1; NaN where there is none.
    low, high : sequence of float
        Its band; none without.
    style : str
        Of the line, in matplotlib's signs.
    colour : int
        Number of its colour: curves that belong together share one.
    """

    name: str
    x: Sequence[float]
    value: Sequence[float]
    low: Sequence[float] = field(default_factory=tuple)
    high: Sequence[float] = field(default_factory=tuple)
    style: str = "o-"
    colour: int = 0


@dataclass(frozen=True, kw_only=True)
class RatePanel:
    """Curves on one pair of axes."""

    x: str
    curves: Sequence[RateCurve]
    log: bool = False


def rate_plot(panels: Sequence[RatePanel], out: str | os.PathLike[str], *, y: str, columns: int = 2) -> Path:
    """Draw rates, logarithmic down to 0.1 % and linear below.

    Parameters
    ----------
    panels : sequence of RatePanel
        Side by side, in rows of `columns`.
    out : path
        The PNG to write.
    y : str
        What the rates are of.
    columns : int
        Panels in a row.

    Raises
    ------
    InputError
        If there is nothing to draw, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedFormatter, FixedLocator, LogLocator, NullFormatter, NullLocator

    if not panels:
        raise InputError("There are no rates to draw; give one panel or more.")
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure((5.4 * columns, 3.8 * lines), dpi=DPI, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for number, (panel, axes) in enumerate(zip(panels, grid, strict=False)):
        for curve in panel.curves:
            colour = f"C{curve.colour}"
            axes.plot(curve.x, curve.value, curve.style, color=colour, label=curve.name, markersize=4)
            if len(curve.low):
                band = (np.asarray(edge, float) for edge in (curve.low, curve.high))
                axes.fill_between(curve.x, *band, color=colour, alpha=0.15, linewidth=0)
        axes.set_yscale("symlog", linthresh=_LINEAR_BELOW, linscale=0.4)
        axes.set_ylim(-2e-4, 1.3)
        ticks = [0.0, 1e-3, 1e-2, 1e-1, 1.0]
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.yaxis.set_major_formatter(FixedFormatter(["0", "0.1 %", "1 %", "10 %", "100 %"]))
        axes.yaxis.set_minor_locator(NullLocator())
        if panel.log:
            axes.set_xscale("log")
            low, high = axes.get_xlim()
            marks = (1.0, 2.0, 5.0) if high < 100.0 * low else (1.0,)
            axes.xaxis.set_major_locator(LogLocator(subs=marks))
            axes.xaxis.set_major_formatter("{x:,g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(panel.x)
        if number % columns == 0:
            axes.set_ylabel(y)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, framealpha=0.75, edgecolor="none")  # readable where curves leave it no room
    return save(figure, Path(out))
