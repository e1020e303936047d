"""What a fidelity study shows: simulated and measured frames, and shots in dispute."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np

from xfelspi.classify import ModelFrame, frame_to_learn
from xfelspi.fidelity import FrameSet, profile_curve
from xfelspi.patterns import PatternSet
from xfelspi.pictures import contact_sheet, profile_plot, rows_of_frames
from xfelspi.report import Report
from xfelspi.shapes import shape_name

from .findings import Finding, Findings
from .singles import framed, single_hits

SIDE_BY_SIDE = 8
"""Frames in a row of measured or simulated ones."""

DISPUTED = 12
"""Shots shown on which model and label disagree."""

_MOST = 200  # simulated singles among which those of the right brightness are found


def show_frames(report: Report, findings: Findings, out: Path) -> None:
    """Show measured and simulated single hits side by side, and their radial profiles."""
    report.heading("Side by side")
    with PatternSet.open(_first_test(findings.rungs[-1], findings, out)) as patterns:
        frame = frame_to_learn(ModelFrame().size, [patterns.geometry])
    with findings.reference.open() as patterns:
        judged = framed(patterns, single_hits(patterns, _MOST), frame)
    simulated = {}
    for finding in (findings.rungs[0], findings.rungs[-1]):
        path = _first_test(finding, findings, out)
        with PatternSet.open(path) as patterns:
            simulated[finding.variant.name] = framed(patterns, single_hits(patterns, _MOST), frame)
    order = np.argsort(judged.totals)
    chosen = order[np.unique(np.linspace(0, len(order) - 1, SIDE_BY_SIDE).round().astype(int))]
    rows = [
        (f"{findings.reference.kind}: {findings.reference.path.name}", judged.counts[chosen], judged.good)
    ]
    rows += [
        (f"simulated: {name}", frames.counts[_like(frames.totals, judged.totals[chosen])], frames.good)
        for name, frames in simulated.items()
    ]
    report.picture(
        rows_of_frames(rows, out / "side-by-side.png", columns=SIDE_BY_SIDE),
        f"First row: {findings.reference.kind} single hits, from dim to bright. Below each, simulated "
        "ones of about its brightness.",
    )
    good = np.logical_and.reduce([judged.good, *(frames.good for frames in simulated.values())])
    curves = {findings.reference.kind: _curve(judged, good)}
    curves |= {f"simulated: {name}": _curve(frames, good) for name, frames in simulated.items()}
    report.picture(
        profile_plot(curves, out / "profiles.png"),
        "Radial profiles of the single hits, every frame divided by its total; bands: intervals of the mean.",
    )


def show_disputed(report: Report, findings: Findings, out: Path) -> None:
    """Show the shots on which the full recipe's network and the labels disagree most."""
    report.heading("Disputed shots")
    labels = findings.reference.known
    above = findings.rungs[-1].logits.mean(axis=0)
    wrong = np.flatnonzero(((labels == 1) & (above <= 0)) | ((labels == 0) & (above > 0)))
    if not wrong.size:
        report.paragraph("The full recipe's network agrees with every label.")
        return
    chosen = wrong[np.argsort(-np.abs(above[wrong]))][:DISPUTED].tolist()
    chosen.sort(key=lambda index: (labels[index], -abs(above[index])))
    counts = {value: int((labels[wrong] == value).sum()) for value in (0, 1)}
    report.paragraph(
        f"The full recipe's network disagrees with {wrong.size} labels: it would keep {counts[0]} shots "
        f"labelled not single and lose {counts[1]} labelled single. These are the worst; the score is the "
        "logit above the threshold, so positive is kept. Labels can be wrong, too: look."
    )
    remarks = {
        index: f"score {above[index]:+.2f}, the network says {'single' if above[index] > 0 else 'not single'}"
        for index in chosen
    }
    with findings.reference.open() as patterns:
        sheet = contact_sheet(patterns, out / "disputed.png", indices=chosen, columns=4, remarks=remarks)
    report.picture(sheet, "Labels are the file's; below them what the network says.")


def _first_test(finding: Finding, findings: Findings, out: Path) -> Path:
    return out / finding.variant.folder / "test" / f"{shape_name(findings.declared.shapes[0])}.h5"


def _like(totals: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Find the frames whose totals are nearest to those wanted, none twice while there are enough."""
    logarithms = np.log(np.maximum(totals, 1.0))
    chosen: list[int] = []
    for total in wanted:
        apart = np.abs(logarithms - math.log(max(total, 1.0)))
        if len(chosen) < len(totals):
            apart[chosen] = np.inf
        chosen.append(int(apart.argmin()))
    return np.array(chosen)


def _curve(frames: FrameSet, good: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    curve = profile_curve(dataclasses.replace(frames, good=good))
    low, high = np.quantile(curve.replicates, (0.025, 0.975), axis=0)
    value, low, high = (np.where(curve.solid, values, np.nan) for values in (curve.value, low, high))
    return curve.x, value, low, high
