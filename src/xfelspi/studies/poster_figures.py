"""What the table's networks are shown, and what they make of it: preprocessing, activations, Grad-CAM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xfelspi.classify import Framing, explain_patterns
from xfelspi.classify.prepare import Standardize
from xfelspi.patterns import LABELS, PatternSet
from xfelspi.pictures import Explained, explanation_sheet, standardized_sheet

from .poster_declared import Figures
from .poster_table import TableWork


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The pictures.

    Attributes
    ----------
    indices : list of int
        Patterns of the table's simulated test set.
    preprocessing : Path or None
        None where no network of the table standardizes its pixels.
    insides : dict of str to Path
        Activations and Grad-CAM, by the network.
    """

    indices: list[int]
    preprocessing: Path | None
    insides: dict[str, Path]


def show_networks(table: TableWork, asked: Figures) -> Shown:
    """Draw what networks with seed 0 that learned from simulation make of simulated patterns."""
    out, work = table.work.out, table.work
    preprocessing, insides = None, {}
    with PatternSet.open(table.test) as patterns:
        indices = _chosen(patterns, asked.n_each)
        assert patterns.truth is not None  # we simulated it
        captions = [f"#{i} {LABELS[patterns.truth['label'][i]]}" for i in indices]
        for network in work.networks(table.asked.networks):
            model, _ = work.model(*table.trained_on_simulation(network, 0))
            if isinstance(model.classifier.prepare, Standardize) and preprocessing is None:
                framing = Framing(patterns.shape, patterns.mask, patterns.geometry, model.frame)
                counts = framing(np.concatenate([patterns.frames(i, i + 1).counts for i in indices]))
                after = model.classifier.prepare(torch.from_numpy(counts))[:, 0].numpy()
                preprocessing = standardized_sheet(
                    np.maximum(counts, 0), after, ~framing.masked, captions, out / "preprocessing.png"
                )
            rows = [
                Explained(
                    caption=f"{caption}, P(single) {found.probability:.2f}",
                    pattern=found.frame,
                    activations=found.activations,
                    cam=found.cam,
                )
                for caption, found in zip(captions, explain_patterns(model, patterns, indices), strict=True)
            ]
            insides[network] = explanation_sheet(rows, out / f"inside-{network}.png", title=network)
    return Shown(indices=indices, preprocessing=preprocessing, insides=insides)


def _chosen(patterns: PatternSet, n_each: int) -> list[int]:
    """Return the first single hits, and the first others that can be told from them."""
    assert patterns.labels is not None  # we simulated it
    assert patterns.clear is not None
    single = np.flatnonzero(patterns.labels == 1)[:n_each]
    other = np.flatnonzero(patterns.clear)[:n_each]
    return [*single.tolist(), *other.tolist()]
