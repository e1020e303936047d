"""Panels of a detector: where they stand across the beam, and the flat frame they are put together to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError

Place = tuple[int | slice, ...]
"""Where something lies in a raw frame, index by index."""

_MOST_TURNED = 0.2  # of a pixel per pixel: beyond it a panel is no longer near enough to the pixels' grid
_MOST_PIXELS = 1 << 26  # panels farther apart than makes such a frame are a mistake in the geometry


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One panel, in the axes of `Geometry`: x and y in pixels from the beam.

    Attributes
    ----------
    name : str
        As the geometry calls it.
    place : tuple of int or slice
        Where its pixels lie in a raw frame; the last two are slices, slow and fast.
    corner_xy : (2,) float64
        Outer corner of its first pixel.
    slow_xy, fast_xy : (2,) float64
        Steps from one pixel to the next, along the slow and the fast index.
    """

    name: str
    place: Place
    corner_xy: np.ndarray
    slow_xy: np.ndarray
    fast_xy: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels along the slow and the fast index."""
        slow, fast = (part for part in self.place if isinstance(part, slice))
        return slow.stop - slow.start, fast.stop - fast.start


class Assembly:
    """Puts raw frames together to flat ones, along whole pixels: every count stays one count of one pixel.

    Panels are moved by half a pixel at most, and turned straight about their middle: rows run along +y and
    columns along +x, as in `Geometry`. Where two panels overlap, the later one lies on top.

    Parameters
    ----------
    panels : sequence of Panel
        Of one detector.
    raw_shape : tuple of int
        Of a raw frame.

    Attributes
    ----------
    shape : (ny, nx)
        Of a flat frame: as large as it must be to hold all panels.
    centre_yx : (float, float)
        Where the beam crosses it.
    gaps : (ny, nx) bool
        Where there is no panel.

    Raises
    ------
    InputError
        If a panel lies outside the raw frame, stands askew, or pixels are not square.
    """

    def __init__(self, panels: Sequence[Panel], raw_shape: tuple[int, ...]) -> None:
        if not panels:
            raise InputError("The geometry has no panels; give one that says where they are.")
        for panel in panels:
            _require_inside(panel, raw_shape)
        indices = np.arange(int(np.prod(raw_shape))).reshape(raw_shape)
        laid = [_laid_straight(panel, indices[panel.place]) for panel in panels]
        low = np.min([corner for corner, _ in laid], axis=0)
        high = np.max([corner + block.shape for corner, block in laid], axis=0)
        ny, nx = (int(n) for n in high - low)
        if ny * nx > _MOST_PIXELS:
            raise InputError(
                f"The geometry spreads its panels over {ny} x {nx} pixels, more than any detector; mend it."
            )
        place = np.full((ny, nx), -1)
        for corner, block in laid:
            y, x = corner - low
            place[y : y + block.shape[0], x : x + block.shape[1]] = block
        self.raw_shape = tuple(raw_shape)
        self.shape: tuple[int, int] = (ny, nx)
        self.gaps = place < 0
        self.centre_yx = (float(-low[0] - 0.5), float(-low[1] - 0.5))
        self._place = np.maximum(place, 0).ravel()

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Assemble (k, *raw_shape) into (k, ny, nx); the gaps are 0.

        Examples
        --------
        >>> left = Panel(
        ...     name="left", place=(slice(0, 1), slice(0, 2)), corner_xy=np.array([-3.0, 0.0]),
        ...     slow_xy=np.array([0.0, 1.0]), fast_xy=np.array([1.0, 0.0]),
        ... )
        >>> right = Panel(
        ...     name="right", place=(slice(1, 2), slice(0, 2)), corner_xy=np.array([2.0, 1.0]),
        ...     slow_xy=np.array([0.0, -1.0]), fast_xy=np.array([-1.0, 0.0]),
        ... )
        >>> assembly = Assembly([left, right], (2, 2))
        >>> assembly(np.array([[[1, 2], [3, 4]]]))
        array([[[1, 2, 0, 4, 3]]])
        >>> assembly.centre_yx
        (-0.5, 2.5)
        """
        flat = np.take(raw.reshape(len(raw), -1), self._place, axis=1).reshape(len(raw), *self.shape)
        flat[:, self.gaps] = 0
        return flat


def _laid_straight(panel: Panel, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(y, x) of the first pixel on the grid, and the panel turned so that rows run along +y."""
    slow, fast = np.rint(panel.slow_xy).astype(int), np.rint(panel.fast_xy).astype(int)
    off = max(np.abs(panel.slow_xy - slow).max(), np.abs(panel.fast_xy - fast).max())
    if off > _MOST_TURNED or abs(slow[0] * fast[1] - slow[1] * fast[0]) != 1 or abs(slow).sum() != 1:
        raise InputError(
            f"Panel {panel.name} has steps of {_words(panel.slow_xy)} and {_words(panel.fast_xy)} pixels in "
            "x and y; needed are square pixels whose rows run along x or y. Assemble such frames yourself."
        )
    n_slow, n_fast = panel.shape
    middle = panel.corner_xy + 0.5 * (n_slow * panel.slow_xy + n_fast * panel.fast_xy)
    if slow[0] != 0:  # rows run along y
        indices = indices.T
        slow, fast = fast, slow
    if slow[1] < 0:
        indices = indices[::-1]
    if fast[0] < 0:
        indices = indices[:, ::-1]
    corner_yx = middle[::-1] - 0.5 * np.array(indices.shape)
    return np.rint(corner_yx).astype(int), indices


def _require_inside(panel: Panel, raw_shape: tuple[int, ...]) -> None:
    if len(panel.place) != len(raw_shape):
        raise InputError(
            f"Panel {panel.name} is placed by {len(panel.place)} indices and raw frames have shape "
            f"{raw_shape}; give the geometry that belongs to them."
        )
    for part, n in zip(panel.place, raw_shape, strict=True):
        stop = part.stop if isinstance(part, slice) else part + 1
        if stop > n:
            raise InputError(
                f"Panel {panel.name} reaches to {stop - 1} where raw frames of shape {raw_shape} end at "
                f"{n - 1}; give the geometry that belongs to them."
            )


def _words(xy: np.ndarray) -> str:
    return f"({xy[0]:.3g}, {xy[1]:.3g})"
