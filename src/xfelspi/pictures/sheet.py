"""Contact sheets: patterns side by side, each with what is known about it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import LABELS, PatternSet

from .colours import FAINT, INK, PAPER, Colours
from .save import DPI, save

# All in pixels of the picture.
_PANEL = 256  # a frame is enlarged to about this
_LARGEST = 320  # and binned when it is larger than this
_GAP = 8
_CAPTION_LINE = 14
_HEAD = 44

_LABEL_INK = {"single": "#7fd6a2", "multiple": "#ffa657", "not single": "#ffa657"}
_LABEL_NAMES = {1: "single", 0: "not single", -1: "unlabelled"}


def contact_sheet(
    patterns: PatternSet,
    out: str | os.PathLike[str],
    *,
    indices: Sequence[int] | None = None,
    rows: int = 4,
    columns: int = 6,
    title: str | None = None,
    remarks: Mapping[int, str] | None = None,
) -> Path:
    """Draw patterns side by side on one logarithmic scale, each with what is known about it.

    Whole frames, y upwards; zero photons black, one photon clearly not, masked pixels grey. Frames
    larger than a panel are binned (sums), smaller ones enlarged by a whole factor.

    Parameters
    ----------
    patterns : PatternSet
        What to draw.
    out : path
        The PNG to write.
    indices : sequence of int, optional
        Which patterns; the first `rows` x `columns` without.
    rows, columns : int
        Of the sheet; with `indices` there are as many rows as they need.
    title : str, optional
        Above the sheet; the file's name without.
    remarks : mapping of int to str, optional
        What to say below the label of a pattern, by its index, instead of what the truth says.

    Returns
    -------
    path : Path
        The PNG.

    Raises
    ------
    InputError
        If no pattern is chosen, an index is not in the file, or the PNG cannot be written.
    """
    from matplotlib.figure import Figure

    chosen = list(range(min(patterns.n, rows * columns))) if indices is None else list(indices)
    if not chosen:
        raise InputError("No pattern is chosen; a contact sheet needs one or more.")
    for index in chosen:
        if not 0 <= index < patterns.n:
            raise InputError(f"Pattern {index} is not in {patterns.path}; it has 0 ... {patterns.n - 1}.")
    frames = [patterns.frames(index, index + 1).counts[0] for index in chosen]
    panels = [_panel(frame, patterns.mask) for frame in frames]
    brightest = max(2.0, *(float(np.nanmax(panel)) for panel in panels))
    colours = Colours(brightest)

    ny, nx = panels[0].shape
    enlarged = max(1, round(_PANEL / max(ny, nx)))
    height, width = ny * enlarged, nx * enlarged
    caption = _CAPTION_LINE * (1 if patterns.truth is None and not remarks else 2) + 4
    columns = min(columns, len(chosen))
    sheet_width = _GAP + columns * (width + _GAP)
    sheet_height = _HEAD + math.ceil(len(chosen) / columns) * (height + caption + _GAP)
    figure = Figure((sheet_width / DPI, sheet_height / DPI), dpi=DPI, facecolor=PAPER)

    def picture(pixels: np.ndarray, left: float, bottom: float, width: float, height: float) -> None:
        box = (left / sheet_width, bottom / sheet_height, width / sheet_width, height / sheet_height)
        axes = figure.add_axes(box)
        axes.set_axis_off()
        axes.imshow(pixels, origin="lower", interpolation="nearest", aspect="auto")

    def write(
        text: str,
        x: float,
        y: float,
        *,
        size: float = 8,
        ink: str = INK,
        ha: str = "left",
        weight: str = "normal",
    ) -> None:
        style = {"va": "center", "ha": ha, "weight": weight, "color": ink, "fontsize": size}
        figure.text(x / sheet_width, y / sheet_height, text, style)

    for number, (index, frame, panel) in enumerate(zip(chosen, frames, panels, strict=True)):
        row, column = divmod(number, columns)
        left = _GAP + column * (width + _GAP)
        top = sheet_height - _HEAD - row * (height + caption + _GAP)
        picture(colours.paint(panel), left, top - caption - height, width, height)
        name, remark = _caption(patterns, index)
        if remarks:
            remark = remarks.get(index, remark)
        photons = frame.sum(where=~patterns.mask, dtype=float)
        write(f"#{index}  {name}", left, top - 8, ink=_LABEL_INK.get(name, INK), weight="bold")
        write(f"{photons:,.0f} photons", left + width, top - 8, ha="right")
        write(remark, left, top - 8 - _CAPTION_LINE, ink=FAINT)

    middle = sheet_height - _HEAD / 2 + 4
    write(title or patterns.path.name, _GAP, middle, size=11, weight="bold")
    if columns > 1:
        _draw_key(colours, picture, write, right=sheet_width - _GAP, y=middle)
    return save(figure, Path(out))


def _panel(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Prepare counts for drawing: a frame too large is binned, and NaN is where no good pixel lies."""
    step = math.ceil(max(frame.shape) / _LARGEST)
    padding = [(0, -size % step) for size in frame.shape]
    good = np.pad(~mask, padding)
    counts = np.where(good, np.pad(frame, padding), 0).astype(float)
    binned = (good.shape[0] // step, step, good.shape[1] // step, step)
    return np.where(good.reshape(binned).any((1, 3)), counts.reshape(binned).sum((1, 3)), np.nan)


def _caption(patterns: PatternSet, index: int) -> tuple[str, str]:
    """Find the label, and a remark: who is second in a multiple, the size of anything else."""
    truth = patterns.truth
    if truth is None:
        labels = patterns.labels
        return ("" if labels is None else _LABEL_NAMES[int(labels[index])]), ""
    name = LABELS[truth["label"][index]]
    if truth["n_particles"][index] == 0:
        return name, ""
    if name == "multiple":
        fraction, separation_nm = truth["runner_up_fraction"][index], truth["separation_nm"][index]
        k = truth["n_particles"][index]
        return name, f"{k} particles, runner-up {fraction:.2f} at {separation_nm:,.0f} nm"
    return name, f"{truth['shape'][index]} {np.nanmax(truth['diameter_nm'][index]):.0f} nm"


def _draw_key(colours: Colours, picture: Callable, write: Callable, *, right: float, y: float) -> None:
    """Draw what the colours mean: 0, then 1 up to the brightest, then masked."""
    ramp = np.geomspace(1.0, colours.brightest, 120)[None, :]
    for pixels, offset, width in (([[0.0]], 330, 14), (ramp, 282, 120), ([[np.nan]], 70, 14)):
        picture(colours.paint(np.asarray(pixels)), right - offset, y - 6, width, 12)
    write("0", right - 312, y)
    write("1", right - 286, y, ha="right")
    write(f"{colours.brightest:,.0f} photons", right - 158, y)
    write("masked", right - 50, y)
