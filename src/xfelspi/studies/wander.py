"""How far the beam wanders over measured frames, told by their Friedel symmetry alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xfelspi.fidelity import DIM, FrameSet, friedel_symmetry
from xfelspi.simulate import Experiment, Recipe, without

FEWEST, MOST = 10, 100
"""Frames of `DIM` counts or more: with fewer no spread is known, and more are not looked at."""

MOST_PIXELS = 2**21
"""Of these frames, but for the fewest."""

SEARCHED = (3.0, 8.0)
"""Pixels from the given centre within which a frame has its own: the second where the first is short."""

_AT_END, _FEW = 0.5, 0.05  # pixels from there, and the share of frames that may lie so near

MOVERS = ("centre-jitter", "wavefront-tilt")
"""Terms by which the beam's place differs from shot to shot."""

_TRIED = 3  # shots for each bright one
_PUT_IN = 1.0  # pixels of wander that simulated frames must show again
_FEWEST_SIMULATED = 30


def learn_wander(recipe: Recipe, frames: FrameSet) -> float | None:
    """Return the standard deviation, along y and along x, of where the beam crosses the frames, in pixels.

    The centre of each frame is that of its Friedel symmetry, which one particle has as well as several. What
    noise, fluctuation and background add to its spread is that of simulated frames whose beam stands still;
    it is taken off in squares. Spreads are half of what the middle 68 % span, in the mean over y and x;
    over one of them where along the other simulated frames do not show a wander that was put into them, as
    where half of the detector is dead.

    Parameters
    ----------
    recipe : Recipe
        On the frames' own pixels, as bright as they are.
    frames : FrameSet
        Measured ones.

    Returns
    -------
    wander : float or None
        None if too few frames are bright, their centres lie beyond what is searched, or are not seen.
    """
    bright = _bright(frames)
    if bright is None:
        return None
    for reach in SEARCHED:
        centres = friedel_symmetry(bright, reach).centre_yx
        off = np.abs(centres - bright.centre_yx).max(axis=1)
        if (off > reach - _AT_END).mean() <= _FEW:
            break
    else:
        return None
    still = without(recipe, MOVERS)
    moved = replace(still, beam=replace(still.beam, centre_jitter_pixels=_PUT_IN))
    n = max(bright.n, _FEWEST_SIMULATED)
    of_still, of_moved = (_simulated(each, n, reach) for each in (still, moved))
    if of_still is None or of_moved is None:
        return None
    seen = of_moved - of_still > 0.5 * _PUT_IN**2
    if not seen.any():
        return None
    return float(np.sqrt(max(0.0, (_squares(centres) - of_still)[seen].mean())))


def _simulated(recipe: Recipe, n: int, reach: float) -> np.ndarray | None:
    """Return the squared spread of the centres of n bright frames of a recipe; None where they are rare."""
    experiment = Experiment(recipe, seed=0)
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
    frames = FrameSet(counts=np.stack(counts), good=detector.mask == 0, centre_yx=detector.middle_yx)
    return _squares(friedel_symmetry(frames, reach).centre_yx)


def _bright(frames: FrameSet) -> FrameSet | None:
    """Return the frames that tell their centre; None where they are few."""
    bright = np.flatnonzero(frames.totals >= DIM)
    most = max(FEWEST, min(MOST, MOST_PIXELS // frames.good.size))
    return None if bright.size < FEWEST else frames.chosen(bright[:most])


def _squares(centres: np.ndarray) -> np.ndarray:
    """Squared spread of (n, 2) centres along y and along x."""
    low, high = np.quantile(centres, (0.16, 0.84), axis=0)
    return ((high - low) / 2) ** 2
