"""The report of a geometry study: one page, plain, everything in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xfelspi.pictures import Heat, RateCurve, RatePanel, heat_map, rate_plot
from xfelspi.report import Report

from .geometry_findings import GeometryFindings
from .geometry_mistakes import show_mistakes
from .matrix import AREA, KEPT, KEPT_RARE, MISSED, MISSED_RARE, Cell, Mean
from .noise import BEARABLE, Point, Swept
from .second import Curve
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
        _second(report, findings, out)
    if findings.noise:
        _noise(report, findings, out)
    show_mistakes(report, findings, transfer)
    _every_score(report, findings)
    _again(report, findings)
    return report.save(out / "report.html")


def headline(findings: GeometryFindings) -> str:
    """Say in one sentence what came out."""
    parts = []
    for protocol in findings.declared.protocol:
        cell = findings.worst(protocol)
        parts.append(f"{protocol.name}: {cell.shape} {_percent(cell.scores[MISSED].value)}")
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
        f"{'the shapes of all groups but one' if protocol.one_group_out else ', '.join(protocol.train)}."
        for protocol in declared.protocol
    ]
    if findings.quick:
        lines.append(
            "This is a quick look with few patterns and short trainings. Do not draw conclusions from it."
        )
    return lines


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
        heat("single hits lost, threshold for 1 %", MISSED, (0.0, 1.0), _short_percent),
        heat("clear multiple hits kept there", KEPT, (0.0, 0.2), _short_percent),
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
            f"The worst group is {worst.training.left_out}: {_percent(worst.missed)} of its single hits are "
            f"lost at the threshold for 1 %. Its worst shape is {worst.worst.shape} with "
            f"{_percent(worst.worst.scores[MISSED].value)}; what it loses is shown below."
        )
        rows = [
            [
                str(group.training.left_out),
                _spread(group.missed, group.least, group.most),
                f"{group.worst.shape}\n{_percent(group.worst.scores[MISSED].value)}",
            ]
            for group in found
        ]
        report.table(["group left out", "single hits lost, mean of its shapes", "worst shape"], rows)


def _second(report: Report, findings: GeometryFindings, out: Path) -> None:
    asked = findings.declared.second
    assert asked is not None
    report.heading("The second particle, and the physical limit")
    report.paragraph(
        f"Multiple hits taken for single by the networks of {asked.protocol} at the threshold for 1 %, on "
        f"{' and '.join(asked.shapes)}. Beside them the limit of physics: an oracle that knows both scenes, "
        "background and field, and compares the likelihoods of the photon counts. One scene is the true one; "
        "the other is the brightest particle alone, with its true orientation, scaled to the same total of "
        "photons. It may lose as many singles as the networks do. It need not find out which particle it "
        "sees and how it is turned, so no classifier comes as near as it. By rule of thumb the squared "
        "signal-to-noise of the fringes is 2 εN, twice the photons of the second particle."
    )
    panels = []
    for curve in findings.second:
        x = [bin.middle for bin in curve.bins]
        curves = [
            RateCurve(
                name="networks",
                x=x,
                value=[bin.kept.value for bin in curve.bins],
                low=[bin.kept.low for bin in curve.bins],
                high=[bin.kept.high for bin in curve.bins],
            ),
            RateCurve(
                name="oracle",
                x=x,
                value=[math.nan if bin.physical is None else bin.physical for bin in curve.bins],
                style="s--",
                colour=1,
            ),
        ]
        if curve is findings.second[0]:
            rule = [bin.rule for bin in curve.bins]
            curves.append(RateCurve(name="rule: 2 εN", x=x, value=rule, style=":", colour=2))
        panels.append(RatePanel(x=curve.axis, curves=curves, log=curve is findings.second[0]))
    picture = rate_plot(panels, out / "second.png", y="multiple hits taken for single")
    report.picture(picture, f"Left: {findings.second[0].among}. Right: {findings.second[1].among}.")
    for curve in findings.second:
        report.table(*_bins(curve))


def _bins(curve: Curve) -> tuple[list[str], list[list[str]]]:
    header = [
        curve.axis,
        "multiple hits",
        "taken for single",
        f"oracle, losing {_percent(curve.fnr)} of singles",
        "frames likelier from one particle",
        "rule 2 εN",
        "asked of the oracle",
    ]
    rows = [
        [
            f"{bin.low:,.4g} to {bin.high:,.4g}",
            f"{bin.n:,}",
            _spread(bin.kept.value, bin.least, bin.most, bin.kept.low, bin.kept.high),
            "–" if bin.physical is None else _percent(bin.physical),
            "–" if bin.preferred is None else _percent(bin.preferred),
            _percent(bin.rule),
            str(bin.n_oracle),
        ]
        for bin in curve.bins
    ]
    return header, rows


def _noise(report: Report, findings: GeometryFindings, out: Path) -> None:
    asked = findings.declared.noise
    assert asked is not None
    report.heading("How small and how dim may a particle be?")
    report.paragraph(
        f"One value of the recipe changed at a time, networks of {asked.protocol} and their thresholds for "
        "1 % unchanged. Solid: single hits lost. Dashed: clear multiple hits kept, for a network that calls "
        "everything single loses nothing."
    )
    panels = [RatePanel(x=swept.name, curves=_curves(swept), log=_is_wide(swept)) for swept in findings.noise]
    report.picture(
        rate_plot(panels, out / "noise.png", y="share"),
        f"Bands: 95 % intervals. {asked.n} patterns a point and shape, half of them single.",
    )
    report.items([_limits(swept) for swept in findings.noise])
    for swept in findings.noise:
        header = [swept.name]
        for shape in swept.curves:
            header += [f"{shape}: single hits lost", f"{shape}: clear multiple hits kept"]
        places = [point.place for point in next(iter(swept.curves.values()))]
        rows = [
            [
                f"{place:,.4g}",
                *(
                    mean_cell(name, mean)
                    for points in swept.curves.values()
                    for name, mean in ((MISSED, points[i].missed), (KEPT, points[i].kept))
                ),
            ]
            for i, place in enumerate(places)
        ]
        report.table(header, rows)


def _curves(swept: Swept) -> list[RateCurve]:
    curves = []
    for number, (shape, points) in enumerate(swept.curves.items()):
        for what, style, means in (
            ("lost", "o-", [point.missed for point in points]),
            ("kept", "s--", [point.kept for point in points]),
        ):
            low, high = ([_edge(mean, side) for mean in means] for side in ("low", "high"))
            curves.append(
                RateCurve(
                    name=f"{shape}, {what}",
                    x=[point.place for point in points],
                    value=[math.nan if mean is None else mean.value for mean in means],
                    low=low if what == "lost" else (),
                    high=high if what == "lost" else (),
                    style=style,
                    colour=number,
                )
            )
    return curves


def _edge(mean: Mean | None, side: str) -> float:
    edge = None if mean is None else getattr(mean, side)
    return math.nan if edge is None else edge


def _is_wide(swept: Swept) -> bool:
    places = [point.place for points in swept.curves.values() for point in points]
    return min(places) > 0.0 and max(places) > 8.0 * min(places)


def _limits(swept: Swept) -> str:
    """Say where a sweep's networks work."""
    parts = []
    for shape, points in swept.curves.items():
        stretches = _stretches(points)
        parts.append(f"{shape} {' and '.join(stretches) if stretches else 'nowhere'}")
    return f"{swept.name}: no more than {100 * BEARABLE:g} % lost and kept for {', '.join(parts)}."


def _stretches(points: list[Point]) -> list[str]:
    """Return the runs of points that work, as text."""
    runs: list[list[float]] = []
    follows = False
    for point in points:
        if point.works:
            runs[-1].append(point.place) if follows else runs.append([point.place])
        follows = point.works
    return [f"{run[0]:,g} to {run[-1]:,g}" if len(run) > 1 else f"{run[0]:,g} alone" for run in runs]


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
    report.code(findings.command)
    declared = findings.declared
    learning = [seed["seconds"] for seeds in findings.trained.values() for seed in seeds]
    negatives = [seed["n_negatives"] for seeds in findings.trained.values() for seed in seeds]
    report.paragraph(
        f"Study {findings.study}: {declared.n_train:,} fresh patterns an epoch, {declared.epochs} epochs; "
        f"{declared.n_test:,} patterns a shape to test on; thresholds fixed against {min(negatives):,} to "
        f"{max(negatives):,} clear negatives."
    )
    report.paragraph(
        f"{len(learning)} trainings of {sum(learning) / 60:.1f} minutes in all, the longest "
        f"{max(learning):.0f} s; {findings.seconds / 60:.1f} minutes for this call. {findings.machine}; "
        f"{', '.join(f'{name} {version}' for name, version in findings.versions.items())}."
    )
    report.paragraph("All numbers and all recipes are in study.json beside this page.")


def words(name: str) -> str:
    """Write the name of a score for people.

    Examples
    --------
    >>> words("fpr_clear_at_0p1pct_fpr"), words("fnr_at_1pct_fpr_roc"), words("auc")
    ('false positives, clear, at 0.1 %', 'false negatives, at 1 %, own ROC', 'AUC')
    """
    for short, long in (
        ("_at_0p1pct_fpr", ", at 0.1 %"),
        ("_at_1pct_fpr", ", at 1 %"),
        ("_roc", ", own ROC"),
        ("_clear", ", clear"),
        ("fnr", "false negatives"),
        ("fpr", "false positives"),
        ("auc", "AUC"),
        ("_", " "),
    ):
        name = name.replace(short, long)
    return name


def mean_cell(name: str, mean: Mean | None) -> str:
    """Write a score for a table: areas as numbers, everything else as a percentage."""
    if mean is None:
        return "–"
    if not name.startswith("auc"):
        return _spread(*mean)
    return _with_small_print(mean, [f"{value:.4f}" for value in mean if value is not None])


def _spread(
    value: float, least: float, most: float, low: float | None = None, high: float | None = None
) -> str:
    mean = Mean(value, least, most, low, high)
    return _with_small_print(mean, [_percent(value) for value in mean if value is not None])


def _with_small_print(mean: Mean, texts: list[str]) -> str:
    """Join value, least and most of any seed, and interval, as far as they are known and differ."""
    small = [f"{texts[1]} – {texts[2]}"] if mean.least != mean.most else []
    if mean.low is not None:
        small.append(f"{texts[3]} to {texts[4]}")
    return texts[0] + ("\n" + "; ".join(small) if small else "")


def _short_percent(rate: float) -> str:
    percent = 100.0 * rate
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.2g} %"


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f} %"
