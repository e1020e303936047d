"""Before the beam time: photons of one particle on the detector, and how surely it would be recognised."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.classify import Model, Predictor, evaluate
from xfelspi.classify.intervals import wilson
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.shapes import shape_name
from xfelspi.simulate import Experiment, Recipe, simulate_to_file
from xfelspi.simulate.diffract import largest_q_per_nm

from .speckles import Speckles, farthest_visible_nm, fringe_signal, speckle_pixels, speckles, visibility

N_SPECKLES = 256
"""Shots that photons in Shannon pixels are averaged over."""

STANDS_OUT = 5.0
"""Signal over noise from which on a feature counts as seen (Rose 1973, Vision: Human and Electronic)."""

APART = 0.75
"""Diameters between two particles below which fringes look like the particle's own speckles."""

_AT_ONCE = 64  # frames in memory

NO_MODEL = (
    "No model was given, and none comes with this installation: how surely the particle would be recognised "
    "is left out; name a model with --model."
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Mean, and 5th, 50th and 95th percentile."""

    mean: float
    low: float
    median: float
    high: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What to expect of a particle at an instrument.

    Attributes
    ----------
    recipe : Recipe
        Of the instrument, with the particle.
    n, seed : int
        Shots simulated, one half single hits; and what they follow from.
    photons : Spread
        Coherently scattered by one particle onto good pixels.
    causes : dict of str to Spread
        What spreads them, each as a factor with a mean of 1.
    background : Spread
        Photons beside them in a single hit, on good pixels.
    counts : Spread
        What the electronics make of both, on good pixels.
    speckles : Speckles
        Photons in Shannon pixels.
    speckle_pixels : float
        Width of a speckle in pixels.
    largest_diameter_nm : float
        Of a particle whose speckles are still two pixels wide.
    corner_per_nm : float
        Momentum transfer in the corner of the detector.
    farthest_pair_nm : float
        Separation of two particles beyond which their fringes are not visible.
    pairs : dict
        Of the multiple hits: `median` signal to noise of the fringes of the two brightest, and the share
        `seen` whose fringes stand out, with its interval `seen_ci`; None without multiple hits.
    recognition : dict or None
        Scores of the model, as `Scores.row` has them, and `fnr_dim`, `fnr_dim_ci` of the dimmest quarter of
        the single hits; None without a model.
    """

    recipe: Recipe
    n: int
    seed: int
    photons: Spread
    causes: dict[str, Spread]
    background: Spread
    counts: Spread
    speckles: Speckles
    speckle_pixels: float
    largest_diameter_nm: float
    corner_per_nm: float
    farthest_pair_nm: float
    pairs: dict[str, Any] | None
    recognition: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able: an infinite length is None."""
        profile = {name: value.tolist() for name, value in vars(self.speckles).items()}
        plain = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("recipe", "speckles", "photons", "causes", "background", "counts")
        }
        return {
            "recipe": _finite(self.recipe.as_dict()),
            "photons": dataclasses.asdict(self.photons),
            "causes": {name: dataclasses.asdict(spread) for name, spread in self.causes.items()},
            "background": dataclasses.asdict(self.background),
            "counts": dataclasses.asdict(self.counts),
            "mean_peak_fluence_per_um2": self.recipe.beam.mean_peak_fluence_per_um2,
            "photons_per_shannon_pixel": profile | {"reach_per_nm": self.speckles.reach_per_nm},
            **plain,
        }


def _finite(value: Any) -> Any:
    """Return nested dictionaries with None for what is infinite, which JSON cannot say."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and math.isinf(value) else value


def plan(
    recipe: Recipe,
    model: Model | None = None,
    *,
    n: int = 2_000,
    seed: int = 0,
    show: Callable[[Plan, PatternSet], None] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Simulate shots of a recipe and say what they have; let a model sort them.

    Parameters
    ----------
    recipe : Recipe
        Instrument and particle. Photons follow from pulse energy and focus: it does not fix their number.
    model : Model, optional
        To recognise single hits.
    n : int
        Shots: pairs of a single and a multiple hit, or of what else the recipe has.
    seed : int
        Same seed, same shots.
    show : callable, optional
        Given the plan and the shots before these are deleted.
    progress : callable, optional
        Told the fraction done of each step.

    Raises
    ------
    InputError
        If the recipe fixes the photons, the detector does not sample the particle, or `n` is too small.
    """
    if recipe.beam.photons_per_frame is not None:
        raise InputError(
            "The recipe fixes the photons of a frame (beam.photons_per_frame), so pulse and particle do not "
            "decide them; plan with one that does not, such as lcls-amo, euxfel-spb or ideal."
        )
    if n < 20:
        raise InputError(f"{n} shots tell nothing; ask for 20 or more with -n.")
    recipe = dataclasses.replace(recipe, sample=dataclasses.replace(recipe.sample, arrival="pairs"))
    experiment = Experiment(recipe, seed, progress)
    profile = speckles(experiment, min(N_SPECKLES, n // 2))
    with tempfile.TemporaryDirectory(prefix="xfel-plan-") as folder:
        path = Path(folder) / f"{shape_name(recipe.sample.shape)}.h5"
        simulate_to_file(path, recipe, n, seed, progress=progress)
        with PatternSet.open(path) as patterns:
            found = _plan(recipe, n, seed, profile, patterns, model, progress)
            if show is not None:
                show(found, patterns)
    return found


def _plan(
    recipe: Recipe,
    n: int,
    seed: int,
    profile: Speckles,
    patterns: PatternSet,
    model: Model | None,
    progress: Progress | None,
) -> Plan:
    beam, sample, detector = recipe.beam, recipe.sample, recipe.detector
    truth = patterns.truth
    assert truth is not None  # the file is our own
    single = patterns.labels == 1
    own, fluence = truth["photons"][single, 0], truth["fluence_per_um2"][single, 0]
    energy = truth["pulse_energy_ratio"][single]
    energy_ev, coherence_um = beam.photon_energy_ev, beam.coherence_length_um
    wide = speckle_pixels(sample.diameter_nm, energy_ev, detector)
    return Plan(
        recipe=recipe,
        n=n,
        seed=seed,
        photons=_spread(own),
        causes={
            "pulse energy": _spread(energy / energy.mean()),
            "place in the focus": _factor(fluence / energy),
            "orientation, size and body": _factor(own / fluence),
        },
        background=_spread(truth["background_photons"][single]),
        counts=_spread(counts_of(patterns)[single]),
        speckles=profile,
        speckle_pixels=wide,
        largest_diameter_nm=sample.diameter_nm * wide / 2.0,
        corner_per_nm=largest_q_per_nm(energy_ev, detector, 0.0),
        farthest_pair_nm=farthest_visible_nm(energy_ev, detector, coherence_um),
        pairs=_pairs(recipe, truth),
        recognition=None if model is None else _recognition(model, patterns, own, progress),
    )


def counts_of(patterns: PatternSet) -> np.ndarray:
    """Return what every frame counts on good pixels, (n,) float64."""
    totals = []
    for begin in range(0, patterns.n, _AT_ONCE):
        frames = patterns.frames(begin, min(begin + _AT_ONCE, patterns.n)).counts
        totals.append(frames.sum(axis=(1, 2), where=~patterns.mask, dtype=float))
    return np.concatenate(totals)


def _pairs(recipe: Recipe, truth: dict[str, np.ndarray]) -> dict[str, Any] | None:
    """Say whether the fringes of multiple hits stand out."""
    several = truth["n_particles"] > 1
    if not several.any():
        return None
    photons = np.sort(np.nan_to_num(truth["photons"][several]), axis=1)
    separation_nm = truth["separation_nm"][several]
    detector, beam = recipe.detector, recipe.beam
    seen = visibility(separation_nm, beam.photon_energy_ev, detector, beam.coherence_length_um)
    beside = photons[:, :-2].sum(axis=1) + truth["background_photons"][several]
    signal = fringe_signal(photons[:, -1], photons[:, -2], beside, seen)
    largest_nm = np.nanmax(truth["diameter_nm"][several], axis=1)
    k = int(((signal >= STANDS_OUT) & (separation_nm >= APART * largest_nm)).sum())
    return {
        "n": int(several.sum()),
        "median": float(np.median(signal)),
        "seen": k / signal.size,
        "seen_ci": list(wilson(k, signal.size)),
    }


def _recognition(
    model: Model, patterns: PatternSet, own: np.ndarray, progress: Progress | None
) -> dict[str, Any]:
    """Let a model sort the shots."""
    prediction = Predictor(model)(patterns, progress)
    labels = patterns.labels
    assert labels is not None
    row = evaluate(prediction.logits, labels, patterns.clear, model.thresholds).row("plan", None)
    dim = prediction.logits[labels == 1][own <= np.quantile(own, 0.25)]
    k = int((dim <= model.thresholds.balanced).sum())
    return row | {"fnr_dim": k / dim.size, "fnr_dim_ci": list(wilson(k, dim.size))}


def _spread(values: np.ndarray) -> Spread:
    low, median, high = (float(value) for value in np.percentile(values, [5.0, 50.0, 95.0]))
    return Spread(mean=float(values.mean()), low=low, median=median, high=high)


def _factor(values: np.ndarray) -> Spread:
    """Return the spread over its own mean."""
    mean = float(values.mean())
    return _spread(values / mean if mean > 0.0 else values)
