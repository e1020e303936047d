"""Several seeds of one recipe, scored together: seeds are means, shots are the sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xfelspi.classify.intervals import balanced_interval, wilson

from .concordance import Share, share, wins


def over_seeds(evaluations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean scores over seeds, with intervals for the choice of shots.

    Every seed looked at the same shots, so more seeds do not narrow an interval: rates have that of the mean
    number of mistakes, areas a bootstrap of the shots. How far the seeds are apart stands beside.

    Parameters
    ----------
    evaluations : sequence of dict
        Of each seed: `logits`, `labels` (1 single, 0 not, -1 unknown) and the model's `threshold`.

    Returns
    -------
    scores : dict
        `auc`, `balanced_accuracy`, `fnr`, `fpr`, each a `Share`; `by_seed`, the first two of each seed.
    """
    labels = np.asarray(evaluations[0]["labels"])
    logits = np.array([evaluation["logits"] for evaluation in evaluations])
    above = np.array([e["logits"] > np.float64(e["threshold"]) for e in evaluations])
    n_single, n_other = int((labels == 1).sum()), int((labels == 0).sum())
    lost = (~above[:, labels == 1]).sum(axis=1)
    kept = above[:, labels == 0].sum(axis=1)
    balanced = 1.0 - (lost / n_single + kept / n_other) / 2.0
    wrong = float(lost.mean()), float(kept.mean())
    return {
        "auc": share(wins(logits, labels)),
        "balanced_accuracy": Share(
            float(balanced.mean()),
            *balanced_interval(wrong, (n_single, n_other)),  # type: ignore[arg-type]  # means are no whole numbers
        ),
        "fnr": Share(wrong[0] / n_single, *wilson(wrong[0], n_single)),  # type: ignore[arg-type]
        "fpr": Share(wrong[1] / n_other, *wilson(wrong[1], n_other)),  # type: ignore[arg-type]
        "by_seed": {
            "auc": [float(wins(row, labels).mean(dtype=float)) for row in logits],
            "balanced_accuracy": balanced.tolist(),
        },
    }
