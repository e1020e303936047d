"""Sheets of explanations: a pattern, what stages of a network make of it, and where it finds what decides."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError

from .colours import FAINT, INK, PAPER, Colours
from .save import DPI, save

# All in pixels of the picture.
_PANEL = 160
_GAP = 8
_LINE = 16
_HEAD = 72

_NOTHING = 1e-30
_COVER = 0.85  # of the pattern, where Grad-CAM is highest

_FOR, _AGAINST = "#7fd6a2", "#ffa657"  # as single and multiple on a contact sheet


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """A row of the sheet.

    Attributes
    ----------
    caption : str
        What is known of the pattern.
    pattern : (size, size) float
        Photons, NaN where masked.
    activations : mapping of str to (channels, y, x) float
        By the name of the stage, 0 or more.
    cam : (y, x) float
        Above 0 what speaks for a single hit, below what speaks against.
    """

    caption: str
    pattern: np.ndarray
    activations: Mapping[str, np.ndarray]
    cam: np.ndarray


def explanation_sheet(rows: Sequence[Explained], out: str | os.PathLike[str], *, title: str) -> Path:
    """Draw a row for each pattern: the pattern, activations, and Grad-CAM upon the pattern.

    Of each stage the mean of its channels is drawn, and the channel with the highest mean in this pattern;
    each from 0, black, to its own highest value. What speaks for a single hit and against it is laid over the
    pattern in a colour each, on one scale: nothing to the highest of both. y upwards everywhere.

    Parameters
    ----------
    rows : sequence of Explained
        All of one model.
    out : path
        The PNG to write.
    title : str
        Above the sheet.

    Raises
    ------
    InputError
        If there is no row, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    if not rows:
        raise InputError("No pattern is chosen; a sheet of explanations needs one or more.")
    names = list(rows[0].activations)
    heads = [("pattern", INK)]
    heads += [(f"{name}: {what}", INK) for name in names for what in ("mean", "strongest")]
    heads += [("for a single hit", _FOR), ("against", _AGAINST)]
    width = _GAP + len(heads) * (_PANEL + _GAP)
    height = _HEAD + len(rows) * (_LINE + _PANEL + _GAP)
    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)

    def write(text: str, column: int, y: float, ink: str = INK, size: float = 8) -> None:
        style = {"va": "center", "color": ink, "fontsize": size, "weight": "bold" if size > 8 else "normal"}
        figure.text((_GAP + column * (_PANEL + _GAP)) / width, y / height, text, style)

    write(title, 0, height - 18, size=11)
    write("activations, each from 0 to its highest", 1, height - 42, FAINT)
    write("Grad-CAM at the last stage, on one scale", len(heads) - 2, height - 42, FAINT)
    for column, (head, ink) in enumerate(heads):
        write(head, column, height - 60, ink)
    for number, row in enumerate(rows):
        top = height - _HEAD - number * (_LINE + _PANEL + _GAP)
        write(row.caption, 0, top - _LINE / 2, FAINT)
        for column, layers in enumerate(_panels(row)):
            left = _GAP + column * (_PANEL + _GAP)
            box = (left / width, (top - _LINE - _PANEL) / height, _PANEL / width, _PANEL / height)
            axes = figure.add_axes(box)
            axes.set_axis_off()
            for pixels, interpolation in layers:
                axes.imshow(
                    pixels, origin="lower", interpolation=interpolation, extent=(0, 1, 0, 1), aspect="auto"
                )
    return save(figure, Path(out))


def _panels(row: Explained) -> Iterator[list[tuple[np.ndarray, str]]]:
    """Yield what lies upon what in each panel: colours, and how they are enlarged."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    pattern = Colours(max(2.0, float(np.nanmax(row.pattern)))).paint(row.pattern)
    yield [(pattern, "nearest")]
    for channels in row.activations.values():
        for seen in (channels.mean(0), channels[channels.mean((1, 2)).argmax()]):
            yield [(colormaps["gray"](seen / max(float(seen.max()), _NOTHING)), "nearest")]
    grey = np.repeat(pattern[..., :3].mean(2, keepdims=True), 3, axis=2)
    most = max(float(np.abs(row.cam).max()), _NOTHING)
    for sign, colour in ((1, _FOR), (-1, _AGAINST)):
        strength = np.clip(sign * row.cam / most, 0.0, 1.0)
        cover = np.empty((*row.cam.shape, 4))
        cover[..., :3], cover[..., 3] = to_rgb(colour), _COVER * strength
        yield [(grey, "nearest"), (cover, "bilinear")]
