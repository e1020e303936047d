"""A plan as people read it: lines for the terminal, one page, a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.pictures import contact_sheet, profile_plot, require_picture
from xfelspi.report import Report, require_page

from .plan import APART, NO_MODEL, STANDS_OUT, Plan, Spread, counts_of
from .speckles import ENOUGH, VISIBLE

_SHOWN = (0.25, 0.5, 0.75)
"""Quantiles of brightness of the single and double hits in the picture."""

Line = tuple[str, str, str]
"""What, how much, and a remark."""


def setting(plan: Plan) -> str:
    """Say in a sentence what was planned."""
    sample, beam, detector = plan.recipe.sample, plan.recipe.beam, plan.recipe.detector
    what = sample.material if sample.electrons_per_nm3 is None else f"{sample.density:g} electrons/nm³"
    return (
        f"{sample.shape}, {sample.diameter_nm:g} nm, {what}; {beam.photon_energy_ev:g} eV, "
        f"{beam.pulse_energy_mj:g} mJ of which {100 * beam.transmission:.3g} % arrive in a focus of "
        f"{beam.focus_fwhm_um:g} µm; {detector.rows} x {detector.columns} pixels of "
        f"{1e6 * detector.pixel_size_m:g} µm at {detector.distance_m:g} m."
    )


def lines(plan: Plan) -> dict[str, list[Line]]:
    """Return what came out, line by line, under its headings."""
    beam, pairs = plan.recipe.beam, plan.pairs
    reach, edge = plan.speckles.reach_per_nm, plan.speckles.q_per_nm[-1]
    resolved = "nowhere" if reach is None else f"{2 * math.pi / reach:.3g} nm"
    limit = "the detector ends there" if reach == edge else f"q = {reach:.3g} /nm" if reach else ""
    found: dict[str, list[Line]] = {
        "Photons of one particle": [
            (
                "in the middle of the focus, mean pulse",
                f"{beam.mean_peak_fluence_per_um2:.3g} photons/µm²",
                "",
            ),
            ("on the detector, mean", _number(plan.photons.mean), ""),
            ("5, 50 and 95 % of the hits have less than", _percentiles(plan.photons), ""),
            *(
                (
                    f"spread by {cause}",
                    f"x {spread.low:.2f} to {spread.high:.2f}",
                    "5 to 95 % over the mean",
                )
                for cause, spread in plan.causes.items()
            ),
            (
                "background photons, mean",
                _number(plan.background.mean),
                f"5, 50, 95 %: {_percentiles(plan.background)}",
            ),
            (
                "counts in a frame, mean",
                _number(plan.counts.mean),
                f"what electronics leave of both; 5, 50, 95 %: {_percentiles(plan.counts)}",
            ),
        ],
        "Speckles": [
            *(
                (
                    f"photons in a Shannon pixel at {2 * math.pi / q:.3g} nm",
                    _number(photons),
                    f"q = {q:.3g} /nm",
                )
                for q, photons in _looked_at(plan)
            ),
            (f"resolution with {ENOUGH:g} photons in each", resolved, limit),
            (
                "resolution in the corner of the detector",
                f"{2 * math.pi / plan.corner_per_nm:.3g} nm",
                f"q = {plan.corner_per_nm:.3g} /nm",
            ),
            ("width of a speckle", f"{plan.speckle_pixels:.3g} pixels", "2 are needed"),
            ("largest diameter that the pixels sample", f"{plan.largest_diameter_nm:.3g} nm", ""),
        ],
        "Pairs": [
            (
                f"fringes keep {100 * VISIBLE:.0f} % of their contrast up to",
                f"{plan.farthest_pair_nm:,.0f} nm",
                "between two particles, across the beam",
            ),
        ],
    }
    if pairs is not None:
        found["Pairs"] += [
            (
                "signal to noise of the fringes",
                f"{pairs['median']:.2g}",
                f"median of {pairs['n']} multiple hits",
            ),
            (
                "multiple hits whose fringes stand out",
                _rate(pairs, "seen"),
                f"{STANDS_OUT:g} sigma or more, {APART:g} diameters apart or more",
            ),
        ]
    if plan.recognition is not None:
        row = plan.recognition
        found["Recognition by the model"] = [
            ("single hits lost (false negatives)", _rate(row, "fnr"), f"of {row['n_single']}"),
            ("single hits lost, dimmest quarter", _rate(row, "fnr_dim"), ""),
            ("others kept (false positives)", _rate(row, "fpr"), f"of {row['n_other']}"),
            ("clear others kept", _rate(row, "fpr_clear"), f"of {row['n_clear']}, which anyone could tell"),
            ("single hits lost at the 1 % threshold", _rate(row, "fnr_at_1pct_fpr"), ""),
            ("clear others kept there", _rate(row, "fpr_clear_at_1pct_fpr"), ""),
        ]
    return found


def write_plan(plan: Plan, patterns: PatternSet, out: Path, command: str) -> None:
    """Write the page, or the picture alone where the name ends in .png.

    Raises
    ------
    InputError
        If the name ends in neither .html nor .png, or it cannot be written.
    """
    if out.suffix == ".png":
        _sheet(plan, patterns, out)
        return
    sample = plan.recipe.sample
    report = Report(f"What to expect: {sample.shape}, {sample.diameter_nm:g} nm")
    report.lead(setting(plan))
    for heading, found in lines(plan).items():
        report.heading(heading)
        report.table(["", "", ""], [list(line) for line in found])
    if plan.recognition is None:
        report.paragraph(NO_MODEL)
    else:
        report.paragraph("In brackets 95 % intervals for the choice of shots.")
    folder = patterns.path.parent  # of the shots, which goes when they go
    report.heading("Shots")
    report.picture(
        _sheet(plan, patterns, folder / "shots.png"), "Single hits above, two particles below; dim to bright."
    )
    report.heading("Photons in a Shannon pixel")
    profile = plan.speckles
    curve = {"one particle": (profile.q_per_nm, profile.mean, profile.low, profile.high)}
    drawn = profile_plot(
        curve, folder / "speckles.png", x="momentum transfer / nm⁻¹", y="photons in a Shannon pixel"
    )
    report.picture(drawn, f"Mean and 5 to 95 % of the hits; {ENOUGH:g} is taken as enough.")
    report.heading("Again")
    report.code(command)
    report.paragraph(f"{plan.n} shots of seed {plan.seed}.")
    report.save(out)


def require_page_or_picture(out: Path) -> None:
    """Raise an `InputError` for a name that ends in neither .html nor .png, or that something else has."""
    if out.suffix not in (".html", ".png"):
        raise InputError(f"{out} ends in neither .html nor .png; name a page or a picture.")
    (require_page if out.suffix == ".html" else require_picture)(out)


def _sheet(plan: Plan, patterns: PatternSet, out: Path) -> Path:
    """Draw single and double hits, from dim to bright."""
    truth = patterns.truth
    assert truth is not None
    bright = counts_of(patterns)
    chosen: list[int] = []
    for kind in (patterns.labels == 1, truth["n_particles"] == 2):
        indices = np.flatnonzero(kind)
        if indices.size:
            order = indices[np.argsort(bright[indices])]
            chosen += [int(order[int(share * (order.size - 1))]) for share in _SHOWN]
    title = f"{plan.recipe.sample.shape}, {plan.recipe.sample.diameter_nm:g} nm"
    return contact_sheet(patterns, out, indices=chosen, columns=len(_SHOWN), title=title)


def _looked_at(plan: Plan) -> list[tuple[float, float]]:
    """Momentum transfers a quarter, half and all the way to the detector's edge, and the photons there."""
    q, mean = plan.speckles.q_per_nm, plan.speckles.mean
    edge = plan.corner_per_nm / math.sqrt(2.0)
    return [(edge * part, float(np.interp(edge * part, q, mean))) for part in (0.25, 0.5, 1.0)]


def _percentiles(spread: Spread) -> str:
    return ", ".join(_number(value) for value in (spread.low, spread.median, spread.high))


def _number(value: float) -> str:
    """Write a number of photons in three digits."""
    if value >= 1e6:
        return f"{value:.3g}"
    if value >= 1000:
        digits = 2 - math.floor(math.log10(value))
        return f"{round(value, digits):,.0f}"
    return f"{value:.3g}"


def _rate(row: dict[str, Any], name: str) -> str:
    if row.get(name) is None:
        return "not known"
    low, high = row[f"{name}_ci"]
    return f"{100 * row[name]:.2f} % ({100 * low:.2f} to {100 * high:.2f})"
