"""Growth: seconds and memory against the number of images, both on logarithmic axes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from xfelspi.errors import InputError

from .save import DPI, save


def growth_plot(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    out: str | os.PathLike[str],
    *,
    x: str = "images",
) -> Path:
    """Draw curves with a guide of slope 1 and one of slope 2 in every panel.

    Parameters
    ----------
    panels : mapping of str to mapping of str to (x, y)
        By what stands at the axis, named curves; all numbers are positive.
    out : path
        The PNG to write.
    x : str
        What stands at the other axis.

    Raises
    ------
    InputError
        If there is nothing to draw, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    if not any(len(xs) for curves in panels.values() for xs, _ in curves.values()):
        raise InputError("There is no growth to draw; give one curve or more.")
    figure = Figure((5.4 * len(panels), 4.0), dpi=DPI, layout="constrained")
    for (title, curves), axes in zip(
        panels.items(), figure.subplots(1, len(panels), squeeze=False)[0], strict=True
    ):
        for name, (xs, ys) in curves.items():
            axes.plot(xs, ys, "o-", label=name, markersize=4)
        axes.set_xscale("log")
        axes.set_yscale("log")
        begin = min(min(xs) for xs, _ in curves.values())
        end = max(max(xs) for xs, _ in curves.values())
        low = min(min(ys) for _, ys in curves.values())
        limits = axes.get_ylim()
        for power, style in ((1, ":"), (2, "--")):
            guide = [low, low * (end / begin) ** power]
            axes.plot([begin, end], guide, style, color="#999999", linewidth=1, zorder=0)
            axes.annotate(
                f"n{'' if power == 1 else '²'}", (end, guide[-1]), color="#777777", fontsize=8, clip_on=True
            )
        axes.set_ylim(limits)
        axes.set_xlabel(x)
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    return save(figure, Path(out))
