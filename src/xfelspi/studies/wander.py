"""How far the beam wanders over measured frames, told by their Friedel symmetry alone."""

from __future__ import annotations

import numpy as np

from xfelspi.fidelity import DIM, FrameSet, friedel_symmetry
from xfelspi.simulate import Experiment, Recipe, without

FEWEST, MOST = 10, 100
"""Frames of `DIM` counts or more: with fewer no spread is known, and more are not looked at."""

MOST_PIXELS = 2**21
"""Of these frames, but for the fewest."""

FARTHEST = 2.0
"""Pixels from the given centre beyond which the search, within 3 of it, may have missed some."""

MOVERS = ("centre-jitter", "wavefront-tilt")
"""Terms by which the beam's place differs from shot to shot."""

_TRIED = 3  # shots for each bright one


def learn_wander(recipe: Recipe, frames: FrameSet) -> float | None:
    """Return the standard deviation, along y and along x, of where the beam crosses the frames, in pixels.

    The centre of each frame is that of its Friedel symmetry, which one particle has as well as several. What
    noise, fluctuation and background add to its spread is that of simulated frames whose beam stands still;
    it is taken off in squares. Spreads are half of what the middle 68 % span, in the mean over both axes.

    Parameters
    ----------
    recipe : Recipe
        On the frames' own pixels, as bright as they are.
    frames : FrameSet
        Measured ones.

    Returns
    -------
    wander : float or None
        None if too few frames are bright, or their centre is not where it is said to be.
    """
    bright = _bright(frames)
    if bright is None:
        return None
    centres = friedel_symmetry(bright).centre_yx
    if np.abs(np.median(centres, axis=0) - bright.centre_yx).max() > FARTHEST:
        return None
    still = _still(recipe, bright.n)
    if still is None:
        return None
    return float(np.sqrt(max(0.0, _square(centres) - _square(friedel_symmetry(still).centre_yx))))


def _still(recipe: Recipe, n: int) -> FrameSet | None:
    """Return n bright frames of a beam that stands still; None where they are rare."""
    experiment = Experiment(without(recipe, MOVERS), seed=0)
    detector = recipe.detector
    counts: list[np.ndarray] = []
    for index in range(_TRIED * n):
        frame, _ = experiment.pattern(index)
        if frame[detector.mask == 0].sum() >= DIM:
            counts.append(frame)
        if len(counts) == n:
            break
    if len(counts) < FEWEST:
        return None
    return FrameSet(counts=np.stack(counts), good=detector.mask == 0, centre_yx=detector.middle_yx)


def _bright(frames: FrameSet) -> FrameSet | None:
    """Return the frames that tell their centre; None where they are few."""
    bright = np.flatnonzero(frames.totals >= DIM)
    most = max(FEWEST, min(MOST, MOST_PIXELS // frames.good.size))
    return None if bright.size < FEWEST else frames.chosen(bright[:most])


def _square(centres: np.ndarray) -> float:
    low, high = np.quantile(centres, (0.16, 0.84), axis=0)
    return float(np.mean(((high - low) / 2) ** 2))
