"""The sections of a poster study's report, each a published table or figure with ours beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from xfelspi.pictures import GrowthPanel, RateCurve, RatePanel, growth_plot, rate_plot
from xfelspi.report import Report

from . import published
from .cells import mean_cell
from .matrix import KEPT, MISSED, Mean
from .noise import Swept
from .poster_clock import MAP, Timed
from .poster_declared import VGG16
from .poster_findings import PosterFindings
from .poster_labels import LARGER, NO_LABELS
from .poster_table import COUNTS, MAJORITY, PROTOCOLS

NAMES = {
    "resnet": "ResNet (2, 2), as published",
    "pooled": "ResNet (2, 2), ours",
    VGG16: "VGG16 + logistic regression",
    MAJORITY: "always the larger class",
    COUNTS: "photons in the frame alone",
    MAP: "diffusion map and clusters",
}
"""Of classifiers, for people."""


def show_table(report: Report, findings: PosterFindings, _: Path) -> None:
    """Write the published table of who learned from what, with ours beside it."""
    if findings.table is None:
        return
    report.heading("Table 1: simulated and measured shots")
    reference, asked = findings.reference, findings.declared.table
    assert asked is not None
    if reference is None:
        report.paragraph(
            "No measured shots were given, so only simulation is judged here: name some with --measured "
            "FILE, or a recipe to simulate a stand-in from with --reference RECIPE."
        )
    else:
        single, other = (int((reference.known == value).sum()) for value in (1, 0))
        report.paragraph(
            f"exp is {reference.path.name}, {reference.kind}: {single} shots labelled single, {other} not. "
            f"Where exp is learned from, the shots are parted into {asked.folds} folds, classes alike in "
            "each, and every fold is judged by a network that learned from the others; the small print is "
            "the interval of 95 % for the choice of shots"
            + (
                f", which is wide: with {single + other} shots, no difference of a few percent means "
                "anything."
                if single + other < 500
                else "."
            )
        )
    report.paragraph(
        "What differs: the published measured shots are not public, so exp is another set; its share of "
        "single hits is another, which is why the larger class stands beside every accuracy. Our simulated "
        f"shots come from the recipe {asked.recipe}"
        + (", brought to the measured frames without their labels" if _is_measured(findings) else "")
        + f": {asked.n_train:,} to learn from"
        + (f", {asked.vgg16_n_train:,} for VGG16" if findings.vgg16 is not None else "")
        + f", {asked.n_mixed:,} beside measured ones. Several particles are as bright as one in it. "
        "Thresholds come from patterns held out of the training, and are applied unchanged."
    )
    rows = []
    for row in findings.table:
        theirs = published.TABLE.get((row.protocol, row.network))
        if row.network == MAJORITY:
            theirs = published.MAJORITY.get(row.protocol)
        rows.append(
            [
                f"{row.protocol}\n{PROTOCOLS[row.protocol]}",
                NAMES[row.network],
                "–" if theirs is None else f"{100 * theirs:.1f} %",
                mean_cell("accuracy", row.scores.get("accuracy")),
                mean_cell("balanced_accuracy", row.scores.get("balanced_accuracy")),
                mean_cell("auc", row.scores.get("auc")),
                f"{row.n_single} + {row.n_other}\n{_trainings(row.n_trainings)}".rstrip(),
            ]
        )
    header = ["learned / judged", "classifier", "accuracy, published", "accuracy", "balanced accuracy", "AUC"]
    report.table([*header, "single hits + others"], rows)


def show_robustness(report: Report, findings: PosterFindings, out: Path) -> None:
    """Write the published table of shapes never seen, with ours beside it, and where noise stops us."""
    found = findings.robustness
    if found is None:
        return
    report.heading("Robustness: particles never seen")
    report.paragraph(
        "False negatives are single hits lost, false positives multiple hits kept. Published: a network "
        "trained on icosahedra, at its own threshold. Ours: at the threshold that the patterns held out of "
        "each network's training give, for best balance and for 1 % of false positives against multiples "
        "that can be told from singles at all (clear ones), carried over unchanged. What differs: our pairs "
        "of particles are as bright as single ones, and some lie so close or so far apart, or are so faint, "
        "that nobody can tell: all of these count among the false positives of all multiples. The random "
        "family is what this project adds: a new solid for every shot, none of the shapes tested here."
    )
    rows = []
    for training in found.plan:
        for shape in findings.declared.robustness.shapes if findings.declared.robustness else []:
            cell = found.cells[training.name, shape]
            is_published = training.protocol.network == "resnet" and training.shapes == ("icosahedron",)
            theirs = published.MISSED.get(shape) if is_published else None
            rows.append(
                [
                    f"{training.name}\n{training.protocol.title}".rstrip(),
                    f"{shape}\n{_SEEN[cell.seen]}",
                    "–" if theirs is None else f"{100 * theirs:.3g} %\nabout {100 * published.KEPT:g} % kept",
                    *(
                        mean_cell(name, cell.scores.get(name))
                        for name in ("fnr", "fpr", "fpr_clear", MISSED, KEPT, "auc")
                    ),
                ]
            )
    header = ["trained", "tested on", "false negatives, published", "false negatives", "false positives"]
    report.table(
        [*header, "… of clear ones", "false negatives at 1 %", "false positives there, clear", "AUC"], rows
    )
    if found.noise:
        _noise(report, found.noise, out)


def show_speed(report: Report, findings: PosterFindings, out: Path) -> None:
    """Write the published speeds with ours beside them, and how time and memory grow."""
    curves, asked = findings.speed, findings.declared.speed
    if curves is None or asked is None:
        return
    report.heading("Speed")
    report.paragraph(
        "From the frames in a file to what sorts them, each in a process of its own that had loaded its "
        "libraries and compiled its kernels before the clock started. Memory is the most that was the "
        "process's own, libraries included. What differs: ours are measured here, on one machine; published "
        "times are of other machines, the diffusion map's of 2011. The map compares every image with every "
        "other, so its time grows as n² in the end; a network looks at each image once."
    )
    rows = []
    for curve in curves:
        theirs = published.SPEED.get(curve.way)
        ours, last = curve.at(asked.n), curve.points[-1]
        rows.append(
            [
                NAMES[curve.way],
                "–" if theirs is None else f"{theirs[0]:,} in {theirs[1]:.0f} s\n{theirs[2]}",
                "–" if ours is None else f"{ours.n:,} in {ours.seconds:.1f} s",
                "–" if ours is None else f"{ours.n / ours.seconds:,.0f}",
                "–" if ours is None else _bytes(ours.peak_bytes),
                f"{last.n:,} in {last.seconds:.1f} s\n{_bytes(last.peak_bytes)}",
                "–" if curve.growth is None else f"n^{curve.growth:.2f}",
            ]
        )
    header = ["", "published", f"ours, {asked.n:,} images", "images/s", "memory", "the most tried"]
    report.table([*header, "time grows there as"], rows)

    def curves_of(value: Callable[[Timed], float]) -> dict[str, tuple[list[float], list[float]]]:
        return {
            NAMES[curve.way]: ([point.n for point in curve.points], [value(point) for point in curve.points])
            for curve in curves
        }

    panels = [
        GrowthPanel(y="seconds", curves=curves_of(lambda timed: timed.seconds), guides=True),
        GrowthPanel(y="memory / MB", curves=curves_of(lambda timed: timed.peak_bytes / 1e6)),
    ]
    report.picture(
        growth_plot(panels, out / "speed.png"),
        "Seconds and memory against the number of images; grey: what grows as n and as n².",
    )


def show_labels(report: Report, findings: PosterFindings, out: Path) -> None:
    """Show accuracy against the number of labels."""
    points, asked = findings.labels, findings.declared.labels
    if points is None or asked is None:
        return
    report.heading("What labels are worth")
    report.paragraph(
        f"A run of {asked.n_pool + asked.n_test:,} shots of the shape {asked.shape}; up to the number of "
        f"labels may be looked at, among {asked.n_pool:,} of them; the accuracy is that on the other "
        f"{asked.n_test:,}. The diffusion map sees all shots without labels, parts them into clusters and "
        "labels each by the majority of those looked at; the others learn from random shots. The network "
        "without labels learned from simulated shots of the random family, which this shape is not a member "
        "of, in the same recipe: it knows the instrument, not the sample. None of this was published."
    )
    ways = list(dict.fromkeys(point.way for point in points if point.n_labels))
    panels, rows = [], []
    for recipe in asked.recipes:
        curves = []
        here = [point for point in points if point.recipe == recipe]
        for colour, way in enumerate(ways):
            errors = {p.n_labels: _wrong(p.scores["accuracy"]) for p in here if p.way == way}
            curves.append(_curve(way, errors, colour))
        across = 0.8 * min(asked.budgets), 1.25 * max(asked.budgets)  # a line even where the budget is one
        for style, way in ((":", LARGER), ("--", NO_LABELS)):
            (flat,) = (point for point in here if point.way == way)
            wrong = _wrong(flat.scores["accuracy"])
            curves.append(_curve(way, dict.fromkeys(across, wrong), len(ways), style))
        panels.append(RatePanel(x=f"labels ({recipe})", curves=curves, log=True))
        for point in here:
            labels = f"{point.n_labels:,}" if point.n_labels else "0"
            accuracy = mean_cell("accuracy", point.scores["accuracy"])
            balanced = mean_cell("balanced_accuracy", point.scores["balanced_accuracy"])
            rows.append([f"{point.way}\n{recipe}", labels, accuracy, balanced])
    report.picture(
        rate_plot(panels, out / "labels.png", y="share of shots sorted wrongly"),
        "Shots sorted wrongly, against the labels that somebody gave; lower is better. Bands: intervals of "
        "95 % for the choice of shots.",
    )
    report.table(["way", "labels", "accuracy", "balanced accuracy"], rows)


def show_depth(report: Report, findings: PosterFindings, out: Path) -> None:
    """Show accuracy against depth and number of patterns."""
    points, asked = findings.depth, findings.declared.depth
    if points is None or asked is None:
        return
    report.heading("Figure 6: depth, and how many patterns")
    theirs = published.TABLE["sim/sim", "resnet"]
    report.paragraph(
        f"{NAMES[asked.network].partition(' (')[0]} of n blocks at a quarter and m at an eighth of the size, "
        f"network {asked.network}, {_of_seeds(findings.declared.seeds)}; recipe {asked.recipe}, "
        f"{asked.shape}. Every network sees about {asked.patterns_seen:,} patterns in all its epochs. Of the "
        f"published figure one number is at hand: (2, 2) reached {100 * theirs:.1f} %. What differs: the "
        "accuracy here is on patterns of a seed of their own, and takes in the multiples that nobody can "
        "tell from singles."
    )
    depths = list(dict.fromkeys(point.blocks for point in points))
    panels = []
    for what in ("training", "test"):
        curves = [
            _curve(
                f"({n}, {m})",
                {p.n_train: _wrong(getattr(p, what)) for p in points if p.blocks == (n, m)},
                colour,
            )
            for colour, (n, m) in enumerate(depths)
        ]
        panels.append(RatePanel(x=f"patterns in the training set, judged on {what} patterns", curves=curves))
    panels = [RatePanel(x=panel.x, curves=panel.curves, log=True) for panel in panels]
    report.picture(
        rate_plot(panels, out / "depth.png", y="share of patterns judged wrongly"),
        "Patterns judged wrongly by networks (n, m): those learned from, and those of another seed.",
    )
    rows = [
        [
            f"({point.blocks[0]}, {point.blocks[1]})",
            f"{point.n_train:,}\n{_epochs(point.epochs)}",
            mean_cell("accuracy", point.training),
            mean_cell("accuracy", point.test),
        ]
        for point in points
    ]
    report.table(["(n, m)", "training set", "training accuracy", "test accuracy"], rows)


def show_figures(report: Report, findings: PosterFindings, _: Path) -> None:
    """Show preprocessing, activations and Grad-CAM."""
    shown = findings.shown
    if shown is None:
        return
    report.heading("Figure 3: preprocessing")
    if shown.preprocessing is None:
        report.paragraph("No network of the table standardizes its pixels.")
    else:
        report.picture(
            shown.preprocessing,
            "Simulated patterns before and after every pixel is brought to mean 0 and deviation 1 over the "
            "training set, as published.",
        )
    report.heading("Figures 4 and 5: activations and Grad-CAM")
    report.paragraph(
        "The networks that learned from simulation, seed 0, on simulated patterns that they did not learn "
        "from: first single hits, then multiple ones. Of every stage the mean of its channels and the "
        "strongest one; then what speaks for a single hit and against it. The published "
        "figures show other patterns, so there is nothing to compare but what kind of place lights up."
    )
    for network, sheet in shown.insides.items():
        report.picture(sheet, NAMES[network])


def _noise(report: Report, noise: list[Swept], out: Path) -> None:
    panels = [
        RatePanel(
            x=swept.name,
            log=swept.setting == "beam.photons_per_frame",
            curves=[
                _curve(
                    f"{shape}, {what}",
                    {p.place: getattr(p, kind) for p in points if getattr(p, kind) is not None},
                    colour,
                    style,
                )
                for colour, (shape, points) in enumerate(swept.curves.items())
                for kind, what, style in (("missed", "lost", "o-"), ("kept", "kept", "s--"))
            ],
        )
        for swept in noise
    ]
    report.picture(
        rate_plot(panels, out / "noise.png", y="share"),
        "Noise: single hits lost and clear multiples kept at the threshold for 1 %, one value of the recipe "
        "changed at a time. Published numbers for it are not at hand.",
    )


def _curve(name: str, means: Mapping[Any, Mean], colour: int, style: str = "o-") -> RateCurve:
    has_band = all(mean.low is not None for mean in means.values())
    return RateCurve(
        name=name,
        x=list(means),
        value=[mean.value for mean in means.values()],
        low=[mean.low or 0.0 for mean in means.values()] if has_band else (),
        high=[mean.high or 0.0 for mean in means.values()] if has_band else (),
        style=style,
        colour=colour,
    )


def _wrong(accuracy: Mean) -> Mean:
    """Turn an accuracy into the share that is wrong."""
    value, least, most, low, high = accuracy
    return Mean(
        1 - value, 1 - most, 1 - least, None if high is None else 1 - high, None if low is None else 1 - low
    )


_SEEN = {"no": "never seen", "yes": "trained on", "stretched": "trained on bodies stretched from it"}


def _trainings(n: int) -> str:
    if n == 0:  # nobody learned
        return ""
    return "1 training" if n == 1 else f"{n} trainings"


def _epochs(n: int) -> str:
    return "1 epoch" if n == 1 else f"{n} epochs"


def _of_seeds(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"means of {seeds} seeds"


def _bytes(n: int) -> str:
    return f"{n / 1e9:.2f} GB"


def _is_measured(findings: PosterFindings) -> bool:
    return findings.reference is not None and findings.reference.is_measured
