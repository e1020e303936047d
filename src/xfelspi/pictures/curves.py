"""Curves: receiver operating characteristics, and profiles along the radius."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .save import DPI, save


def roc_plot(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], out: str | os.PathLike[str]) -> Path:
    """Draw receiver operating characteristics on a logarithmic false-positive axis.

    Parameters
    ----------
    curves : mapping of str to (false positive rate, true positive rate)
        Named curves, each as two arrays of one length that rise from 0 to 1.
    out : path
        The PNG to write.

    Raises
    ------
    InputError
        If the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure((7.0, 4.6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    floor = 1e-4
    for name, (false_positive, true_positive) in curves.items():
        axes.step(np.maximum(false_positive, floor), true_positive, where="post", label=name)
    axes.set_xscale("log")
    axes.set_xlim(floor, 1.0)
    axes.set_ylim(0.0, 1.01)
    axes.set_xlabel("multiple hits taken for single (false positive rate)")
    axes.set_ylabel("single hits kept (true positive rate)")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    return save(figure, Path(out))


def profile_plot(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    out: str | os.PathLike[str],
    *,
    x: str = "radius / pixels",
    y: str = "share of the photons per pixel",
) -> Path:
    """Draw curves with their bands on a logarithmic scale.

    Parameters
    ----------
    curves : mapping of str to (x, value, low, high)
        Named curves, each as four arrays of one length; NaN where nothing is known.
    out : path
        The PNG to write.
    x, y : str
        What stands at the axes.

    Raises
    ------
    InputError
        If the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure((9.0, 4.4), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    for name, (place, value, low, high) in curves.items():
        (line,) = axes.plot(place, value, label=name)
        axes.fill_between(place, low, high, color=line.get_color(), alpha=0.25, linewidth=0)
    axes.set_yscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return save(figure, Path(out))
