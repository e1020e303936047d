"""A file sorted: hits, opinions of networks, size and company of particles, and one verdict for each shot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xfelspi.classify import Model, Policy, Prediction, Predictor, Verdict, agreed, decide, settled, vetoed
from xfelspi.classify.consensus import require_way
from xfelspi.errors import InputError
from xfelspi.hits import COMPANY, HitFinding, Hits, find_hits, measure, within
from xfelspi.patterns import PatternSet

Progress = Callable[[str, float], None]
"""Called with what is done and the fraction of it."""


@dataclass(frozen=True, kw_only=True)
class Sorting:
    """What is asked beside the models.

    Attributes
    ----------
    way : {"all", "mean"}
        How several models make one decision, see `agreed`.
    autocorrelation : bool
        Keep only what the autocorrelation, too, takes for one particle, see `xfelspi.hits.Company`.
    size_nm : (float, float) or None
        Keep only particles between these diameters.
    hits : HitFinding or None
        Show the models only hits, and the misses that are kept to see what is lost; None for every shot.

    Raises
    ------
    InputError
        If there is no such way, or the diameters are not in order.
    """

    way: str = "all"
    autocorrelation: bool = False
    size_nm: tuple[float, float] | None = None
    hits: HitFinding | None = None

    def __post_init__(self) -> None:
        require_way(self.way)
        if self.size_nm is not None and not 0 < self.size_nm[0] < self.size_nm[1]:
            smallest, largest = self.size_nm
            raise InputError(
                f"Sizes from {smallest:g} to {largest:g} nm are no range; give the smaller one first, as in "
                "60,80."
            )

    @property
    def measures(self) -> bool:
        """Whether particles have to be measured."""
        return self.autocorrelation or self.size_nm is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Sorted:
    """What became of a file.

    Attributes
    ----------
    prediction : Prediction
        Of the first model.
    verdict : Verdict
        Of all that was asked.
    hits : Hits or None
        Where hits were looked for first.
    n_misses_single : int
        Of the misses that were looked at, those that would have been kept.
    beside : dict of str to (n,) array
        Columns for the table.
    """

    prediction: Prediction
    verdict: Verdict
    hits: Hits | None
    n_misses_single: int
    beside: dict[str, np.ndarray]


def sort_shots(
    patterns: PatternSet, models: Sequence[Model], policy: Policy, sorting: Sorting, progress: Progress
) -> Sorted:
    """Sort the shots of a file.

    Each model keeps its own share by the policy, of the shots it was shown; then they make one decision.
    Particles are measured only where they are kept or unsure by then.

    Raises
    ------
    InputError
        If a model does not support the policy, the file is damaged, or sizes are asked for and it has no
        geometry.
    """
    if sorting.size_nm is not None and patterns.geometry is None:
        raise InputError(
            f"{patterns.path} does not say its geometry, so sizes cannot be told; leave out --size."
        )
    hits = None if sorting.hits is None else find_hits(patterns, sorting.hits, progress=progress)
    shown = None if hits is None else np.flatnonzero(hits.hit | hits.kept_as_miss)
    predictions = [Predictor(model)(patterns, progress, shown) for model in models]
    # The likeliest by the mean are found once there is a mean, the others by each model.
    alone = replace(policy, top=None) if sorting.way == "mean" and len(models) > 1 else policy
    verdicts = []
    for model, prediction in zip(models, predictions, strict=True):
        verdicts.append(decide(model, prediction.logits, settled(alone, prediction.logits)))
    verdict = agreed(verdicts, policy, sorting.way)
    beside: dict[str, np.ndarray] = {} if hits is None else {"hit": hits.hit}
    if sorting.measures:
        measured = measure(patterns, np.flatnonzero(verdict.kept | verdict.unsure), progress)
        beside |= {"diameter_nm": measured.diameter_nm, "diameter_error_nm": measured.error_nm}
        beside["company"] = measured.company
        if sorting.autocorrelation:
            verdict = vetoed(verdict, ~(measured.company > COMPANY))
        if sorting.size_nm is not None:
            verdict = vetoed(verdict, within(measured, *sorting.size_nm))
    n_misses_single = 0
    if hits is not None:  # after all else: what hit finding costs
        n_misses_single = int((verdict.kept & hits.kept_as_miss).sum())
        verdict = vetoed(verdict, hits.hit)
    return Sorted(
        prediction=predictions[0],
        verdict=verdict,
        hits=hits,
        n_misses_single=n_misses_single,
        beside=beside,
    )
