"""Rows of frames below each other, to see at a glance whether two kinds look alike."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .colours import INK, PAPER, Colours
from .save import DPI, save

_PANEL, _GAP, _HEAD = 128, 6, 24  # pixels of the picture


def rows_of_frames(
    rows: Sequence[tuple[str, np.ndarray, np.ndarray]], out: str | os.PathLike[str], *, columns: int = 8
) -> Path:
    """Draw rows of frames, each below its title, all on one logarithmic scale.

    Parameters
    ----------
    rows : sequence of (title, counts (k, ny, nx), good (ny, nx))
        The first `columns` frames of each are drawn; pixels that are not good are grey.
    out : path
        The PNG to write.
    columns : int
        Frames in a row.

    Raises
    ------
    InputError
        If there is no frame to draw, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    if not sum(len(counts) for _, counts, _ in rows):
        raise InputError("No frame is chosen; rows of frames need one or more.")
    brightest = max(2.0, *(float(counts[:columns].max(initial=0)) for _, counts, _ in rows))
    colours = Colours(brightest)
    width = _GAP + columns * (_PANEL + _GAP)
    height = _GAP + len(rows) * (_HEAD + _PANEL + _GAP)
    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    for row, (title, counts, good) in enumerate(rows):
        top = height - row * (_HEAD + _PANEL + _GAP)
        figure.text(_GAP / width, (top - _HEAD / 2) / height, title, color=INK, fontsize=9, va="center")
        for column, frame in enumerate(counts[:columns]):
            left, bottom = _GAP + column * (_PANEL + _GAP), top - _HEAD - _PANEL
            box = (left / width, bottom / height, _PANEL / width, _PANEL / height)
            axes = figure.add_axes(box)
            axes.set_axis_off()
            pixels = colours.paint(np.where(good, frame.astype(float), np.nan))
            axes.imshow(pixels, origin="lower", interpolation="nearest", aspect="auto")
    return save(figure, Path(out))
