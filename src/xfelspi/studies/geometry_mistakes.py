"""What a geometry study shows: the worst mistakes of every protocol, and what sets them apart."""

from __future__ import annotations

import numpy as np

from xfelspi.patterns import PatternSet
from xfelspi.report import Report

from .geometry_findings import GeometryFindings
from .matrix import MISSED
from .mistakes import apart, mistakes, mistakes_sheet, shown
from .transfer import Transfer

WORST = 6
"""Mistakes shown of each kind."""


def show_mistakes(report: Report, findings: GeometryFindings, transfer: Transfer) -> None:
    """Show, protocol by protocol, what the first seed got most wrong of the worst shape."""
    report.heading("Worst mistakes")
    report.paragraph(
        "Of every protocol the shape that it loses most of, among those it never saw; seed 0, threshold for "
        "1 %. First the single hits it was surest to reject, then the clear multiple hits it was surest to "
        "keep. Below each: the probability of a single hit that the network gives, and what it was."
    )
    for protocol in findings.declared.protocol:
        cell = findings.worst(protocol)
        training = next(one for one in findings.networks(protocol) if one.name == cell.training)
        scored = transfer.cell(training, 0, cell.shape)
        threshold = transfer.train(training, 0)["at_fpr"]["1pct"]
        with PatternSet.open(transfer.test_file(training, cell.shape)) as patterns:
            labels, truth = patterns.labels, patterns.truth
            assert labels is not None  # we simulated them
            assert truth is not None
            found = mistakes(scored.logits, labels, threshold, patterns.clear)
            title = f"{training.name}, {cell.shape}: {shown(found, WORST)}"
            sheet = mistakes_sheet(
                patterns,
                transfer.out / f"mistakes-{protocol.name}.png",
                found,
                WORST,
                title=title,
                probabilities=scored.probabilities,
            )
        if sheet is None:
            report.paragraph(f"{training.name}, {cell.shape}: no mistakes.")
            continue
        rate = 100 * cell.scores[MISSED].value
        report.picture(
            sheet, f"{protocol.name}: {cell.shape} is its worst shape, {rate:.2f} % lost. {title}."
        )
        right = np.flatnonzero((labels == 1) & (scored.logits > threshold))
        if found.lost.size:
            header = [f"{cell.shape}, medians", "single hits lost", "single hits kept"]
            report.table(header, apart(truth, found.lost, right))
