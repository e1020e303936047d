"""The patterns a network got most wrong, and what sets them apart."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from xfelspi.patterns import LABELS, PatternSet
from xfelspi.pictures import contact_sheet


class Mistakes(NamedTuple):
    """Indices of all mistakes, those that the network was surest of first."""

    lost: np.ndarray
    """Singles not kept."""
    kept: np.ndarray
    """Others kept."""


def mistakes(
    logits: np.ndarray, labels: np.ndarray, threshold: float, counted: np.ndarray | None = None
) -> Mistakes:
    """Find the patterns on the wrong side of a threshold.

    Parameters
    ----------
    logits : (n,)
        Logit of being single.
    labels : (n,) int
        1 single, 0 not; others are left out.
    threshold : float
        Logits above it are called single.
    counted : (n,) bool, optional
        Which of the others count, such as clear multiples; all without.

    Examples
    --------
    >>> found = mistakes(np.array([-2.0, -1.0, 3.0, 1.0]), np.array([1, 1, 0, 1]), 0.0)
    >>> found.lost.tolist(), found.kept.tolist()
    ([0, 1], [2])
    """
    lost = np.flatnonzero((labels == 1) & (logits <= threshold))
    other = labels == 0 if counted is None else (labels == 0) & counted
    kept = np.flatnonzero(other & (logits > threshold))
    return Mistakes(lost[np.argsort(logits[lost])], kept[np.argsort(-logits[kept])])


def mistakes_sheet(
    patterns: PatternSet,
    out: Path,
    found: Mistakes,
    most: int,
    *,
    title: str,
    probabilities: np.ndarray | None = None,
) -> Path | None:
    """Draw the `most` worst mistakes of each kind, singles first; None where there are none.

    Parameters
    ----------
    patterns : PatternSet
        With truth, if `probabilities` are given.
    out : Path
        The PNG to write.
    found : Mistakes
        See `mistakes`.
    most : int
        Of each kind, and columns of the sheet.
    title : str
        Above the sheet.
    probabilities : (n,), optional
        Of a single hit, to say below each pattern beside what it really was.
    """
    chosen = [int(index) for index in (*found.lost[:most], *found.kept[:most])]
    if not chosen:
        return None
    remarks = None
    if probabilities is not None and patterns.truth is not None:
        remarks = {index: _remark(patterns.truth, probabilities, index) for index in chosen}
    return contact_sheet(patterns, out, indices=chosen, columns=most, title=title, remarks=remarks)


def apart(truth: dict[str, np.ndarray], some: np.ndarray, others: np.ndarray) -> list[tuple[str, str, str]]:
    """Compare two kinds of single hits: rows of what, median of `some`, median of `others`.

    Parameters
    ----------
    truth : dict of str to array
        Of the file.
    some, others : (k,) int
        Indices of shots with one particle.

    Returns
    -------
    rows : list of (str, str, str)
        A value that nothing is known of is "–".
    """
    columns = {
        "photons": (truth["expected_photons"], "{:,.0f}"),
        "diameter / nm": (truth["diameter_nm"][:, 0], "{:.1f}"),
        "body's z axis to the beam / degrees": (_tilt_deg(truth["orientation"][:, 0]), "{:.0f}"),
    }

    def median(values: np.ndarray, chosen: np.ndarray, form: str) -> str:
        return form.format(np.median(values[chosen])) if chosen.size else "–"

    return [
        (name, median(values, some, form), median(values, others, form))
        for name, (values, form) in columns.items()
    ]


def _tilt_deg(turns: np.ndarray) -> np.ndarray:
    """Angle between a body's z axis and the beam, 0 to 90 degrees; turns (n, 4) quaternions w, x, y, z."""
    along = 1.0 - 2.0 * (turns[:, 1] ** 2 + turns[:, 2] ** 2)
    return np.degrees(np.arccos(np.minimum(np.abs(along), 1.0)))


def _remark(truth: dict[str, np.ndarray], probabilities: np.ndarray, index: int) -> str:
    said = f"p = {probabilities[index]:.3g}"
    if LABELS[truth["label"][index]] == "multiple":
        fraction, separation_nm = truth["runner_up_fraction"][index], truth["separation_nm"][index]
        return f"{said}, runner-up {fraction:.2f} at {separation_nm:,.0f} nm"
    if truth["n_particles"][index] == 0:
        return said
    return f"{said}, {truth['shape'][index]} {truth['diameter_nm'][index][0]:.0f} nm"


def shown(found: Mistakes, most: int) -> str:
    """Say how many there are, and how many of them a sheet shows."""
    parts = [
        f"{len(indices)} {what}" + (f", the {most} worst shown" if len(indices) > most else "")
        for indices, what in ((found.lost, "single hits lost"), (found.kept, "multiple hits kept"))
    ]
    return "; ".join(parts)
