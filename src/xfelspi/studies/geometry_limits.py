"""What a geometry study shows of its limits: second particles beside physics, dim ones beside noise."""

from __future__ import annotations

import math
from pathlib import Path

from xfelspi.pictures import RateCurve, RatePanel, rate_plot
from xfelspi.report import Report

from .cells import mean_cell, percent, place, spread
from .geometry_findings import GeometryFindings
from .matrix import KEPT, MISSED, Mean
from .noise import BEARABLE, Point, Swept
from .second import Curve


def show_second(report: Report, findings: GeometryFindings, out: Path) -> None:
    """Show false positives along photons and separation of the second particle, beside the oracle."""
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
        f"oracle, losing {percent(curve.fnr)} of singles",
        "frames likelier from one particle",
        "rule 2 εN",
        "asked of the oracle",
    ]
    rows = [
        [
            f"{place(bin.low)} to {place(bin.high)}",
            f"{bin.n:,}",
            spread(bin.kept.value, bin.least, bin.most, bin.kept.low, bin.kept.high),
            "–" if bin.physical is None else percent(bin.physical),
            "–" if bin.preferred is None else percent(bin.preferred),
            percent(bin.rule),
            str(bin.n_oracle),
        ]
        for bin in curve.bins
    ]
    return header, rows


def show_noise(report: Report, findings: GeometryFindings, out: Path) -> None:
    """Show false negatives along photons, size, background and read noise."""
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
                place(at),
                *(
                    mean_cell(name, mean)
                    for points in swept.curves.values()
                    for name, mean in ((MISSED, points[i].missed), (KEPT, points[i].kept))
                ),
            ]
            for i, at in enumerate(places)
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
    return [
        f"{place(run[0])} to {place(run[-1])}" if len(run) > 1 else f"{place(run[0])} alone" for run in runs
    ]
