"""A model on files: scores of every pattern, rows of rates, and the lists of what to keep."""

from __future__ import annotations

import copy
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from xfelspi.patterns import Frames, PatternSet

from .evaluate import evaluate
from .framing import Framing
from .model import Classifier, Model, write_whole
from .precision import autocast, device_of_choice, fastest_precision

BATCH = 64
"""Patterns scored at once by one thread: small enough that a layer's output stays in the cache."""


@dataclass(frozen=True)
class Scored:
    """The scores of one file.

    Attributes
    ----------
    scores : (n,) float32
        Log odds that a pattern is a single hit.
    n_nan, n_negative : int
        Pixels that were NaN or infinite, and negative; they were taken for masked.
    """

    scores: np.ndarray
    n_nan: int
    n_negative: int

    @property
    def probabilities(self) -> np.ndarray:
        """Chance (n,) of a single hit, in the mixture of the training patterns."""
        return 1.0 / (1.0 + np.exp(-self.scores.astype(np.float64)))


class Scorer:
    """A model made ready for many patterns: layers fused, precision chosen, one thread a core.

    Parameters
    ----------
    model : Model
        The classifier.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._device = device_of_choice()
        self._dtype = fastest_precision(model.classifier.architecture, self._device)
        self._classifier = _fused(model.classifier).to(self._device)
        if self._device.type == "cpu" and self._dtype != torch.float32:
            self._classifier.network.to(self._dtype)

    def score(self, patterns: PatternSet, progress: Callable[[float], None] = lambda _: None) -> Scored:
        """Score every pattern of a file, in memory that does not grow with it."""
        architecture = self.model.classifier.architecture
        framing = Framing(patterns.shape, patterns.mask, patterns.geometry, architecture.frame)
        scores = np.empty(patterns.n, dtype=np.float32)
        n_nan = n_negative = 0
        # Reading stays in this thread (HDF5 has one lock); framing and network run beside it.
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                waiting: deque[tuple[int, Future]] = deque()

                def take() -> None:
                    start, future = waiting.popleft()
                    scores[start : start + BATCH] = future.result()
                    progress(min(1.0, (start + BATCH) / patterns.n))

                for start, frames in _batches(patterns):
                    n_nan, n_negative = n_nan + frames.n_nan, n_negative + frames.n_negative
                    waiting.append((start, pool.submit(self._score, framing, frames.counts)))
                    if len(waiting) > 2 * threads:
                        take()
                while waiting:
                    take()
        finally:
            torch.set_num_threads(before)
        return Scored(scores, n_nan, n_negative)

    def _score(self, framing: Framing, counts: np.ndarray) -> np.ndarray:
        frames = torch.from_numpy(framing(counts)).to(self._device)
        with torch.inference_mode():
            shown = self._classifier.prepare(frames)
            if self._device.type == "cpu":
                shown = shown.to(self._dtype, memory_format=torch.channels_last)
                logits = self._classifier.network(shown)
            else:
                with autocast(self._dtype, self._device):
                    logits = self._classifier.network(shown)
            logits = logits.float()
        return (logits[:, 1] - logits[:, 0]).cpu().numpy()


def _batches(patterns: PatternSet) -> Iterator[tuple[int, Frames]]:
    for start in range(0, patterns.n, BATCH):
        yield start, patterns.frames(start, start + BATCH)


def _fused(classifier: Classifier) -> Classifier:
    """Return a copy in which every batch normalization is part of its convolution."""
    fused = copy.deepcopy(classifier).eval()
    for module in list(fused.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Sequential) and [type(part) for part in child] == [
                nn.Conv2d,
                nn.BatchNorm2d,
            ]:
                setattr(module, name, fuse_conv_bn_eval(child[0], child[1]))
    return fused


def score_file(scorer: Scorer, patterns: PatternSet, scored: Scored) -> list[dict[str, Any]]:
    """Rows of rates of one labelled file, one for each shape in it; see `evaluate`.

    Parameters
    ----------
    scorer : Scorer
        With the thresholds of its model.
    patterns : PatternSet
        Labelled.
    scored : Scored
        Its scores.

    Returns
    -------
    rows : list of dict
        ``file``, ``shape`` (None without truth) and the columns of `evaluate`.
    """
    model = scorer.model
    labels = patterns.labels if patterns.labels is not None else np.full(patterns.n, -1, np.int8)
    shapes: Sequence[str | None] = [None]
    if patterns.shapes is not None:
        shapes = sorted(set(patterns.shapes.tolist()))
    rows = []
    for shape in shapes:
        chosen = np.ones(patterns.n, bool) if shape is None else patterns.shapes == shape
        clear = None if patterns.clear is None else patterns.clear[chosen]
        rates = evaluate(
            scored.scores[chosen],
            labels[chosen],
            clear,
            threshold=model.threshold,
            held_out=model.held_out,
        )
        rows.append({"file": str(patterns.path), "shape": shape, **rates})
    return rows


def write_selection(patterns: PatternSet, scored: Scored, threshold: float, stem: Path) -> tuple[Path, Path]:
    """Write STEM.csv with every pattern's probability, and STEM.lst with the patterns that are kept.

    Parameters
    ----------
    patterns : PatternSet
        What was scored.
    scored : Scored
        Its scores.
    threshold : float
        A pattern is kept where its score exceeds this.
    stem : Path
        Both files' name without its ending.

    Returns
    -------
    table, kept : Path
        The CSV (``index,probability,kept`` and ``label`` where known), and the list, one event a line as
        ``FILE //INDEX``.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    keep = scored.scores > threshold
    labels = patterns.labels
    header = "index,probability,kept" + ("" if labels is None else ",label")
    lines = [header]
    for index, (probability, kept) in enumerate(zip(scored.probabilities, keep, strict=True)):
        lines.append(f"{index},{probability:.6g},{int(kept)}" + ("" if labels is None else f",{labels[index]}"))
    source = patterns.path.absolute()
    events = [f"{source} //{index}" for index in np.flatnonzero(keep)]
    table, selection = stem.with_name(stem.name + ".csv"), stem.with_name(stem.name + ".lst")
    write_whole(table, ("\n".join(lines) + "\n").encode())
    write_whole(selection, "".join(f"{event}\n" for event in events).encode())
    return table, selection
