"""The report of a poster study: one page, each published table and figure with ours beside it."""

from __future__ import annotations

from pathlib import Path

from xfelspi.report import Report

from . import published
from .cells import percent
from .fidelity_page import show_looks
from .matrix import MISSED
from .poster_findings import PosterFindings
from .poster_labels import NO_LABELS
from .poster_sections import (
    NAMES,
    show_depth,
    show_figures,
    show_labels,
    show_robustness,
    show_speed,
    show_table,
)

SECTIONS = (show_table, show_robustness, show_speed, show_labels, show_depth, show_figures)


def write_page(findings: PosterFindings, out: Path) -> Path:
    """Write report.html into a folder, and its pictures beside it.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    report = Report("The published results, made anew")
    for line in headlines(findings):
        report.lead(line)
    for line in _caveats(findings):
        report.paragraph(line)
    for show in SECTIONS:
        show(report, findings, out)
    if findings.looks:
        show_looks(report, findings.looks)
    _again(report, findings)
    return report.save(out / "report.html")


def headlines(findings: PosterFindings) -> list[str]:
    """Say in a sentence each what came out of the parts that were asked for."""
    return [
        line for line in (_on_exp(findings), _unseen(findings), _fast(findings), _budget(findings)) if line
    ]


def _on_exp(findings: PosterFindings) -> str:
    rows = [row for row in findings.table or [] if row.protocol == "sim/exp" and row.network in _NETWORKS]
    if not rows or findings.reference is None:
        return ""
    best = "; ".join(f"{NAMES[row.network]} {percent(row.scores['accuracy'].value)}" for row in rows)
    theirs = published.TABLE["sim/exp", "resnet"]
    return (
        f"Learned from simulation alone, judged by {findings.reference.kind} shots, accuracy: {best} "
        f"(published, on another set: {100 * theirs:.1f} %)."
    )


def _unseen(findings: PosterFindings) -> str:
    found = findings.robustness
    if found is None:
        return ""
    shapes = [shape for shape in published.MISSED if any(shape == key[1] for key in found.cells)]
    ours = "; ".join(
        f"{training.protocol.title or training.name} "
        + ", ".join(percent(found.cells[training.name, shape].scores[MISSED].value) for shape in shapes)
        for training in found.plan
        if all(MISSED in found.cells[training.name, shape].scores for shape in shapes)
    )
    theirs = ", ".join(f"{100 * published.MISSED[shape]:.3g} %" for shape in shapes)
    return f"Single hits lost of {', '.join(shapes)} at the threshold for 1 %: {ours} (published {theirs})."


def _fast(findings: PosterFindings) -> str:
    if findings.speed is None or findings.declared.speed is None:
        return ""
    n = findings.declared.speed.n
    took = {curve.way: timed for curve in findings.speed if (timed := curve.at(n)) is not None}
    ours = "; ".join(f"{NAMES[way]} {timed.seconds:.1f} s" for way, timed in took.items())
    return f"{n:,} images take: {ours}."


def _budget(findings: PosterFindings) -> str:
    asked = findings.declared.labels
    if findings.labels is None or asked is None:
        return ""
    lines = []
    for recipe in asked.recipes:
        here = {
            (p.way, p.n_labels): p.scores["accuracy"].value for p in findings.labels if p.recipe == recipe
        }
        at_most = {way: value for (way, n), value in here.items() if n == max(asked.budgets)}
        best = max(at_most, key=lambda way: at_most[way])
        lines.append(
            f"{recipe}: {percent(here[NO_LABELS, 0])}, and {percent(at_most[best])} for the best of those "
            f"with {max(asked.budgets):,} labels ({best})"
        )
    return f"Accuracy without a label, learned from simulation alone: {'; '.join(lines)}."


def _caveats(findings: PosterFindings) -> list[str]:
    lines = [
        "Whatever is called published was printed by others, on other patterns and other machines; what "
        "differs is said in each section. A published number that is not at hand is not there. Recipes, "
        "sizes and seeds were declared before the run. Small print: least and most of the seeds; interval "
        "of 95 % for the choice of patterns."
    ]
    if findings.made.quick:
        lines.append(
            "This is a quick look with few patterns and short trainings, to see that everything runs. Do not "
            "draw conclusions from it."
        )
    if findings.reference is not None and not findings.reference.is_measured:
        lines.append(
            "Nothing here is measured: exp is a simulated stand-in, so the table says how the study works, "
            "not how good the simulation is."
        )
    if findings.vgg16 is None:
        lines.append(
            "VGG16 is left out, for want of its weights: give --weights FILE (torchvision's vgg16 as .pth, "
            "or a .safetensors with the same names) or name it in XFELSPI_VGG16."
        )
    return lines


def _again(report: Report, findings: PosterFindings) -> None:
    report.heading("Again")
    report.code(findings.made.command)
    declared = findings.declared
    seeds = declared.seeds
    of_robustness = declared.robustness.seeds if declared.robustness is not None else seeds
    report.paragraph(
        f"Study {findings.made.study}; {seeds} seeds, 0 to {seeds - 1}"
        + ("" if of_robustness == seeds else f", and {of_robustness} for robustness")
        + f"; patterns to test on are of seeds that no training has. VGG16: {findings.vgg16 or 'none'}."
    )
    report.paragraph(findings.made.words)
    report.paragraph("All numbers, and what was declared, are in study.json beside this page.")


_NETWORKS = ("resnet", "pooled", "vgg16")
