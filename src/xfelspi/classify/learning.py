"""A training as it goes, epoch by epoch, to a checkpoint and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xfelspi import __version__
from xfelspi.errors import InputError

from .chance import chance
from .checkpoint import read_checkpoint, write_checkpoint
from .compute import device, fastest
from .config import TrainConfig
from .data import Progress
from .networks import Architecture, Classifier
from .predict import ReadyClassifier
from .prepare import Standardize
from .scores import Scores, Thresholds, evaluate, find_thresholds
from .shards import SHARD, Shards, parts_of
from .supply import Supply, n_batches


class Learning:
    """A training between two epochs: all of it goes into a checkpoint, and comes back.

    Chance in an epoch follows from (seed, epoch) alone, so there is no state of it to keep.
    """

    def __init__(
        self, config: TrainConfig, architecture: Architecture, supply: Supply, identity: str
    ) -> None:
        self.config, self.supply, self.identity = config, supply, identity
        self.n_epochs = config.resolved_epochs(supply.n)
        self.device = device()
        torch.manual_seed(config.seed)
        self.classifier = Classifier(architecture)
        self.classifier.to(self.device)
        self.classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = self._optimizer(self.classifier)
        self.augmentation = config.resolved_augmentation()
        self.class_weight = (supply.n_class.sum() / (2 * supply.n_class)).to(self.device)
        self.dtype: torch.dtype | None = None
        self.epoch = 0
        self.seconds = 0.0
        self.curve: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] = {}

    def learn(self, progress: Progress | None) -> float:
        """Go through the patterns of an epoch and return the mean loss."""
        if self.epoch == 0 and isinstance(self.classifier.prepare, Standardize):
            self.classifier.prepare.learn(self.supply.sample())
        if self.dtype is None:
            self.dtype = fastest(("training", self.classifier.architecture), self._try_step, tries=1)
        size = min(self.config.batch_size, self.supply.n)
        n = n_batches(self.supply.n, size)
        batches = self.supply.batches(self.epoch, size)
        total = 0.0
        self.classifier.train()
        with Shards(self.classifier, self._n_parts(size)) as shards:
            for i, (frames, labels) in enumerate(batches):
                progress_made = (self.epoch + i / n) / self.n_epochs
                self._set_learning_rate(progress_made)
                total += shards.learn(self._losses(frames, labels, i))
                self.optimizer.step()
                self.optimizer.zero_grad()
                if progress is not None:
                    progress("training", progress_made)
        self.epoch += 1
        return total / n

    def validate(self) -> tuple[Thresholds, Scores]:
        """Choose thresholds on the patterns held out, and score them with these."""
        ready, held = self.ready(), self.supply.held
        logits = np.concatenate([ready(block.float()).numpy() for block in held.frames.split(64)])
        labels, clear = held.labels.numpy(), held.clear
        thresholds = find_thresholds(logits, labels, clear, held.hidden)
        return thresholds, evaluate(logits, labels, clear, thresholds)

    def ready(self) -> ReadyClassifier:
        """Return the classifier as it is now, ready to work."""
        return ReadyClassifier(self.classifier, self.dtype or torch.float32, self.device)

    def note(self, loss: float, scores: Scores, seconds: float) -> None:
        """Put an epoch down, and its weights aside if they are the best so far."""
        self.seconds += seconds
        values = {name: scores.metrics[name] for name in ("accuracy", "accuracy_clear", "auc", "auc_clear")}
        row = {name: metric.value for name, metric in values.items() if metric is not None}
        self.curve.append({"epoch": self.epoch, "seconds": round(self.seconds, 1), "loss": loss, **row})
        if row["auc"] >= max(past["auc"] for past in self.curve):
            self.best = {name: tensor.clone() for name, tensor in self.classifier.state_dict().items()}

    def line(self) -> str:
        """Say how the last epoch went."""
        last = self.curve[-1]
        return (
            f"epoch {self.epoch:>2}/{self.n_epochs}  loss {last['loss']:.4f}  "
            f"validation accuracy {100 * last['accuracy']:.2f} %  AUC {last['auc']:.4f}  "
            f"{last['seconds']:.0f} s"
        )

    def about(self) -> dict[str, Any]:
        """Say how the model came to be, JSON-able."""
        return {
            "identity": self.identity,
            "versions": {"xfelspi": __version__, "torch": torch.__version__},
            "training": {
                "settings": asdict(self.config)
                | {"epochs": self.n_epochs, "augmentation": asdict(self.augmentation)},
                "n": self.supply.n,
                "n_validation": len(self.supply.held.labels),
                "seconds": round(self.seconds, 1),
                "precision": _name_of(self.dtype),
            },
            "curve": self.curve,
        }

    def keep(self, part: Path) -> None:
        """Write a checkpoint."""
        state = {
            "identity": self.identity,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "curve": self.curve,
            "precision": _name_of(self.dtype),
        }
        optimizer = {
            f"{index}.{name}": value
            for index, values in self.optimizer.state_dict()["state"].items()
            for name, value in values.items()
        }
        groups = {"classifier": self.classifier.state_dict(), "best": self.best, "optimizer": optimizer}
        write_checkpoint(part, state, groups)

    def take_up(self, part: Path, overwrite: bool) -> bool:
        """Go on from a checkpoint if there is one; tell whether there was."""
        if not part.exists():
            return False
        state, groups = read_checkpoint(part)
        if state.get("identity") != self.identity:
            if overwrite:
                return False
            raise InputError(
                f"{part} is an unfinished training on other patterns or settings; give the command that "
                "began it, choose another name or add --overwrite."
            )
        self.classifier.load_state_dict(groups["classifier"])
        self.best = groups["best"]
        values: dict[int, dict[str, Tensor]] = {}
        for key, tensor in groups["optimizer"].items():
            index, _, name = key.partition(".")
            values.setdefault(int(index), {})[name] = tensor
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": values})
        self.epoch, self.seconds, self.curve = state["epoch"], state["seconds"], state["curve"]
        self.dtype = getattr(torch, state["precision"])
        return True

    def take_best(self) -> None:
        """Return to the weights of the best epoch."""
        self.classifier.load_state_dict(self.best)

    def _optimizer(self, classifier: nn.Module) -> torch.optim.Optimizer:
        weights = [p for p in classifier.parameters() if p.ndim > 1]
        others = [p for p in classifier.parameters() if p.ndim <= 1]
        groups = [
            {"params": weights, "weight_decay": self.config.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.config.learning_rate)

    def _set_learning_rate(self, progress_made: float) -> None:
        share = one_cycle(progress_made)
        for group in self.optimizer.param_groups:
            group["lr"] = share * self.config.learning_rate

    def _losses(self, frames: Tensor, labels: Tensor, step: int) -> Callable[[Classifier, int], Tensor]:
        """Return what computes the loss of each part of a batch."""
        n, epoch = self._n_parts(len(labels)), self.epoch
        parts = list(zip(frames.tensor_split(n), labels.tensor_split(n), strict=True))

        def loss(classifier: Classifier, part: int) -> Tensor:
            generator = chance(self.config.seed, epoch, step, part)
            some, theirs = parts[part]
            changed = self.augmentation(some, generator)
            return self._loss(classifier, changed, some, theirs, generator, self.dtype)

        return loss

    def _n_parts(self, size: int) -> int:
        return 1 if self.device.type == "cuda" else parts_of(size)

    def _loss(
        self,
        classifier: Classifier,
        changed: Tensor,
        frames: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        dtype: torch.dtype | None,
    ) -> Tensor:
        is_low = dtype is torch.bfloat16
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_low):
            opinions = classifier.opinions(changed.to(self.device), frames.to(self.device), generator)
        wanted = labels.to(self.device)
        losses = [functional.cross_entropy(each.float(), wanted, self.class_weight) for each in opinions]
        return torch.stack(losses).sum()

    def _try_step(self, dtype: torch.dtype) -> None:
        """Forward and backward on a few frames, for timing; nothing is learned."""
        frames, labels = self.supply.held.frames[:SHARD].float(), self.supply.held.labels[:SHARD]
        self.classifier.eval()  # leaves the normalization's averages alone
        self._loss(self.classifier, frames, frames, labels, chance(self.config.seed), dtype).backward()
        self.optimizer.zero_grad()


def one_cycle(progress_made: float) -> float:
    """Learning rate over its highest, from the share of the training that is done.

    Up from a 25th in the first fifth, then down to nothing, both along a cosine (Smith & Topin 2019,
    Proc. SPIE 11006, 369).

    Examples
    --------
    >>> [round(one_cycle(done), 2) for done in (0.0, 0.2, 0.6, 1.0)]
    [0.04, 1.0, 0.5, 0.0]
    """
    if progress_made < 0.2:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * progress_made / 0.2))
    return 0.5 * (1 + math.cos(math.pi * (progress_made - 0.2) / 0.8))


def _name_of(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")
