"""Trained-on × tested-on: every score as a mean over seeds, with least, most and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .trainings import Training
from .transfer import Scored, Transfer

MISSED = "fnr_at_1pct_fpr"
"""Score that protocols are compared by: single hits lost at the transferred threshold for 1 %."""

KEPT = "fpr_clear_at_1pct_fpr"
"""Clear multiples kept there."""

MISSED_RARE, KEPT_RARE = "fnr_at_0p1pct_fpr", "fpr_clear_at_0p1pct_fpr"
"""The same for 0.1 %."""

AREA = "auc"
"""Area under the curve, all multiples."""


class Mean(NamedTuple):
    """A score over seeds: mean, least and most of any, and the interval for the choice of patterns.

    Every seed was scored on the same patterns, so seeds do not narrow the interval: it is the mean of theirs.
    """

    value: float
    least: float
    most: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One network, all its seeds, on one shape.

    Attributes
    ----------
    training, shape, group : str
        Whose networks, on which shape of which group.
    seen : str
        See `Training.has_seen`.
    n : dict of str to int
        Patterns of each kind.
    scores : dict of str to Mean
        Whatever `score_predictions` knows, by its names; one that the patterns cannot give is left out.
    others : dict of str to dict
        Further rows of it, such as droplets.
    """

    training: str
    shape: str
    group: str
    seen: str
    n: dict[str, int]
    scores: dict[str, Mean]
    others: dict[str, dict[str, Mean]]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        return {
            "training": self.training,
            "shape": self.shape,
            "group": self.group,
            "seen": self.seen,
            **self.n,
            "scores": _plain(self.scores),
            "others": {name: _plain(scores) for name, scores in self.others.items()},
        }


def matrix(transfer: Transfer, plan: Sequence[Training], seeds: int) -> dict[tuple[str, str], Cell]:
    """Train and score everything: one seed of all before the second of any.

    Returns
    -------
    cells : dict of (training, shape) to Cell
    """
    shapes = transfer.declared.shapes
    rows: dict[tuple[str, str], list[Scored]] = {}
    for seed in range(seeds):
        for training in plan:
            for shape in shapes:
                key = training.name, shape
                rows.setdefault(key, []).append(transfer.cell(training, seed, shape))
            missed = [rows[training.name, shape][-1].rows[0][MISSED] for shape in shapes]
            worst = max(range(len(shapes)), key=lambda i: missed[i] or 0.0)
            transfer.tell(
                f"{training.name}, seed {seed}: at the threshold for 1 % the worst shape is {shapes[worst]}, "
                f"{100 * (missed[worst] or 0.0):.2f} % of its singles lost"
            )
    return {
        (training.name, shape): _cell(transfer, training, shape, rows[training.name, shape])
        for training in plan
        for shape in shapes
    }


def over_rows(rows: Sequence[dict[str, Any]]) -> dict[str, Mean]:
    """Return the mean of every score in rows of several seeds.

    Examples
    --------
    >>> rows = [{"shape": "torus", "n_single": 9, "fnr": x, "fnr_ci": [0.0, 2 * x]} for x in (0.1, 0.3)]
    >>> over_rows(rows)["fnr"]
    Mean(value=0.2, least=0.1, most=0.3, low=0.0, high=0.4)
    """
    means = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name.startswith("n_") or not all(type(value) in (float, int) for value in values):
            continue
        edges = [row[f"{name}_ci"] for row in rows if row.get(f"{name}_ci") is not None]
        low, high = None, None
        if len(edges) == len(rows):
            low, high = (sum(edge[i] for edge in edges) / len(edges) for i in (0, 1))
        means[name] = Mean(sum(values) / len(values), min(values), max(values), low, high)
    return means


def _cell(transfer: Transfer, training: Training, shape: str, scored: Sequence[Scored]) -> Cell:
    first = scored[0].rows[0]
    others = {
        str(row["shape"]): over_rows([one.rows[i] for one in scored])
        for i, row in enumerate(scored[0].rows)
        if i > 0
    }
    return Cell(
        training=training.name,
        shape=shape,
        group=transfer.declared.group_of(shape),
        seen=training.has_seen(shape),
        n={name: first[name] for name in first if name.startswith("n_") and first[name] is not None},
        scores=over_rows([one.rows[0] for one in scored]),
        others=others,
    )


def _plain(scores: dict[str, Mean]) -> dict[str, Any]:
    return {name: mean._asdict() for name, mean in scores.items()}
