"""The work of a geometry study: train on some shapes, fix thresholds there, score on all; each step once."""

from __future__ import annotations

import base64
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi import __version__
from xfelspi.classify import Model, Predictor, TrainConfig, load_model, score_predictions, train
from xfelspi.classify.scores import find_thresholds
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, hidden_multiples
from xfelspi.shapes import shape_name
from xfelspi.simulate import Recipe, StreamedPatterns

from .protocols import Geometry
from .simulated import TEST_SEED, Progress, contents, of_shape, simulated_file
from .steps import digest, step
from .trainings import Training

HELD_OUT_SEED = 2**40 + 2
"""Of the patterns that thresholds are fixed on; no training and no test has it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """One network on one file.

    Attributes
    ----------
    rows : list of dict
        See `score_predictions`; the first is that of the shape.
    logits, probabilities : (n,) float32
        Of the file's patterns.
    """

    rows: list[dict[str, Any]]
    logits: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class Transfer:
    """The steps of a study in its folder."""

    out: Path
    declared: Geometry
    command: str
    progress: Progress
    tell: Callable[[str], None]
    _ready: dict[Path, tuple[Model, Predictor]] = field(default_factory=dict)

    def train(self, training: Training, seed: int) -> dict[str, Any]:
        """Train a network on fresh patterns, and fix its thresholds on many held out, of the same shapes."""
        return step(
            self._results(training) / f"seed{seed}-trained.json",
            {"seed": seed, "n_held_each": training.n_held_each},
            lambda: self._train(training, seed),
        )

    def score(self, training: Training, seed: int, path: Path) -> Scored:
        """Score a trained network on a simulated file of one shape."""
        trained = self.train(training, seed)
        name = f"seed{seed}-{path.parent.parent.name}-{path.parent.name}-{path.stem}.json"

        def compute() -> dict[str, Any]:
            model, predictor = self._model(training, seed)
            model = dataclasses.replace(
                model,
                thresholds=dataclasses.replace(
                    model.thresholds,
                    balanced=trained["balanced"],
                    at_fpr=trained["at_fpr"],
                    negatives=unpacked(trained["negatives"]),
                ),
            )
            with PatternSet.open(path) as patterns:
                prediction = predictor(patterns, self.progress)
                rows = score_predictions(model, patterns, prediction)
            for row in rows:
                del row["file"]  # the study may move
            probabilities = model.calibration.probabilities(prediction.logits)
            return {
                "rows": rows,
                "logits": packed(prediction.logits),
                "probabilities": packed(probabilities.astype(np.float32)),
            }

        result = step(self._results(training) / name, {"trained": trained["identity"]}, compute)
        return Scored(
            rows=result["rows"],
            logits=unpacked(result["logits"]),
            probabilities=unpacked(result["probabilities"]),
        )

    def cell(self, training: Training, seed: int, shape: str) -> Scored:
        """Score a network on the test patterns of a shape."""
        return self.score(training, seed, self.test_file(training, shape))

    def test_file(self, training: Training, shape: str) -> Path:
        """Return the file of a shape's test patterns, the same for all networks that ask for as many."""
        many = shape in training.protocol.many
        n = self.declared.n_many if many else self.declared.n_test
        return self.file(training.recipe, shape, n, TEST_SEED, "test")

    def file(self, recipe: Recipe, shape: str, n: int, seed: int, what: str) -> Path:
        """Return a simulated file of a shape, made if it is not there yet."""
        # The shape is the file's own: one folder holds all shapes of a recipe.
        bare, chosen = dataclasses.asdict(of_shape(recipe, "")), of_shape(recipe, shape)
        identity = digest([bare, __version__, *contents(chosen)])[:8]
        folder = self.out / "patterns" / identity / f"{what}-{n}"
        return simulated_file(folder, chosen, n, seed, self.command, self.progress)

    def _results(self, training: Training) -> Path:
        return self.out / training.folder

    def _model(self, training: Training, seed: int) -> tuple[Model, Predictor]:
        path = self._results(training) / f"seed{seed}.safetensors"
        if path not in self._ready:
            model = load_model(path)
            self._ready[path] = model, Predictor(model)
        return self._ready[path]

    def _train(self, training: Training, seed: int) -> dict[str, Any]:
        start = time.perf_counter()
        n = self.declared.n_train
        source = StreamedPatterns(training.taught, training.shapes, n=n, seed=seed, progress=self.progress)
        path = train(
            source,
            TrainConfig(network=training.protocol.network, epochs=self.declared.epochs, seed=seed),
            out=self._results(training),
            name=f"seed{seed}",
            command=self.command,
            progress=self.progress,
        )
        model, predictor = self._model(training, seed)
        logits, labels, clear, hidden = [], [], [], []
        for shape in training.shapes:
            held = self.file(training.taught, shape, training.n_held_each, HELD_OUT_SEED, "held-out")
            with PatternSet.open(held) as patterns:
                assert patterns.truth is not None  # we simulated it
                assert patterns.labels is not None
                logits.append(predictor(patterns, self.progress).logits)
                labels.append(patterns.labels)
                assert patterns.clear is not None
                clear.append(patterns.clear)
                hidden.append(hidden_multiples(patterns.truth))
        known = np.concatenate(labels)
        if not (known == 0).any() or not (known == 1).any():
            raise InputError(
                f"{training.name}: the {known.size} patterns held out lack single hits or lack others; raise "
                "n_many in the study."
            )
        found = find_thresholds(np.concatenate(logits), known, np.concatenate(clear), np.concatenate(hidden))
        taught = model.about["training"]
        seconds = time.perf_counter() - start
        self.tell(f"{training.name}, seed {seed}: trained, {seconds:.0f} s")
        return {
            "identity": digest([model.about["identity"], training.n_held_each])[:12],
            "model": path.name,
            "shapes": [shape_name(shape) for shape in training.shapes],
            "seconds": taught["seconds"],
            "n": n * self.declared.epochs,
            "balanced": found.balanced,
            "at_fpr": found.at_fpr,
            "negatives": packed(found.negatives),
            "n_negatives": found.negatives.size,
        }


def packed(values: np.ndarray) -> str:
    """Return numbers as text, 4 bytes each, for JSON."""
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """Return what `packed` was given.

    Examples
    --------
    >>> unpacked(packed(np.array([1.5, -2.0]))).tolist()
    [1.5, -2.0]
    """
    return np.frombuffer(base64.b64decode(text), "<f4")
