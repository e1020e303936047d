"""The report of a geometry study: one page, plain, everything in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xfelspi.pictures import Heat, heat_map
from xfelspi.report import Report

from .cells import mean_cell, percent, short_percent, spread, words
from .geometry_findings import GeometryFindings
from .geometry_limits import show_noise, show_second
from .geometry_mistakes import show_mistakes
from .matrix import AREA, KEPT, KEPT_RARE, MISSED, MISSED_RARE, Cell
from .protocols import Protocol
from .trainings import Training
from .transfer import Transfer


def write_page(findings: GeometryFindings, transfer: Transfer) -> Path:
    """Write report.html into the study's folder, and its pictures beside it.

    Raises
    ------
    InputError
        If it cannot be written, or a file of the study has gone.
    """
    out = transfer.out
    report = Report("Does it hold for particles it never saw?")
    report.lead(headline(findings))
    for line in _caveats(findings):
        report.paragraph(line)
    _matrix(report, findings, out)
    _never_seen(report, findings)
    _groups(report, findings)
    if findings.second:
        show_second(report, findings, out)
    if findings.noise:
        show_noise(report, findings, out)
    show_mistakes(report, findings, transfer)
    _every_score(report, findings)
    _again(report, findings)
    return report.save(out / "report.html")


def headline(findings: GeometryFindings) -> str:
    """Say in one sentence what came out."""
    parts = []
    for protocol in findings.declared.protocol:
        cell = findings.worst(protocol)
        parts.append(f"{protocol.name}: {cell.shape} {percent(cell.scores[MISSED].value)}")
    return (
        "Single hits lost of the worst shape never seen, at a threshold fixed in training for 1 % false "
        f"positives: {'; '.join(parts)}."
    )


def _caveats(findings: GeometryFindings) -> list[str]:
    declared = findings.declared
    seeds = "one seed" if declared.seeds == 1 else f"means of {declared.seeds} seeds"
    lines = [
        f"Protocols, shapes, numbers and seeds were declared before the run; figures are {seeds}. Small "
        "print: least and most of any seed where there are several, then the 95 % interval for the choice of "
        "patterns. Thresholds were fixed on patterns of the training shapes that no training saw, against "
        "multiple hits that can be told from single ones (clear), and carried over unchanged.",
    ]
    lines += [
        f"{protocol.name}: {protocol.title or 'no title'}; recipe {protocol.recipe}; trained on "
        f"{'the shapes of all groups but one' if protocol.one_group_out else ', '.join(protocol.train)}"
        f"{_changed(protocol)}."
        for protocol in declared.protocol
    ]
    if findings.made.quick:
        lines.append(
            "This is a quick look with few patterns and short trainings. Do not draw conclusions from it."
        )
    return lines


def _changed(protocol: Protocol) -> str:
    settings = [
        f"{section}.{name} = {value}"
        for section, some in protocol.settings.items()
        for name, value in some.items()
    ]
    return f", with {', '.join(settings)} in training alone" if settings else ""


def _matrix(report: Report, findings: GeometryFindings, out: Path) -> None:
    report.heading("Trained on × tested on")
    shapes = findings.declared.shapes
    rows = [training.name for training in findings.plan]

    def heat(title: str, score: str, limits: tuple[float, float], write: Callable[[float], str]) -> Heat:
        means = [[findings.cells[row, shape].scores.get(score) for shape in shapes] for row in rows]
        return Heat(
            title=title,
            values=np.array([[math.nan if mean is None else mean.value for mean in line] for line in means]),
            texts=[["" if mean is None else write(mean.value) for mean in line] for line in means],
            limits=limits,
            power=0.5,
        )

    heats = [
        heat("single hits lost, threshold for 1 %", MISSED, (0.0, 1.0), short_percent),
        heat("clear multiple hits kept there", KEPT, (0.0, 0.2), short_percent),
        heat("area under the curve, all multiple hits", AREA, (1.0, 0.5), "{:.4f}".format),
    ]
    seen = np.array([[findings.cells[row, shape].seen != "no" for shape in shapes] for row in rows])
    groups = [findings.declared.group_of(shape) for shape in shapes]
    report.picture(
        heat_map(rows, shapes, heats, out / "matrix.png", framed=seen, groups=groups),
        "Rows: networks. Columns: shapes, group by group: "
        f"{', '.join(findings.declared.groups)}. Framed in blue: trained on this shape, or on bodies "
        "stretched from it.",
    )


def _never_seen(report: Report, findings: GeometryFindings) -> None:
    report.heading("Shapes never trained on")
    header = [
        "trained on",
        "tested on",
        "single",
        "clear multiple",
        *(words(name) for name in (MISSED, KEPT, MISSED_RARE, KEPT_RARE, f"{MISSED}_roc", AREA, "auc_clear")),
    ]
    rows = []
    for training in findings.plan:
        for cell in findings.judged(training):
            if cell.seen != "no":
                continue
            scores = (MISSED, KEPT, MISSED_RARE, KEPT_RARE, f"{MISSED}_roc", AREA, "auc_clear")
            rows.append(
                [
                    training.name,
                    cell.shape,
                    f"{cell.n.get('n_single', 0):,}",
                    f"{cell.n.get('n_clear', 0):,}",
                    *(mean_cell(name, cell.scores.get(name)) for name in scores),
                ]
            )
    if not rows:
        report.paragraph("Every shape was trained on by every network.")
        return
    report.table(header, rows)


def _groups(report: Report, findings: GeometryFindings) -> None:
    for protocol in findings.declared.protocol:
        if not protocol.one_group_out:
            continue
        report.heading(f"{protocol.name}: one group left out")
        found = findings.groups(protocol)
        worst = found[0]
        report.paragraph(
            f"The worst group is {worst.training.left_out}: {percent(worst.missed)} of its single hits are "
            f"lost at the threshold for 1 %. Its worst shape is {worst.worst.shape} with "
            f"{percent(worst.worst.scores[MISSED].value)}; what it loses is shown below."
        )
        rows = [
            [
                str(group.training.left_out),
                spread(group.missed, group.least, group.most),
                f"{group.worst.shape}\n{percent(group.worst.scores[MISSED].value)}",
            ]
            for group in found
        ]
        report.table(["group left out", "single hits lost, mean of its shapes", "worst shape"], rows)


def _every_score(report: Report, findings: GeometryFindings) -> None:
    report.heading("Every score")
    for training in findings.plan:
        cells = [findings.cells[training.name, shape] for shape in findings.declared.shapes]
        report.paragraph(_taught(training))
        names = list(dict.fromkeys(name for cell in cells for name in cell.scores))
        rows = []
        for cell in cells:
            rows.append([_title(cell), *(mean_cell(name, cell.scores.get(name)) for name in names)])
            for other, scores in cell.others.items():
                rows.append(
                    [f"{cell.shape} against {other}", *(mean_cell(name, scores.get(name)) for name in names)]
                )
        report.table(["tested on", *(words(name) for name in names)], rows)


def _taught(training: Training) -> str:
    shapes = ", ".join(training.shapes)
    return f"{training.name}: trained on {shapes}, recipe {training.protocol.recipe}."


def _title(cell: Cell) -> str:
    seen = {"no": "never seen", "yes": "trained on", "stretched": "trained on bodies stretched from it"}
    counts = ", ".join(f"{n:,} {name.removeprefix('n_')}" for name, n in cell.n.items())
    return f"{cell.shape}\n{seen[cell.seen]}; {counts}"


def _again(report: Report, findings: GeometryFindings) -> None:
    report.heading("Again")
    report.code(findings.made.command)
    declared = findings.declared
    learning = [seed["seconds"] for seeds in findings.trained.values() for seed in seeds]
    negatives = [seed["n_negatives"] for seeds in findings.trained.values() for seed in seeds]
    report.paragraph(
        f"Study {findings.made.study}: {declared.n_train:,} fresh patterns an epoch, {declared.epochs} "
        f"epochs; {declared.n_test:,} patterns a shape to test on; thresholds fixed against "
        f"{min(negatives):,} to {max(negatives):,} clear negatives."
    )
    report.paragraph(
        f"{len(learning)} trainings of {sum(learning) / 60:.1f} minutes in all, the longest "
        f"{max(learning):.0f} s; {findings.made.words}"
    )
    report.paragraph("All numbers and all recipes are in study.json beside this page.")
