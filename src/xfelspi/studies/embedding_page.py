"""The page of a map: what lies where, and each cluster's sum and members, so that a person can label it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xfelspi.classify import Framing, ModelFrame
from xfelspi.classify.framing import MASKED
from xfelspi.patterns import LABELS, PatternSet
from xfelspi.pictures import scatter_plot, strip_of_frames
from xfelspi.report import Report

from .embedding import Embedding

_MEMBERS = 8  # of each cluster in its picture
_AT_ONCE = 64


def write_page(
    patterns: PatternSet,
    embedding: Embedding,
    page: Path,
    *,
    command: str,
    label_command: str,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Write one self-contained HTML page.

    Parameters
    ----------
    patterns : PatternSet
        The file.
    embedding : Embedding
        Its map.
    page : Path
        Where to write.
    command, label_command : str
        What was typed; what makes labels of clusters that were labelled.
    seed : int
        Which members are shown.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        If the page cannot be written.
    """
    found, clusters = embedding.found, embedding.clusters
    counts = np.bincount(clusters)
    report = Report(f"Map of {patterns.path.name}")
    report.lead(
        f"{patterns.n} patterns in {np.count_nonzero(counts)} clusters: look at them below, and write 1 "
        "(single), 0 (not single) or nothing behind each in clusters.csv."
    )
    report.code(label_command)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report.heading("The map")
        truth = _classes(patterns)
        if truth:
            drawn = scatter_plot(found.coordinates, truth, folder / "truth.png")
            report.picture(drawn, "Diffusion coordinates in colours of what the file says of the patterns.")
        which = {str(cluster): clusters == cluster for cluster in np.flatnonzero(counts)}
        drawn = scatter_plot(found.coordinates, which, folder / "clusters.png", in_place=True)
        report.picture(drawn, "The same in colours of the clusters, with their numbers.")
        report.paragraph(_facts(patterns, embedding))
        if embedding.looked:
            report.heading("What labels would tell")
            report.table(*_looked(embedding))
        report.heading("Clusters")
        report.paragraph(
            "The sum of all patterns of the cluster, then some of them, chosen at random and named by their "
            "index; photons on a logarithmic scale."
        )
        for cluster, picture in _strips(patterns, clusters, folder, seed, progress):
            report.picture(picture, _caption(patterns, clusters == cluster, int(cluster)))
    report.heading("Again")
    report.code(command)
    return report.save(page)


def _classes(patterns: PatternSet) -> dict[str, np.ndarray]:
    """Return which patterns are of which class, as far as the file says."""
    truth, labels = patterns.truth, patterns.labels
    if truth is not None:
        classes = {name: truth["label"] == number for number, name in enumerate(LABELS)}
    elif labels is not None:
        classes = {
            name: labels == value for name, value in (("single", 1), ("not single", 0), ("unknown", -1))
        }
    else:
        return {}
    return {name: members for name, members in classes.items() if members.any()}


def _facts(patterns: PatternSet, embedding: Embedding) -> str:
    found = embedding.found
    first, *_, last = found.eigenvalues
    apart = patterns.n - np.count_nonzero(found.in_map)
    beside = f" {apart} patterns are no neighbours of the map's and lie where the nearest of these do."
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in embedding.seconds.items())
    return (
        f"Features: {embedding.features}. Eigenvalues {first:.3f} to {last:.3f}, dimension as the kernel "
        f"sees it {found.dimension:.1f}.{beside if apart else ''} Time: {spent}."
    )


def _looked(embedding: Embedding) -> tuple[list[str], list[list[str]]]:
    rows = [
        [str(row.per_cluster), str(row.n_labels), f"{100 * row.right:.2f} %", f"{100 * row.least:.2f} %"]
        for row in embedding.looked
    ]
    return [
        "patterns looked at in each cluster",
        "in all",
        "right, of all patterns",
        "unluckiest choice",
    ], rows


def _caption(patterns: PatternSet, members: np.ndarray, cluster: int) -> str:
    text = f"Cluster {cluster}: {np.count_nonzero(members)} patterns"
    return text + "".join(
        f", {np.count_nonzero(theirs & members)} {name}" for name, theirs in _classes(patterns).items()
    )


def _strips(
    patterns: PatternSet,
    clusters: np.ndarray,
    folder: Path,
    seed: int,
    progress: Callable[[str, float], None] | None,
) -> list[tuple[int, Path]]:
    """Draw each cluster: its sum and some of its members, in the frame that vectors are made of."""
    frame = ModelFrame()
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, frame, patterns.centre_yx)
    rng = np.random.default_rng(seed)
    shown = {
        int(cluster): np.sort(rng.permutation(np.flatnonzero(clusters == cluster))[:_MEMBERS])
        for cluster in np.unique(clusters)
    }
    wanted = {int(index) for members in shown.values() for index in members}
    sums = np.zeros((clusters.max() + 1, frame.size, frame.size))
    kept: dict[int, np.ndarray] = {}
    for begin in range(0, patterns.n, _AT_ONCE):
        framed = framing(patterns.frames(begin, begin + _AT_ONCE).counts)
        for index, counts in enumerate(framed, begin):
            sums[clusters[index]] += counts
            if index in wanted:
                kept[index] = counts
        if progress is not None:
            progress("pictures", min(1.0, (begin + _AT_ONCE) / patterns.n))
    drawn = []
    for cluster, members in shown.items():
        names = [f"sum of {np.count_nonzero(clusters == cluster)}", *(f"#{index}" for index in members)]
        total = np.where(framing.masked, np.nan, sums[cluster])
        frames = np.array([kept[int(index)] for index in members])
        frames[frames == MASKED] = np.nan
        out = folder / f"{cluster}.png"
        drawn.append((cluster, strip_of_frames(total, frames, names, out, columns=_MEMBERS)))
    return drawn
