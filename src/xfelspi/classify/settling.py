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
from .supply import HeldOut, Supply

LEARNED = 4096
"""Frames learned from that say what is familiar."""

_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """Labelled patterns, and what a network that never learned from them makes of them.

    Attributes
    ----------
    logits : (n,) float32
        Of being single.
    features : (n, c) float32
        Each channel averaged over the image.
    labels : (n,) int64
        1 single, 0 not.
    clear : (n,) bool
        Clear multiples.
    hidden : (n,) bool
        Multiples that are not clear.
    """

    logits: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    clear: np.ndarray
    hidden: np.ndarray


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
    n_batches = max(1, min(LEARNED, supply.n) // _AT_ONCE)
    batches = islice(supply.batches(0, _AT_ONCE), n_batches)
    learned = np.concatenate([_see(ready, frames)[1] for frames, _ in batches])
    return settle_on(learned, _judge(ready, supply.held), None if apart is None else _judge(ready, apart))


def settle_on(learned: np.ndarray, held: Judged, apart: Judged | None) -> Settled:
    """Do the same with what the network sees already at hand.

    Parameters
    ----------
    learned : (n, c) float32
        Features of patterns that it learned from, no more than `LEARNED` of them.
    held, apart
        The patterns held out, and those of other shapes if there are any.
    """
    decides = apart or held
    thresholds = find_thresholds(decides.logits, decides.labels, decides.clear, decides.hidden)
    return Settled(
        thresholds=thresholds,
        scores=evaluate(held.logits, held.labels, held.clear, thresholds),
        calibration=fit_calibration(decides.logits, decides.labels, SHAPE_SPREAD if apart is None else 0.0),
        familiarity=fit_familiarity(learned, held.features),
        held=HeldLogits(
            singles=np.sort(decides.logits[decides.labels == 1]),
            others=np.sort(decides.logits[decides.labels == 0]),
        ),
    )


def _judge(ready: ReadyClassifier, patterns: HeldOut | Examples) -> Judged:
    logits, features = _see(ready, patterns.frames)
    return Judged(
        logits=logits,
        features=features,
        labels=patterns.labels.numpy(),
        clear=patterns.clear,
        hidden=patterns.hidden,
    )


def _see(ready: ReadyClassifier, frames: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Logits and features of frames, however many."""
    seen = [ready.see(block.float()) for block in frames.split(_AT_ONCE)]
    logits, features = zip(*seen, strict=True)
    return np.concatenate(logits), np.concatenate(features)
