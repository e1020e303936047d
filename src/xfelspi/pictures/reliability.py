"""Reliability diagrams: what was given a chance of p, and how often it happened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .save import DPI, save


def reliability_plot(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], out: str | os.PathLike[str]
) -> Path:
    """Draw shares observed against probabilities given, with their intervals; the diagonal is right.

    Most bins lie near 0 or 1, so both axes are linear in the log-odds.

    Parameters
    ----------
    curves : mapping of str to (predicted (b,), observed (b,), interval (b, 2))
        Named bins.
    out : path
        The PNG to write.

    Raises
    ------
    InputError
        If the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    floor = 1e-3
    ticks = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
    figure = Figure((6.4, 5.6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([floor, 1 - floor], [floor, 1 - floor], color="#888888", linestyle="--", linewidth=1, zorder=1)
    for name, (predicted, observed, interval) in curves.items():
        x, y, ends = (np.clip(values, floor, 1 - floor) for values in (predicted, observed, interval))
        (line,) = axes.plot(x, y, "o-", markersize=4, linewidth=1, label=name)
        axes.vlines(x, ends[:, 0], ends[:, 1], color=line.get_color(), linewidth=2, alpha=0.4)
    for axis in ("x", "y"):
        getattr(axes, f"set_{axis}scale")("logit")
        getattr(axes, f"set_{axis}lim")(0.8 * floor, 1 - 0.8 * floor)
        getattr(axes, f"set_{axis}ticks")(ticks, [f"{tick:g}" for tick in ticks])
        getattr(axes, f"set_{axis}ticks")([], minor=True)
    axes.set_xlabel("probability of being single")
    axes.set_ylabel("share of singles, 95 % interval")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", frameon=False)
    return save(figure, Path(out))
