"""Training: patterns in, a model out; killed at any moment, the same command goes on."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import find_pattern_files

from .augment import Augmentation
from .checkpoint import read_checkpoint, write_checkpoint
from .compute import cores, device, fastest
from .data import Examples, Progress, load_examples, split
from .framing import ModelFrame
from .model import Model, load_model, save_model, weights_path
from .networks import Architecture, Classifier
from .predict import ReadyClassifier
from .prepare import Standardize
from .scores import Scores, Thresholds, evaluate, find_thresholds
from .shards import SHARD, Shards, split_evenly

PATTERNS_SEEN = 90_000
"""Patterns that a network sees in all its epochs unless told otherwise; a pattern counts every time."""

_EPOCHS = (3, 30)  # unless told otherwise, no fewer and no more
_AS_PUBLISHED = Augmentation(turns=False, shift_pixels=0, relief=0.0)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes
    ----------
    network, blocks
        See `Architecture`.
    epochs : int or None
        Rounds over the patterns; None makes as many as let the network see `PATTERNS_SEEN`.
    batch_size : int
        Patterns per step.
    learning_rate : float
        At its highest: it rises over the first fifth of all steps and falls to nothing, both as a cosine.
    weight_decay : float
        Of AdamW, on all weights but offsets and normalizations.
    validation_fraction : float
        Share of the patterns held out, to choose the best epoch and the thresholds.
    seed : int
        Of weights, split, order and augmentation.
    augmentation : Augmentation or None
        None is what goes with the network: flips alone for `resnet` as published.

    Raises
    ------
    InputError
        If a value is out of bounds; `Architecture` checks its own.
    """

    network: str = "pooled"
    blocks: tuple[int, int] = (2, 2)
    epochs: int | None = None
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    validation_fraction: float = 0.1
    seed: int = 0
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise InputError(f"{self.epochs} epochs are asked for; ask for 1 or more.")
        if self.batch_size < 2:
            raise InputError(f"The batch size is {self.batch_size}; normalization needs 2 or more.")
        if not 0 < self.learning_rate < 1:
            raise InputError(f"The learning rate is {self.learning_rate}; it must lie between 0 and 1.")
        if self.weight_decay < 0:
            raise InputError(f"The weight decay is {self.weight_decay}; it must be 0 or more.")
        if not 0 < self.validation_fraction < 1:
            raise InputError(
                f"The validation fraction is {self.validation_fraction}; it must lie between 0 and 1."
            )
        if not 0 <= self.seed < 2**63:
            raise InputError(f"The seed is {self.seed}; it must lie between 0 and 2^63 - 1.")

    def resolved_augmentation(self) -> Augmentation:
        """Return the augmentation, that of the network if none was given."""
        if self.augmentation is not None:
            return self.augmentation
        return _AS_PUBLISHED if self.network == "resnet" else Augmentation()


def train(
    data: Iterable[Path],
    config: TrainConfig | None = None,
    *,
    out: Path = Path("runs"),
    name: str | None = None,
    shapes: Sequence[str] | None = None,
    hold_out: Sequence[str] | None = None,
    overwrite: bool = False,
    command: str | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Train a classifier and write it to `out`, unless this very training is there already.

    Parameters
    ----------
    data : iterable of Path
        Pattern files and folders of them; measured ones with a dataset `labels` may be among them.
    config : TrainConfig, optional
        How to train.
    out : Path
        Folder for the model. NAME.part in it holds the state after every epoch until the model is done.
    name : str, optional
        Of the model; without it one is made of shapes, number of patterns and a hash of all that decides
        the outcome, so that another run never meets it.
    shapes, hold_out : sequence of str, optional
        Simulated shapes to take, and to leave out.
    overwrite : bool
        Replace a model or an unfinished training of this name that came from something else.
    command : str, optional
        What was typed, kept in the model.
    progress : callable, optional
        Told what is being done and how far it is.
    say : callable, optional
        Given one line per epoch.

    Returns
    -------
    path : Path
        The model's NAME.safetensors; NAME.json is beside it.

    Raises
    ------
    InputError
        If the data do not serve, see `load_examples`, another model has the name, or nothing can be written.
    """
    config = config or TrainConfig()
    architecture = Architecture(network=config.network, blocks=config.blocks)
    frame = ModelFrame(size=architecture.size)
    files = find_pattern_files(data)
    examples = load_examples(files, frame, shapes=shapes or (), hold_out=hold_out or (), progress=progress)
    identity = _identity(config, frame, examples)
    path = weights_path(out / (name or _name(examples, identity)))
    if _is_trained(path, identity, overwrite):
        if say is not None:
            say(f"{path} is already trained")
        return path

    torch.set_num_threads(cores())
    part = path.with_suffix(".part")
    run = _Run(config, architecture, examples, identity)
    resumed = run.take_up(part, overwrite)
    if resumed and say is not None:
        say(f"going on after epoch {run.epoch} of {run.n_epochs}")
    while run.epoch < run.n_epochs:
        start = time.perf_counter()
        loss = run.learn(progress)
        _, scores = run.validate()
        run.note(loss, scores, time.perf_counter() - start)
        run.keep(part)
        if say is not None:
            say(run.line())
    run.take_best()
    thresholds, scores = run.validate()
    about = run.about() | {"command": command, "validation": scores.row("validation", None)}
    model = Model(
        architecture=architecture,
        classifier=run.classifier,
        frame=frame,
        thresholds=thresholds,
        about=about,
    )
    save_model(model, path)
    part.unlink(missing_ok=True)
    return path


class _Run:
    """A training between two epochs: all of it goes into a checkpoint, and comes back.

    Chance in an epoch follows from (seed, epoch) alone, so there is no state of it to keep.
    """

    def __init__(
        self, config: TrainConfig, architecture: Architecture, examples: Examples, identity: str
    ) -> None:
        self.config, self.examples, self.identity = config, examples, identity
        self.learned, self.held = split(examples.pairs, config.validation_fraction, config.seed)
        for indices, what in ((self.learned, "learn from"), (self.held, "validate with")):
            if len(torch.unique(examples.labels[indices])) < 2:
                raise InputError(
                    f"{len(examples.labels)} patterns are too few: the {len(indices)} to {what} lack single "
                    "hits or lack others; add patterns."
                )
        seen = round(PATTERNS_SEEN / self.learned.size)
        self.n_epochs = config.epochs or min(max(seen, _EPOCHS[0]), _EPOCHS[1])
        self.device = device()
        torch.manual_seed(config.seed)
        self.classifier = Classifier(architecture)
        if isinstance(self.classifier.prepare, Standardize):
            self.classifier.prepare.learn(examples.frames, self.learned)
        self.classifier.to(self.device)
        self.classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = self._optimizer(self.classifier)
        self.augmentation = config.resolved_augmentation()
        n_class = torch.bincount(examples.labels[self.learned], minlength=2)
        self.class_weight = (n_class.sum() / (2 * n_class)).to(self.device)
        self.dtype: torch.dtype | None = None
        self.epoch = 0
        self.seconds = 0.0
        self.curve: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] = {}

    def learn(self, progress: Progress | None) -> float:
        """Go through all patterns once and return the mean loss."""
        if self.dtype is None:
            self.dtype = fastest(self._try_step, tries=1)
        generator = self._chance(self.epoch)
        order = torch.from_numpy(self.learned)[torch.randperm(self.learned.size, generator=generator)]
        batches = order.split(self.config.batch_size)
        if len(batches) > 1 and len(batches[-1]) < self.config.batch_size:
            batches = batches[:-1]
        total = 0.0
        self.classifier.train()
        with Shards(self.classifier, len(self._parts(batches[0]))) as shards:
            for i, batch in enumerate(batches):
                progress_made = (self.epoch + i / len(batches)) / self.n_epochs
                self._set_learning_rate(progress_made)
                total += shards.learn(self._losses(batch, i))
                self.optimizer.step()
                self.optimizer.zero_grad()
                if progress is not None:
                    progress("training", progress_made)
        self.epoch += 1
        return total / len(batches)

    def validate(self) -> tuple[Thresholds, Scores]:
        """Choose thresholds on the patterns held out, and score them with these."""
        ready = ReadyClassifier(self.classifier, self.dtype or torch.float32, self.device)
        frames = self.examples.frames[self.held]
        logits = np.concatenate([ready(block.float()).numpy() for block in frames.split(64)])
        labels, clear = self.examples.labels[self.held].numpy(), self.examples.clear[self.held]
        thresholds = find_thresholds(logits, labels, clear)
        return thresholds, evaluate(logits, labels, clear, thresholds)

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
                "n": self.learned.size,
                "n_validation": self.held.size,
                "seconds": round(self.seconds, 1),
                "precision": _name_of(self.dtype),
                "data": self.examples.sources,
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

    def _losses(self, batch: Tensor, step: int) -> Callable[[Classifier, int], Tensor]:
        """Return what computes the loss of each part of a batch."""
        parts, epoch = self._parts(batch), self.epoch

        def loss(classifier: Classifier, part: int) -> Tensor:
            generator = self._chance(epoch, step, part)
            classifier.network.dropout.generator = generator
            frames = self.augmentation(self.examples.frames[parts[part]], generator)
            return self._loss(classifier, frames, self.examples.labels[parts[part]], self.dtype)

        return loss

    def _parts(self, batch: Tensor) -> Sequence[Tensor]:
        return [batch] if self.device.type == "cuda" else split_evenly(batch)

    def _chance(self, *where: int) -> torch.Generator:
        """Return a generator that depends on the seed and on where the training stands alone."""
        (word,) = np.random.SeedSequence((self.config.seed, *where)).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(word >> 1))

    def _loss(
        self, classifier: Classifier, frames: Tensor, labels: Tensor, dtype: torch.dtype | None
    ) -> Tensor:
        is_low = dtype is torch.bfloat16
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_low):
            logits = classifier(frames.to(self.device))
        return functional.cross_entropy(logits.float(), labels.to(self.device), self.class_weight)

    def _try_step(self, dtype: torch.dtype) -> None:
        """Forward and backward on a few frames, for timing; nothing is learned."""
        few = self.learned[:SHARD]
        frames, labels = self.examples.frames[few].float(), self.examples.labels[few]
        self.classifier.eval()  # leaves the normalization's averages alone
        self._loss(self.classifier, frames, labels, dtype).backward()
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


def _identity(config: TrainConfig, frame: ModelFrame, examples: Examples) -> str:
    """Hash of all that decides the outcome; where the files lie does not."""
    decides = {
        "config": asdict(config) | {"augmentation": asdict(config.resolved_augmentation())},
        "frame": asdict(frame),
        "data": [[source["n"], source["content_crc32"]] for source in examples.sources],
        "version": __version__,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def _name_of(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")


def _name(examples: Examples, identity: str) -> str:
    shapes = {shape for source in examples.sources for shape in source["shapes"] or ()}
    said = "-".join(sorted(shapes)) or Path(examples.sources[0]["file"]).stem
    return f"{said}-{len(examples.labels)}-{identity[:6]}"


def _is_trained(path: Path, identity: str, overwrite: bool) -> bool:
    """Tell whether the model is there already; raise if another stands in its place."""
    if not path.exists() and not path.with_suffix(".json").exists():
        return False
    try:
        if load_model(path).about.get("identity") == identity:
            return True
    except InputError:  # half of a model, or none: replaced only when told
        pass
    if overwrite:
        return False
    raise InputError(
        f"{path} exists and came from other patterns or settings; choose another name or add --overwrite."
    )
