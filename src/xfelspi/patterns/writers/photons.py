"""Frames as photons and their places, the way of EMC: only whole, positive counts can be said so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from xfelspi.errors import InputError

from .shots import Shots

_MOST = np.iinfo(np.int32).max


class Photons(NamedTuple):
    """Lit pixels of some frames, frame after frame; all int32.

    `ones` and `multi` (j,) are how many pixels of each frame have one photon and more, `place_ones` and
    `place_multi` which they are in the flat frame, `count_multi` how many photons the latter have.
    """

    ones: np.ndarray
    multi: np.ndarray
    place_ones: np.ndarray
    place_multi: np.ndarray
    count_multi: np.ndarray


class Changed(NamedTuple):
    """Good pixels that had to be changed to become counts."""

    rounded: int = 0
    negative: int = 0
    nan: int = 0


def photons(shots: Shots, rounding: bool) -> Iterator[tuple[int, Photons, Changed]]:
    """Go through the shots in blocks: place of the first, their photons, and what was changed.

    Raises
    ------
    InputError
        If a good pixel is no whole, positive count and `rounding` is off, or no int32.
    """
    bad = shots.patterns.mask
    for start, frames in shots.blocks():
        counts, changed = _counts(frames, bad)
        if any(changed) and not rounding:
            raise InputError(
                f"{shots.patterns.path} has good pixels that are no whole photons ({changed.rounded} "
                f"fractions, {changed.negative} negative, {changed.nan} without a value in the patterns from "
                f"{shots.indices[start]} on), and EMC holds nothing else; add --round, or write CXI."
            )
        yield start, _sparse(counts), changed


def sentence(changes: Iterable[Changed]) -> list[str]:
    """Say what was changed in all; nothing if nothing was."""
    rounded, negative, nan = (sum(column) for column in zip(Changed(), *changes, strict=True))
    if not (rounded or negative or nan):
        return []
    return [
        f"{rounded} good pixels were rounded to whole photons; {negative} negative and {nan} without a value "
        "became 0."
    ]


def _counts(frames: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, Changed]:
    """Whole counts, (j, ny, nx); what is none under the mask is 0 without a word."""
    if frames.dtype.kind == "u" and frames.dtype.itemsize < 4:
        return frames, Changed()
    with np.errstate(invalid="ignore"):
        whole = np.rint(frames) if frames.dtype.kind == "f" else frames
        is_nan, is_negative = ~np.isfinite(frames), frames < 0
        is_fraction = (whole != frames) & ~is_nan & ~is_negative
        counts = np.where(is_nan | is_negative | (is_fraction & bad), 0, whole)
    if counts.max(initial=0) > _MOST:
        counts = np.where(bad, 0, counts)  # it may be a detector's own mark of bad pixels
    if counts.max(initial=0) > _MOST:
        raise InputError(f"A pixel has {counts.max():.4g} photons; EMC counts to {_MOST}: write CXI instead.")
    good = ~bad
    changed = Changed(*(int(np.count_nonzero(some & good)) for some in (is_fraction, is_negative, is_nan)))
    return counts, changed


def _sparse(counts: np.ndarray) -> Photons:
    flat = counts.reshape(len(counts), -1)
    frame, place = np.nonzero(flat)
    count = flat[frame, place].astype("<i4")
    is_one = count == 1
    ones, multi = (
        np.bincount(frame[some], minlength=len(counts)).astype("<i4") for some in (is_one, ~is_one)
    )
    place = place.astype("<i4")
    return Photons(ones, multi, place[is_one], place[~is_one], count[~is_one])
