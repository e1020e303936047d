"""Patterns before and after every pixel is brought to mean 0 and deviation 1."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .colours import FAINT, INK, MASKED, PAPER, Colours
from .save import DPI, save

_LIMIT = 4.0  # standard deviations at the ends of the colours
_PANEL, _GAP, _HEAD, _LEFT, _KEY = 200, 8, 22, 120, 60


def standardized_sheet(
    counts: np.ndarray,
    after: np.ndarray,
    good: np.ndarray,
    names: Sequence[str],
    out: str | os.PathLike[str],
) -> Path:
    """Draw patterns as counted, and below each what standardization makes of it.

    Parameters
    ----------
    counts : (k, ny, nx)
        Photons, on one logarithmic scale.
    after : (k, ny, nx)
        In standard deviations of each pixel: blue below its mean, red above.
    good : (ny, nx) bool
        Pixels that are not good are grey.
    names : sequence of str
        Of the patterns.
    out : path
        The PNG to write.

    Raises
    ------
    InputError
        If there is no pattern to draw, or the PNG cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    if not len(counts):
        raise InputError("No pattern is chosen; a figure of the preprocessing needs one or more.")
    photons = Colours(max(2.0, float(counts.max())))
    shades = colormaps["RdBu_r"].with_extremes(bad=MASKED)

    def deviations(values: np.ndarray) -> np.ndarray:
        return shades(np.ma.masked_invalid((values / _LIMIT + 1) / 2))

    width = _LEFT + len(counts) * (_PANEL + _GAP)
    height = _HEAD + 2 * (_PANEL + _GAP) + _KEY
    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)

    def picture(pixels: np.ndarray, left: float, top: float, wide: float, high: float) -> None:
        box = (left / width, 1 - (top + high) / height, wide / width, high / height)
        axes = figure.add_axes(box)
        axes.set_axis_off()
        axes.imshow(pixels, origin="lower", interpolation="nearest", aspect="auto")

    def write(text: str, x: float, y: float, *, ink: str = INK, ha: str = "left") -> None:
        style = {"va": "center", "ha": ha, "color": ink, "fontsize": 9}
        figure.text(x / width, 1 - y / height, text, style)

    for column, (name, before, then) in enumerate(zip(names, counts, after, strict=True)):
        left = _LEFT + column * (_PANEL + _GAP)
        write(name, left, _HEAD / 2)
        picture(photons.paint(np.where(good, before.astype(float), np.nan)), left, _HEAD, _PANEL, _PANEL)
        below = np.where(good, then.astype(float), np.nan)
        picture(deviations(below), left, _HEAD + _PANEL + _GAP, _PANEL, _PANEL)
    write("photons", _GAP, _HEAD + _PANEL / 2)
    write("standardized", _GAP, _HEAD + _GAP + 1.5 * _PANEL)
    top = height - _KEY + 20
    ramp = np.linspace(-_LIMIT, _LIMIT, 160)[None, :]
    picture(deviations(ramp), _LEFT + 90, top, 160, 12)
    write(f"below by {_LIMIT:g} σ", _LEFT + 84, top + 6, ha="right", ink=FAINT)
    write(f"above by {_LIMIT:g} σ the pixel's mean", _LEFT + 256, top + 6, ink=FAINT)
    return save(figure, Path(out))
