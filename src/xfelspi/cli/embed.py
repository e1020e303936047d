"""The command `xfel embed`: a map of patterns without any model, and labels by clusters."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xfelspi.errors import InputError
from xfelspi.report import require_page

from .opening import Opening, opens_frames, say_centre
from .terminal import Progress, typed

if TYPE_CHECKING:
    from xfelspi.patterns import PatternSet


@opens_frames("labels")
def embed(
    file: Annotated[Path, typer.Argument(help="Patterns to map: our own files, CXI, any HDF5.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write into; by default embed.")] = None,
    features: Annotated[
        str, typer.Option(help="invariant: the same however a particle lies about the beam; or pixels.")
    ] = "invariant",
    neighbours: Annotated[int, typer.Option(help="Of each pattern.")] = 100,
    clusters: Annotated[int, typer.Option(help="Clusters to label, as a rule 10 to 50.")] = 20,
    labels: Annotated[
        Path | None,
        typer.Option(help="clusters.csv with labels filled in: writes labels.csv, a label for each pattern."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same clusters.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    *,
    opening: Opening,
) -> None:
    """Map patterns by likeness (diffusion map), and show clusters so that a person can label them.

    Writes embed.html, coordinates.csv and clusters.csv, to be filled in: 1 single, 0 not. A second call with
    --labels makes labels.csv of it, for wherever labels of patterns are asked for.

    Example: xfel embed run0042.cxi --out run0042-map

    Example: xfel embed run0042.cxi --labels run0042-map/clusters.csv
    """
    if labels is not None and out is not None:
        raise InputError(f"labels.csv goes beside {labels}; leave out --out.")
    folder = out or Path("embed")
    with opening.open(file) as patterns:
        if labels is not None:
            _label(patterns, labels, as_json)
            return
        say_centre(file, patterns)
        from xfelspi.studies.embedding import embed as make_map
        from xfelspi.studies.embedding_page import write_page

        require_page(folder / "embed.html")  # before the work
        with Progress() as progress:
            found = make_map(
                patterns,
                folder,
                features=features,
                k=neighbours,
                n_clusters=clusters,
                seed=seed,
                progress=progress,
            )
            label = [
                "xfel",
                "embed",
                str(file),
                *opening.as_typed(),
                "--labels",
                str(folder / "clusters.csv"),
            ]
            page = write_page(
                patterns,
                found,
                folder / "embed.html",
                command=typed(),
                label_command=shlex.join(label),
                seed=seed,
                progress=progress,
            )
    if as_json:
        looked = [row._asdict() for row in found.looked]
        facts = {"page": str(page), "n": patterns.n, "seconds": found.seconds, "looked": looked}
        typer.echo(json.dumps(facts, indent=2))
        return
    spent = sum(found.seconds.values())
    typer.echo(f"{page}: {patterns.n} patterns in {found.clusters.max() + 1} clusters, in {spent:.1f} s")
    for row in found.looked:
        typer.echo(f"  {row.n_labels} labels, {row.per_cluster} a cluster: {100 * row.right:.2f} % right")


def _label(patterns: "PatternSet", table: Path, as_json: bool) -> None:
    """Write a label for each pattern of the clusters that were labelled, and say how many that makes."""
    from xfelspi.classify import read_cluster_labels, write_labels

    found = read_cluster_labels(table, patterns)
    path = write_labels(table.parent, patterns, found)
    counts = {"single": int((found == 1).sum()), "other": int((found == 0).sum())}
    known = None if patterns.labels is None else (patterns.labels >= 0) & (found >= 0)
    right = None if known is None or not known.any() else float((found == patterns.labels)[known].mean())
    if as_json:
        typer.echo(json.dumps({"labels": str(path), "n": patterns.n, **counts, "right": right}, indent=2))
        return
    unknown = patterns.n - sum(counts.values())
    typer.echo(f"{path}: {counts['single']} single, {counts['other']} other, {unknown} without a label")
    if right is not None:
        typer.echo(f"  {100 * right:.2f} % of those are right, by the labels in {patterns.path}")
