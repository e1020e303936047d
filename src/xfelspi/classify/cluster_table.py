"""Clusters on disk: where each pattern lies, a table for a person to fill in, and labels made of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, read_label_table, write_whole

COORDINATES, CLUSTERS, LABELS = "coordinates.csv", "clusters.csv", "labels.csv"
"""Names of the tables in a folder."""

_COMPARED, _AT_ONCE = 64, 64  # patterns whose photons tell whether a table is about a file; frames in memory

_WORDS = {"": -1, "-1": -1, "0": 0, "1": 1}

_PLACES = "index,photons,cluster"


def write_clusters(folder: Path, patterns: PatternSet, coordinates: np.ndarray, clusters: np.ndarray) -> None:
    """Write where each pattern lies, and the clusters with their labels left to fill in.

    Parameters
    ----------
    folder : Path
        For coordinates.csv (index, photons, cluster, psi1 ...) and clusters.csv (cluster, n, label).
    patterns : PatternSet
        The file; the photons of its patterns tell later whether the tables are about it.
    coordinates : (n, c)
        Of each pattern.
    clusters : (n,) int
        Its cluster.

    Raises
    ------
    InputError
        If they cannot be written, or labels that somebody has filled in would be lost.
    """
    require_nothing_filled_in(folder)
    names = [f"psi{number}" for number in range(1, coordinates.shape[1] + 1)]
    photons = _photons(patterns, patterns.n)
    lines = [",".join([_PLACES, *names])]
    lines += [
        f"{index},{photons[index]},{cluster},{','.join(f'{value:.6g}' for value in place)}"
        for index, (cluster, place) in enumerate(zip(clusters, coordinates, strict=True))
    ]
    write_whole(folder / COORDINATES, "".join(f"{line}\n" for line in lines).encode())
    counts = np.bincount(clusters)
    lines = ["cluster,n,label", *(f"{cluster},{counts[cluster]}," for cluster in np.flatnonzero(counts))]
    write_whole(folder / CLUSTERS, "".join(f"{line}\n" for line in lines).encode())


def require_nothing_filled_in(folder: Path) -> None:
    """Raise an `InputError` if the folder holds clusters that somebody has labelled, or another's table."""
    places = folder / COORDINATES
    if places.exists() and not places.read_bytes()[: len(_PLACES)] == _PLACES.encode():
        raise InputError(f"{places} exists and did not come from xfel embed; choose another --out.")
    table = folder / CLUSTERS
    if table.exists() and any(
        (row.get("label") or "").strip() for _, row in _rows(table, ("cluster", "label"))
    ):
        raise InputError(
            f"{table} has labels filled in, which would be lost; use them with --labels {table}, or choose "
            "another --out."
        )


def read_cluster_labels(path: Path, patterns: PatternSet) -> np.ndarray:
    """Turn the labels of clusters into one for each pattern: 1 single, 0 not, -1 unknown; (n,) int8.

    Parameters
    ----------
    path : Path
        A filled clusters.csv; coordinates.csv, beside it, says which pattern is in which cluster. Clusters
        left empty are unknown.
    patterns : PatternSet
        The file that it is about.

    Raises
    ------
    InputError
        If a table is missing or cannot be understood, or is about other patterns.
    """
    clusters = _read_clusters(path.with_name(COORDINATES), patterns)
    label_of = np.full(clusters.max() + 1, -1, np.int8)
    seen: set[int] = set()
    for number, row in _rows(path, ("cluster", "label")):
        cluster = _whole(path, number, row["cluster"])
        if not 0 <= cluster < label_of.size or cluster in seen:
            problem = "is named twice" if cluster in seen else f"is not one of 0 ... {label_of.size - 1}"
            raise InputError(f"{path}, line {number}: cluster {cluster} {problem}; mend that line.")
        word = (row["label"] or "").strip()
        if word not in _WORDS:
            raise InputError(
                f"{path}, line {number}: the label is {word!r}; write 1 (single), 0 (not single) or nothing "
                "(unknown)."
            )
        seen.add(cluster)
        label_of[cluster] = _WORDS[word]
    labels = label_of[clusters]
    if (labels < 0).all():
        raise InputError(f"{path} has no labels yet; write 1 (single) or 0 (not single) behind clusters.")
    return labels


def write_labels(folder: Path, patterns: PatternSet, labels: np.ndarray) -> Path:
    """Write labels.csv (index,label), as `PatternSet.open` takes it; unknown ones are left out.

    Raises
    ------
    InputError
        If it cannot be written, or labels that did not come from clusters would be lost.
    """
    path = folder / LABELS
    if path.exists() and not _is_by_clusters(path, _read_clusters(folder / COORDINATES, patterns)):
        raise InputError(
            f"{path} has labels that did not come from these clusters, and would be lost; move it elsewhere."
        )
    lines = ["index,label", *(f"{index},{labels[index]}" for index in np.flatnonzero(labels >= 0))]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def _is_by_clusters(path: Path, clusters: np.ndarray) -> bool:
    """Tell whether labels are such as filled clusters gave: whole clusters, each of one label."""
    try:
        labels = read_label_table(path, clusters.size)
    except InputError:
        return False
    return all(len(set(labels[clusters == cluster])) == 1 for cluster in set(clusters))


def _read_clusters(path: Path, patterns: PatternSet) -> np.ndarray:
    if not path.exists():
        raise InputError(f"{path} does not exist; make the map first with xfel embed, without --labels.")
    n = patterns.n
    clusters, photons = np.full(n, -1, np.int64), [""] * n
    for number, row in _rows(path, ("index", "photons", "cluster")):
        index = _whole(path, number, row["index"])
        if 0 <= index < n:
            clusters[index], photons[index] = _whole(path, number, row["cluster"]), row["photons"] or ""
    there = _photons(patterns, _COMPARED)
    if number != n + 1 or (clusters < 0).any() or photons[: len(there)] != there:
        raise InputError(
            f"{path} is not about the {n} patterns of {patterns.path}; make their map with xfel embed."
        )
    return clusters


def _photons(patterns: PatternSet, most: int) -> list[str]:
    """Photons on good pixels of the first patterns, in words."""
    return [
        f"{total:.6g}"
        for begin in range(0, min(most, patterns.n), _AT_ONCE)
        for total in patterns.frames(begin, begin + _AT_ONCE).counts[:, ~patterns.mask].sum(1, dtype=float)
    ]


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a table with their numbers."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the name.") from None
    except csv.Error as error:
        raise InputError(
            f"{path} is no table ({error}); give clusters.csv, which xfel embed wrote."
        ) from None
    for name in needed:
        if not rows or name not in rows[0]:
            raise InputError(f"{path} has no column {name!r}; xfel embed writes a table that has.")
    yield from enumerate(rows, 2)


def _whole(path: Path, number: int, text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise InputError(f"{path}, line {number}: {text!r} is not a whole number; mend that line.") from None
