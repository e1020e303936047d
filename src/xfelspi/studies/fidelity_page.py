"""The report of a fidelity study: one page, plain, everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from xfelspi.pictures import Panel, interval_plot
from xfelspi.report import Report

from .cells import cell, in_brackets, metric_cell, metric_share, signed_cell
from .concordance import Share
from .fidelity_frames import show_disputed, show_frames
from .findings import Finding, Findings

TWO_SAMPLE = "two_sample"
"""The metric in the ladder's second panel."""

LOOKS_SHOWN = 40
"""Lines of the log on the page; study.json has all."""


def write_page(findings: Findings, out: Path) -> Path:
    """Write report.html into a folder, and its pictures beside it.

    Raises
    ------
    InputError
        If it cannot be written, or a file of the study has gone.
    """
    reference = findings.reference
    report = Report(f"How measured do the simulated shots look? {findings.declared.recipe}")
    report.lead(headline(findings))
    for line in _caveats(findings):
        report.paragraph(line)
    _ladder(report, findings, out)
    if findings.left_out:
        _left_out(report, findings, out)
    _brightness(report, findings)
    _metrics(report, findings)
    show_frames(report, findings, out)
    show_disputed(report, findings, out)
    if reference.is_measured:
        show_looks(report, findings.looks)
    _again(report, findings)
    return report.save(out / "report.html")


def headline(findings: Findings) -> str:
    """Say in two sentences what came out."""
    ideal, full = findings.rungs[0], findings.rungs[-1]
    reference = findings.reference
    n = int((reference.known >= 0).sum())
    seeds = len(full.logits)
    text = (
        f"Trained on simulation alone, the full recipe sorts the {n} {_kind(findings)} shots of "
        f"{reference.path.name} with an AUC of {in_brackets(full.judged['auc'])} and a balanced accuracy of "
        f"{in_brackets(full.judged['balanced_accuracy'])}, "
        f"{f'mean of {seeds} seeds' if seeds > 1 else 'one seed'}; the rung {ideal.variant.name} "
        f"has an AUC of {in_brackets(ideal.judged['auc'])}."
    )
    told = [metric_share(finding.metrics.get(TWO_SAMPLE)) for finding in (full, ideal)]
    if told[0] is not None and told[1] is not None:
        text += (
            f" A two-sample test tells its single hits from {_kind(findings)} ones with an AUC of "
            f"{in_brackets(told[0])}, those of {ideal.variant.name} with {in_brackets(told[1])}; 0.5 means "
            "that it cannot."
        )
    return text


def _caveats(findings: Findings) -> list[str]:
    reference, lines = findings.reference, []
    single, other = (int((reference.known == value).sum()) for value in (1, 0))
    lines.append(
        f"{single} of these shots are labelled single, {other} not. In brackets: intervals of 95 % for the "
        "choice of shots. Recipes, rungs, terms left out, numbers of patterns and seeds were declared before "
        "the run; thresholds come from the simulated training patterns. Networks do not see brightness: "
        "their input is normalized, and both classes draw their photons from the same range."
    )
    if not reference.is_measured:
        lines.append(
            "Nothing here is measured: the shots to judge by are a simulated stand-in, so this says how the "
            "study works, not how good the simulation is."
        )
    if findings.made.quick:
        lines.append(
            "This is a quick look with few patterns and short trainings. Do not draw conclusions from it."
        )
    if reference.is_measured:
        lines.append(f"This measured set has been looked at {_times(len(findings.looks))}; the log is below.")
    return lines


def _ladder(report: Report, findings: Findings, out: Path) -> None:
    report.heading("The ladder")
    report.paragraph(
        "From no term to all of them; each rung keeps what the rungs above it in this list have. "
        f"Left: does a network trained on it sort {_kind(findings)} shots (further right is better; orange: "
        f"single seeds)? Right: can its single hits be told from {_kind(findings)} ones (nearer 0.5 is "
        "better)?"
    )
    rungs = findings.rungs
    panels = [
        Panel(
            title=f"AUC on {_kind(findings)} shots",
            points=[rung.judged["auc"] for rung in rungs],
            seeds=[_several(rung.judged["by_seed"]["auc"]) for rung in rungs],
            at=0.5,
            note="blind",
            limits=(0.0, 1.0),
        ),
        Panel(
            title="AUC of the two-sample test",
            points=[metric_share(rung.metrics.get(TWO_SAMPLE)) for rung in rungs],
            at=0.5,
            note="cannot be told apart",
            limits=(0.3, 1.05),
        ),
    ]
    names = [rung.variant.name for rung in rungs]
    report.picture(interval_plot(names, panels, out / "ladder.png"), "AUCs and intervals of every rung.")
    header = ["rung\nand the terms that it adds", *_SCORES, "gain in AUC over the rung before"]
    gains: list[Share | None] = [None, *findings.gains]
    rows = [
        [
            f"{rung.variant.name}\n{', '.join(rung.variant.changes) or 'no term'}",
            *_score_cells(rung),
            signed_cell(gain),
        ]
        for rung, gain in zip(rungs, gains, strict=True)
    ]
    report.table([cell.replace("\n", " ") for cell in header], rows)
    for first, second in pairwise(rungs):
        if first.variant.folder == second.variant.folder:
            report.paragraph(
                f"The rungs {first.variant.name} and {second.variant.name} are one recipe: the terms that "
                "the second adds are off in the full recipe."
            )


def _left_out(report: Report, findings: Findings, out: Path) -> None:
    report.heading("Without one term")
    full = findings.rungs[-1]
    spread = _several(full.judged["by_seed"]["auc"])
    seeds = (
        f" The seeds of the full recipe lie between {min(spread):.3f} and {max(spread):.3f}."
        if spread
        else ""
    )
    report.paragraph(
        f"AUC on {_kind(findings)} shots that is lost when one term is taken from the full recipe: bars to "
        "the right are terms that help. Intervals are for the choice of shots, the same for both; another "
        f"seed moves a bar as well.{seeds}"
    )
    pairs = list(zip(findings.left_out, findings.losses, strict=True))
    pairs.sort(key=lambda pair: -pair[1].value)
    names = [finding.variant.changes[0] for finding, _ in pairs]
    panel = Panel(
        title="AUC of the full recipe minus that without the term",
        points=[loss for _, loss in pairs],
        at=0.0,
        note="worth nothing",
        bars=True,
    )
    report.picture(interval_plot(names, [panel], out / "without.png"), "What each term is worth at the top.")
    rows = [[finding.variant.name, *_score_cells(finding), signed_cell(loss)] for finding, loss in pairs]
    report.table(["recipe", *_SCORES, "AUC lost"], rows)


def _brightness(report: Report, findings: Findings) -> None:
    report.heading("Is it brightness?")
    facts = findings.brightness
    report.paragraph(
        "Total counts alone, beside the full recipe's network. Matched: each single is paired with up to "
        f"{facts['nearest']} others of nearest total counts, at most {facts['ratio']:g} times apart "
        f"({facts['n_pairs']} pairs of {facts['n_singles']} singles); the figure is how often the single "
        "stands above. Counts alone near 0.5 there show that the pairs are matched."
    )
    rows = [
        ["total counts alone", cell(facts["counts"]), cell(facts["counts_matched"])],
        ["the network", cell(facts["ours"]), cell(facts["ours_matched"])],
    ]
    report.table(["", "AUC, all shots", "within count-matched pairs"], rows)


def _metrics(report: Report, findings: Findings) -> None:
    report.heading("How alike are simulated and measured single hits?")
    everyone = [*findings.rungs, *findings.left_out]
    full = findings.rungs[-1]
    refused = next((finding.refused for finding in everyone if finding.refused), None)
    if refused is not None:
        report.paragraph(f"Some recipes could not be compared: {refused}")
    names = list(full.metrics)
    if not names:
        return
    report.paragraph(
        f"Simulated single hits of the shape {findings.declared.shapes[0]} beside {_kind(findings)} ones. "
        "Features of a network are those of the full recipe's, seed 0, for all rows."
    )
    header = ["recipe", *(name.replace("_", " ") for name in names)]
    rows = [
        [finding.variant.name, *(metric_cell(metric_share(finding.metrics.get(name))) for name in names)]
        for finding in everyone
    ]
    report.table(header, rows)
    report.items(
        [
            f"{name.replace('_', ' ')} (ideal {metric['ideal']:g}, {metric['better']} is better): "
            f"{metric['meaning']}"
            for name, metric in full.metrics.items()
        ]
    )


def show_looks(report: Report, looks: Sequence[dict[str, Any]]) -> None:
    """Write down who looked at a measured set so far, and what was seen."""
    if not looks:  # of a study that began elsewhere
        report.heading("Looks at this measured set")
        report.paragraph("The log of this user has none: what this page rests on was noted down elsewhere.")
        return
    report.heading(f"This measured set has been looked at {_times(len(looks))}")
    areas = [look["auc"] for look in looks]
    report.paragraph(
        f"Every score of a model on these frames, by any study of this user: AUC from {min(areas):.3f} to "
        f"{max(areas):.3f}. The best of many is no measurement; what counts was declared before."
        + (f" The last {LOOKS_SHOWN}:" if len(looks) > LOOKS_SHOWN else "")
    )
    rows = [
        [
            look["time"],
            look["study"],
            f"{look['rung']}, seed {look['seed']}",
            look["model"],
            f"{look['file']}\n{look['frames_sha256'][:12]}",
            f"{look['auc']:.3f}",
            f"{look['balanced_accuracy']:.3f}",
        ]
        for look in looks[-LOOKS_SHOWN:]
    ]
    report.table(["time", "study", "recipe", "model", "file, content", "AUC", "balanced accuracy"], rows)


def _again(report: Report, findings: Findings) -> None:
    report.heading("Again")
    report.code(findings.made.command)
    declared = findings.declared
    trained = {
        run["identity"]: run for finding in (*findings.rungs, *findings.left_out) for run in finding.trained
    }
    learning = [run["seconds_training"] for run in trained.values()]
    simulating = sum(run["seconds_simulating"] for run in trained.values())
    settings = ", ".join(
        f"{section}.{name} = {value}"
        for section, values in declared.settings.items()
        for name, value in values.items()
    )
    report.paragraph(
        f"Study {findings.made.study}: recipe {declared.recipe}{f' with {settings}' if settings else ''}; "
        f"{declared.n_train} patterns to train on and {declared.n_test} to test on, of "
        f"{', '.join(declared.shapes)}; {declared.epochs} epochs."
    )
    report.paragraph(
        f"{len(trained)} trainings of {sum(learning) / 60:.1f} minutes in all, the longest "
        f"{max(learning):.0f} s; {simulating / 60:.1f} minutes of simulation to train on; "
        f"{findings.made.words}"
    )
    report.paragraph(
        "All numbers, the recipes of all rungs and every logit are in study.json beside this page."
    )


_SCORES = ["seeds", "AUC, simulated", "AUC", "balanced accuracy", "false negatives", "false positives"]


def _score_cells(finding: Finding) -> list[str]:
    judged = finding.judged
    return [
        str(len(finding.logits)),
        cell(finding.simulated["auc"]),
        cell(judged["auc"]),
        cell(judged["balanced_accuracy"]),
        cell(judged["fnr"]),
        cell(judged["fpr"]),
    ]


def _kind(findings: Findings) -> str:
    return findings.reference.kind


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _several(values: Sequence[float]) -> Sequence[float]:
    return values if len(values) > 1 else ()
