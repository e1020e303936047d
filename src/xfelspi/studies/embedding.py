"""The map of a file's patterns and its clusters, and what labels for a few of them would tell about all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xfelspi.classify import (
    DiffusionMap,
    clusters_of,
    diffusion_map,
    label_clusters,
    pattern_vectors,
    require_nothing_filled_in,
    write_clusters,
)
from xfelspi.patterns import PatternSet

_LOOKS = (5, 10, 20)
"""Patterns looked at in each cluster, where the truth tells what would be seen."""

_TRIES = 20  # choices of patterns to look at


class Looked(NamedTuple):
    """What comes of looking at some patterns of each cluster."""

    per_cluster: int
    n_labels: int
    """Patterns looked at."""
    right: float
    """Share of all patterns whose truth is known, mean over 20 choices of those looked at."""
    least: float
    """Share with the unluckiest of these choices."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """A map of patterns.

    Attributes
    ----------
    features : str
        What the vectors were made of.
    found : DiffusionMap
        The coordinates.
    clusters : (n,) int
        Of each pattern.
    seconds : dict of str to float
        What took how long: vectors, map, clusters.
    looked : list of Looked
        Empty where the file has no truth.
    """

    features: str
    found: DiffusionMap
    clusters: np.ndarray
    seconds: dict[str, float]
    looked: list[Looked]


def embed(
    patterns: PatternSet,
    out: Path,
    *,
    features: str = "invariant",
    k: int = 100,
    n_clusters: int = 20,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Embedding:
    """Make the diffusion map of a file's patterns, part it into clusters, and write both as tables.

    Parameters
    ----------
    patterns : PatternSet
        The file.
    out : Path
        Folder for coordinates.csv and clusters.csv.
    features : {"invariant", "pixels"}
        What patterns are compared by.
    k : int
        Neighbours of each.
    n_clusters : int
        Clusters to label.
    seed : int
        Of clusters and looks.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        If the patterns cannot be mapped, or tables cannot be written or would be lost.
    """
    require_nothing_filled_in(out)
    began = [time.perf_counter()]
    vectors = pattern_vectors(patterns, features, progress)
    began.append(time.perf_counter())
    found = diffusion_map(vectors, k=k, progress=progress)
    began.append(time.perf_counter())
    clusters = clusters_of(found.coordinates, n_clusters, seed)
    began.append(time.perf_counter())
    write_clusters(out, patterns, found.coordinates, clusters)
    truth = patterns.labels
    return Embedding(
        features=features,
        found=found,
        clusters=clusters,
        seconds=dict(zip(("vectors", "map", "clusters"), np.diff(began).tolist(), strict=True)),
        looked=[] if truth is None or (truth < 0).all() else looks(clusters, truth, seed),
    )


def looks(clusters: np.ndarray, truth: np.ndarray, seed: int = 0) -> list[Looked]:
    """Look at 5, 10 and 20 patterns of each cluster, and count how many of all are right then."""
    known = truth >= 0
    rows = []
    for per_cluster in _LOOKS:
        rng = np.random.default_rng((seed, per_cluster))
        tries = [label_clusters(clusters, truth, per_cluster, rng) for _ in range(_TRIES)]
        right = [float(np.mean(given.labels[known] == truth[known])) for given in tries]
        rows.append(Looked(per_cluster, tries[0].n_labels_spent, float(np.mean(right)), min(right)))
    return rows
