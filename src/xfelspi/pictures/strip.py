"""A strip of frames: the sum of many, and some of them with their numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .colours import INK, PAPER, Colours
from .save import DPI, save

_PANEL, _GAP, _HEAD = 128, 6, 18  # pixels of the picture


def strip_of_frames(
    total: np.ndarray,
    members: np.ndarray,
    names: Sequence[str],
    out: str | os.PathLike[str],
    *,
    columns: int,
) -> Path:
    """Draw a sum of frames, and some frames beside it; the sum has a logarithmic scale of its own.

    Parameters
    ----------
    total : (ny, nx)
        The sum; NaN where masked.
    members : (k, ny, nx)
        Frames; NaN where masked.
    names : sequence of str
        Of the sum, then of each frame.
    out : path
        The PNG to write.
    columns : int
        Frames that there is room for.

    Raises
    ------
    InputError
        If the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    width, height = _GAP + (1 + columns) * (_PANEL + _GAP), _HEAD + _PANEL + _GAP
    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    of_total, of_members = (Colours(max(2.0, float(np.nanmax(frames)))) for frames in (total, members))
    for column, (frame, name) in enumerate(zip([total, *members[:columns]], names, strict=False)):
        left = _GAP + column * (_PANEL + _GAP)
        axes = figure.add_axes((left / width, _GAP / height, _PANEL / width, _PANEL / height))
        axes.set_axis_off()
        colours = of_members if column else of_total
        axes.imshow(colours.paint(frame), origin="lower", interpolation="nearest", aspect="auto")
        figure.text(left / width, 1 - _HEAD / 2 / height, name, color=INK, fontsize=7, va="center")
    return save(figure, Path(out))
