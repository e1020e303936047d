"""A trained network -> what it takes to decide with it: thresholds, probabilities, what is familiar."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from torch import Tensor

from .calibration import SHAPE_SPREAD, Calibration, fit_calibration
from .data import Examples
from .familiarity import Familiarity, fit_familiarity
from .model import HeldLogits
from .predict import ReadyClassifier
from .scores import Scores, Thresholds, evaluate, find_thresholds
from .supply import Supply

_AT_ONCE = 64
_LEARNED = 4096  # frames learned from that say what is familiar


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """All that a model adds to its network, see `Model`; `scores` are those of the patterns held out."""

    thresholds: Thresholds
    scores: Scores
    calibration: Calibration
    familiarity: Familiarity
    held: HeldLogits


def settle(ready: ReadyClassifier, supply: Supply, apart: Examples | None) -> Settled:
    """Find thresholds, probabilities and the limit of what is familiar.

    Parameters
    ----------
    ready : ReadyClassifier
        The network, trained.
    supply : Supply
        What it learned from. Some of that, and the patterns held out, say what is familiar.
    apart : Examples or None
        Patterns of other shapes that thresholds and probabilities come from, instead of those held out.
    """
    n_batches = max(1, min(_LEARNED, supply.n) // _AT_ONCE)
    batches = islice(supply.batches(0, _AT_ONCE), n_batches)
    learned = np.concatenate([_see(ready, frames)[1] for frames, _ in batches])
    logits, features = _see(ready, supply.held.frames)
    familiarity = fit_familiarity(learned, features)
    validation = logits, supply.held.labels.numpy(), supply.held.clear
    if apart is None:
        logits, labels, clear = validation
    else:
        logits, labels, clear = _see(ready, apart.frames)[0], apart.labels.numpy(), apart.clear
    thresholds = find_thresholds(logits, labels, clear)
    return Settled(
        thresholds=thresholds,
        scores=evaluate(*validation, thresholds),
        calibration=fit_calibration(logits, labels, SHAPE_SPREAD if apart is None else 0.0),
        familiarity=familiarity,
        held=HeldLogits(singles=np.sort(logits[labels == 1]), others=np.sort(logits[labels == 0])),
    )


def _see(ready: ReadyClassifier, frames: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Logits and features of frames, however many."""
    seen = [ready.see(block.float()) for block in frames.split(_AT_ONCE)]
    logits, features = zip(*seen, strict=True)
    return np.concatenate(logits), np.concatenate(features)
