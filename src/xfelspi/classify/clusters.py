"""Labels for all from labels for a few: patterns in clusters, and the majority of those looked at wins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xfelspi.errors import InputError

MOST, FEWEST = 50, 10
"""Clusters that a budget is spent on."""


class ClusterLabels(NamedTuple):
    """A label for every pattern, and what it cost."""

    labels: np.ndarray
    """(n,) int8: 1 single, 0 not; -1 where nobody could be asked about the cluster."""
    n_labels_spent: int
    """Patterns looked at."""


def clusters_of(coordinates: np.ndarray, n_clusters: int, seed: int = 0) -> np.ndarray:
    """Part patterns into clusters by k-means; cluster 0 is the largest.

    Parameters
    ----------
    coordinates : (n, c)
        Of a diffusion map, or any others.
    n_clusters : int
        How many; a few may come out empty where many patterns are the same.
    seed : int
        Of the first guess.

    Returns
    -------
    clusters : (n,) int64
        The cluster of each pattern.

    Raises
    ------
    InputError
        If there are fewer patterns than clusters.
    """
    from sklearn.cluster import KMeans

    if not 1 <= n_clusters <= len(coordinates):
        raise InputError(
            f"{n_clusters} clusters of {len(coordinates)} patterns are asked for; ask for 1 to that many."
        )
    if not 0 <= seed < 2**32:
        raise InputError(f"The seed is {seed}; it must lie between 0 and 2^32 - 1.")
    found = KMeans(n_clusters, n_init=4, random_state=seed).fit(coordinates).labels_
    order = np.argsort(np.bincount(found, minlength=n_clusters), kind="stable")[::-1]
    return np.argsort(order)[found]


def label_clusters(
    clusters: np.ndarray, truth: np.ndarray, per_cluster: int, rng: np.random.Generator
) -> ClusterLabels:
    """Look at a few random patterns of each cluster, and give all of it the label of most of them.

    Parameters
    ----------
    clusters : (n,) int
        The cluster of each pattern.
    truth : (n,) int
        What is seen when a pattern is looked at: 1 single, 0 not; -1 cannot be told, and is not looked at.
    per_cluster : int
        Patterns to look at in each; all of a smaller one.
    rng : numpy.random.Generator
        Which ones.

    Returns
    -------
    found : ClusterLabels
        Of as many of each the cluster is not single.
    """
    labels = np.full(len(clusters), -1, np.int8)
    spent = 0
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        known = members[truth[members] >= 0]
        if known.size:
            seen = rng.choice(known, min(per_cluster, known.size), replace=False)
            labels[members] = 2 * np.count_nonzero(truth[seen] == 1) > seen.size
            spent += seen.size
    return ClusterLabels(labels, spent)


def label_by_clusters(
    coordinates: np.ndarray, truth: np.ndarray, n_clusters: int, per_cluster: int, rng: np.random.Generator
) -> ClusterLabels:
    """Part patterns into clusters, and label these; see `clusters_of` and `label_clusters`."""
    clusters = clusters_of(coordinates, n_clusters, int(rng.integers(2**31)))
    return label_clusters(clusters, truth, per_cluster, rng)


def label_with_budget(
    coordinates: np.ndarray, truth: np.ndarray, n_labels: int, rng: np.random.Generator
) -> ClusterLabels:
    """Spend `n_labels` looks at patterns, or a few less: ten to a cluster, with 10 to 50 clusters.

    Raises
    ------
    InputError
        If nothing may be spent.
    """
    if n_labels < 1:
        raise InputError(f"{n_labels} labels are to be spent; spend 1 or more.")
    n_clusters = min(max(n_labels // 10, FEWEST), MOST, n_labels, len(coordinates))
    return label_by_clusters(coordinates, truth, n_clusters, n_labels // n_clusters, rng)
