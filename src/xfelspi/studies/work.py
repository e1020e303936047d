"""The work of a fidelity study: simulate, train, score, compare, each a step that is done once."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.classify import Model, Predictor, TrainConfig, evaluate, features, load_model, train
from xfelspi.errors import InputError
from xfelspi.fidelity import compare
from xfelspi.patterns import PatternSet
from xfelspi.simulate import Recipe

from .declaration import Declaration
from .ladder import Variant
from .looks import note_look
from .reference import Reference
from .simulated import TEST_SEED, Progress, of_shape, simulated_file
from .singles import framed, single_hits
from .steps import step

MOST_COMPARED = 400
"""Simulated singles in the fidelity metrics; more would cost time, and the measured ones are few."""


@dataclass(frozen=True)
class Work:
    """The steps of a study in its folder."""

    out: Path
    study: str
    declared: Declaration
    reference: Reference
    command: str
    progress: Progress
    tell: Callable[[str], None]

    def train_and_score(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Train one network and score it on simulated and on measured patterns."""
        start = time.perf_counter()
        folder = self.out / variant.folder

        @functools.cache
        def ready() -> tuple[Model, Predictor]:
            model = load_model(self._model_path(variant, seed))
            return model, Predictor(model)

        trained = step(
            folder / f"seed{seed}-trained.json", {"seed": seed}, lambda: self._train(variant, seed)
        )
        decides = {"model": trained["identity"]}
        simulated = step(
            folder / f"seed{seed}-simulated.json", decides, lambda: self._score_simulated(variant, *ready())
        )
        measured = step(
            folder / f"seed{seed}-judged.json",
            decides | {"reference": self.reference.sha256},
            lambda: self._score_reference(variant, seed, *ready()),
        )
        auc, (low, high) = measured["row"]["auc"], measured["row"]["auc_ci"]
        self.tell(
            f"{variant.name}, seed {seed}: AUC {simulated['row']['auc']:.3f} on simulated, {auc:.3f} "
            f"({low:.3f} to {high:.3f}) on {self.reference.kind}, {time.perf_counter() - start:.0f} s"
        )
        return {"trained": trained, "simulated": simulated, "judged": measured}

    def compare(self, variant: Variant, full: Variant) -> dict[str, Any]:
        """Compare simulated with measured singles, seen by the network of the full recipe."""
        model = load_model(self._model_path(full, 0))
        decides = {"eye": model.about["identity"], "reference": self.reference.sha256, "most": MOST_COMPARED}

        def compute() -> dict[str, Any]:
            self.progress(f"comparing {variant.name}", 0.0)
            path = self._tests(variant)[0]
            with PatternSet.open(path) as simulated, self.reference.open() as judge:
                sides = (simulated, single_hits(simulated, MOST_COMPARED)), (judge, single_hits(judge))
                ours, theirs = (framed(patterns, indices, model.frame) for patterns, indices in sides)
                seen = features(model, *sides[0]), features(model, *sides[1])
            try:
                found = compare(ours, theirs, features=seen, seed=0)
            except InputError as error:  # too few or too dim: the scores still stand
                return {"metrics": {}, "refused": str(error)}
            self.progress(f"comparing {variant.name}", 1.0)
            return {"metrics": {name: metric.as_dict() for name, metric in found.items()}, "refused": None}

        return step(self.out / variant.folder / "metrics.json", decides, compute)

    def _model_path(self, variant: Variant, seed: int) -> Path:
        return self.out / variant.folder / f"seed{seed}.safetensors"

    def _train(self, variant: Variant, seed: int) -> dict[str, Any]:
        folder = self.out / variant.folder
        patterns = folder / f"train-seed{seed}"
        start = time.perf_counter()
        for shape in self.declared.shapes:
            self._simulate(variant.recipe, patterns, shape, self.declared.n_train, seed)
        simulated = time.perf_counter()
        path = train(
            [patterns],
            TrainConfig(epochs=self.declared.epochs, seed=seed),
            out=folder,
            name=f"seed{seed}",
            command=self.command,
            progress=self.progress,
        )
        # Recipe and seed make them again; kept, they would fill the disk.
        shutil.rmtree(patterns)
        about = load_model(path).about
        return {
            "identity": about["identity"],
            "seconds_simulating": round(simulated - start, 1),
            "seconds_training": about["training"]["seconds"],
            "n": about["training"]["n"] + about["training"]["n_validation"],
        }

    def _score_simulated(self, variant: Variant, model: Model, predictor: Predictor) -> dict[str, Any]:
        logits, labels, clear = [], [], []
        for path in self._tests(variant):
            with PatternSet.open(path) as patterns:
                assert patterns.labels is not None  # they are in the truth
                assert patterns.clear is not None
                logits.append(predictor(patterns, self.progress).logits)
                labels.append(patterns.labels)
                clear.append(patterns.clear)
        return _evaluated(
            model, np.concatenate(logits), np.concatenate(labels), np.concatenate(clear), "simulated"
        )

    def _score_reference(
        self, variant: Variant, seed: int, model: Model, predictor: Predictor
    ) -> dict[str, Any]:
        with self.reference.open() as patterns:
            logits = predictor(patterns, self.progress).logits
            clear = patterns.clear
        found = _evaluated(model, logits, self.reference.known, clear, self.reference.path.name)
        if self.reference.is_measured:
            note_look(
                {
                    "study": self.study,
                    "rung": variant.name,
                    "seed": seed,
                    "model": model.about["identity"],
                    "file": self.reference.path.name,
                    "frames_sha256": self.reference.frames_sha256,
                    "auc": found["row"]["auc"],
                    "balanced_accuracy": found["row"]["balanced_accuracy"],
                }
            )
        return found

    def _tests(self, variant: Variant) -> list[Path]:
        folder = self.out / variant.folder / "test"
        return [
            self._simulate(variant.recipe, folder, shape, self.declared.n_test, TEST_SEED)
            for shape in self.declared.shapes
        ]

    def _simulate(self, recipe: Recipe, folder: Path, shape: str, n: int, seed: int) -> Path:
        n_each = n // len(self.declared.shapes)
        return simulated_file(folder, of_shape(recipe, shape), n_each, seed, self.command, self.progress)


def _evaluated(
    model: Model, logits: np.ndarray, labels: np.ndarray, clear: np.ndarray | None, name: str
) -> dict[str, Any]:
    return {
        "row": evaluate(logits, labels, clear, model.thresholds).row(name, None),
        "logits": logits.tolist(),
        "labels": labels.tolist(),
        "threshold": model.thresholds.balanced,
    }
