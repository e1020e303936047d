"""Growth: seconds and memory against the number of images, both on logarithmic axes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xfelspi.errors import InputError

from .save import DPI, save


@dataclass(frozen=True, kw_only=True)
class GrowthPanel:
    """One quantity.

    Attributes
    ----------
    y : str
        What it is, with its unit.
    curves : mapping of str to (x, y)
        By name; all numbers are positive.
    guides : bool
        Whether lines show what grows as n and as n².
    """

    y: str
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    guides: bool = False


def growth_plot(panels: Sequence[GrowthPanel], out: str | os.PathLike[str], *, x: str = "images") -> Path:
    """Draw curves, panels side by side.

    Parameters
    ----------
    panels : sequence of GrowthPanel
        What is drawn.
    out : path
        The PNG to write.
    x : str
        What stands at the horizontal axes.

    Raises
    ------
    InputError
        If there is nothing to draw, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    if not panels or not all(len(xs) for panel in panels for xs, _ in panel.curves.values()):
        raise InputError("There is no growth to draw; give one panel or more, and curves with points.")
    figure = Figure((5.4 * len(panels), 4.0), dpi=DPI, layout="constrained")
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        for name, (xs, ys) in panel.curves.items():
            axes.plot(xs, ys, "o-", label=name, markersize=4)
        axes.set_xscale("log")
        axes.set_yscale("log")
        if panel.guides:
            _guide(axes, panel)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100.0 * low else (1.0,)))
            axis.set_major_formatter("{x:,g}")
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(x)
        axes.set_ylabel(panel.y)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    return save(figure, Path(out))


def _guide(axes: Any, panel: GrowthPanel) -> None:
    """Draw what grows as n and as n² from the lowest point on."""
    begin = min(min(xs) for xs, _ in panel.curves.values())
    end = max(max(xs) for xs, _ in panel.curves.values())
    low = min(min(ys) for _, ys in panel.curves.values())
    limits = axes.get_ylim()
    for power, style, name in ((1, ":", "n"), (2, "--", "n²")):
        stop = min(end, begin * (limits[1] / low) ** (1 / power))  # where it leaves the panel
        top = low * (stop / begin) ** power
        axes.plot([begin, stop], [low, top], style, color="#999999", linewidth=1, zorder=0)
        # Beside a guide that leaves the panel; above one that does not, for curves run below it.
        x, y, across, up = (2, -8, "left", "top") if stop < end else (0, 3, "right", "bottom")
        place = {"xytext": (x, y), "textcoords": "offset points", "ha": across, "va": up}
        axes.annotate(name, (stop, top), color="#777777", fontsize=8, **place)
    axes.set_ylim(limits)
