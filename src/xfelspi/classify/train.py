"""Training: settings, and a loop to read aloud."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xfelspi import __version__
from xfelspi.errors import InputError

from .augment import augment
from .data import Labelled, load_labelled, split
from .evaluate import evaluate
from .model import Architecture, Classifier, Model, save, write_whole
from .precision import autocast, device_of_choice, fastest_precision
from .prepare import Standardize

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of it that is done."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes
    ----------
    architecture : Architecture
        What to train.
    epochs : int
        Passes over the training patterns.
    batch_size : int
        Patterns in a step.
    learning_rate : float
        At the top of the one-cycle schedule (Smith & Topin 2019, arXiv:1708.07120).
    weight_decay : float
        Of AdamW, on weights of convolutions and of the last layer.
    validation_fraction : float
        Held out to choose the best epoch and to fix thresholds.
    turns : bool
        Augment by quarter turns beside the mirrors.
    largest_shift : int
        Augment by shifts of up to this many pixels.
    seed : int
        Of weights, split, order and augmentation.
    """

    architecture: Architecture = Architecture()
    epochs: int = 4
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    validation_fraction: float = 0.1
    turns: bool = True
    largest_shift: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= 10_000:
            raise InputError(f"{self.epochs} epochs were asked for; ask for 1 to 10000.")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"The seed is {self.seed}; it must lie between 0 and 2^63 - 1.")
        if not all(1 <= count <= 50 for count in self.architecture.blocks):
            n, m = self.architecture.blocks
            raise InputError(f"The network has blocks {n},{m}; give two numbers from 1 to 50, as in 2,2.")

    @classmethod
    def published(cls, n: int, m: int, **settings: Any) -> TrainConfig:
        """Return the settings of ResNet(n, m) as published: mirrors only, standardized pixels."""
        architecture = Architecture.published(n, m)
        return cls(architecture=architecture, turns=False, largest_shift=0, **settings)


@dataclass
class _State:
    """All that changes while training; what a checkpoint keeps."""

    classifier: Classifier
    optimizer: torch.optim.Optimizer
    epoch: int
    best: dict[str, Tensor]
    best_loss: float
    curve: list[dict[str, float]]


def train(
    files: Sequence[Path],
    out: Path,
    config: TrainConfig,
    *,
    shapes: Sequence[str] = (),
    hold_out: Sequence[str] = (),
    overwrite: bool = False,
    command: str = "",
    progress: Progress = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a classifier and write it; killed, the same call goes on after the last whole epoch.

    Parameters
    ----------
    files : sequence of Path
        Labelled pattern files.
    out : Path
        The model to write, NAME.safetensors; NAME.json lands beside it.
    config : TrainConfig
        How.
    shapes, hold_out : sequence of str
        Train on these shapes alone; leave these out.
    overwrite : bool
        Replace another model of that name.
    command : str
        What the user typed, kept in the model.
    progress : callable, optional
        Told what is being done and the fraction done.
    tell : callable, optional
        Given one line for each epoch.

    Returns
    -------
    out : Path
        Of the finished model.

    Raises
    ------
    InputError
        If the data are unusable, or another model stands in the way.
    ModelComplete
        If the model is there, trained by this very call.
    """
    identity = _identity(files, config, shapes, hold_out)
    checkpoint = out.with_suffix(".part")
    _require_free(out, checkpoint, identity, overwrite)
    data = load_labelled(
        files,
        config.architecture.frame,
        shapes=shapes,
        hold_out=hold_out,
        progress=lambda fraction: progress("reading patterns", fraction),
    )
    training, validation = split(data, config.validation_fraction, config.seed)
    device = device_of_choice()
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    dtype = fastest_precision(config.architecture, device)
    state = _begin(data, training, config, device)
    _resume(state, checkpoint, identity)
    held = data[validation]
    while state.epoch < config.epochs:
        start = time.perf_counter()
        loss = _one_epoch(state, data, training, config, device, dtype, progress)
        seconds = time.perf_counter() - start
        scores = score_frames(state.classifier, held.frames, device, dtype)
        now = _validation(scores, held)
        state.curve.append({"epoch": state.epoch, "seconds": seconds, "training_loss": loss, **now})
        if now["loss"] < state.best_loss:
            state.best_loss = now["loss"]
            state.best = {name: value.clone() for name, value in state.classifier.state_dict().items()}
        _keep(state, checkpoint, identity)
        tell(
            f"epoch {state.epoch}/{config.epochs}  loss {loss:.4f}  validation loss {now['loss']:.4f}  "
            f"accuracy {now['accuracy']:.2%}  AUC {now['auc']:.5f}  {seconds:.0f} s"
        )
    state.classifier.load_state_dict(state.best)
    scores = score_frames(state.classifier, held.frames, device, dtype)
    distinct = np.sort(scores[(held.clear & (held.labels == 0)).numpy()])
    if distinct.size == 0:
        distinct = np.sort(scores[(held.labels == 0).numpy()])
    facts = {
        "training": {
            "data": data.sources,
            "shapes": list(shapes),
            "hold_out": list(hold_out),
            "patterns": len(training),
            "config": asdict(config),
            "precision": str(dtype).removeprefix("torch."),
            "device": str(device),
            "command": command,
            "identity": identity,
        },
        "validation": _row(scores, held, distinct),
        "curve": state.curve,
    }
    save(Model(state.classifier.cpu().eval(), distinct, facts, out.stem), out)
    checkpoint.unlink(missing_ok=True)
    return out


class ModelComplete(Exception):
    """The model is there, trained by this very call; not an error."""


def _identity(files: Sequence[Path], config: TrainConfig, shapes: Sequence[str], hold_out: Sequence[str]) -> str:
    """What decides the weights, as JSON text: two calls that agree in it train the same model."""
    data = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    return json.dumps(
        {
            "data": data,
            "config": asdict(config),
            "shapes": sorted(shapes),
            "hold_out": sorted(hold_out),
            "version": __version__,
        },
        sort_keys=True,
    )


def _require_free(out: Path, checkpoint: Path, identity: str, overwrite: bool) -> None:
    if out.is_dir():
        raise InputError(f"{out} is a folder; choose another --name.")
    if overwrite:
        if _identity_of_checkpoint(checkpoint) != identity:
            checkpoint.unlink(missing_ok=True)
        return
    if out.exists():
        try:
            there = json.loads(out.with_suffix(".json").read_text("utf-8"))["training"]["identity"]
        except (OSError, ValueError, KeyError, TypeError):
            there = None
        if there == identity:
            raise ModelComplete
        raise InputError(
            f"{out} is another model; choose another --name, or replace it with --overwrite."
        )
    if checkpoint.exists() and _identity_of_checkpoint(checkpoint) != identity:
        raise InputError(
            f"{checkpoint} is a half-trained model of another command; give that command again, choose "
            "another --name, or start anew with --overwrite."
        )


def _begin(data: Labelled, training: Tensor, config: TrainConfig, device: torch.device) -> _State:
    torch.manual_seed(config.seed)
    classifier = Classifier(config.architecture)
    if isinstance(classifier.prepare, Standardize):
        classifier.prepare.learn(data.frames[training])
    classifier.to(device)
    matrices = [weight for weight in classifier.parameters() if weight.ndim > 1]
    others = [weight for weight in classifier.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.learning_rate,
    )
    return _State(classifier, optimizer, 0, {}, float("inf"), [])


def one_cycle(done: float) -> float:
    """Share of the highest learning rate after a fraction of training: up over a fifth of it, then down.

    Examples
    --------
    >>> [round(one_cycle(done), 2) for done in (0.0, 0.1, 0.2, 0.6, 1.0)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    rise = 0.2
    if done < rise:
        return 0.04 + 0.96 * done / rise
    return 0.5 + 0.5 * math.cos(math.pi * (done - rise) / (1.0 - rise))


def _steps(n: int, config: TrainConfig) -> int:
    return max(1, n // config.batch_size)


def _one_epoch(
    state: _State,
    data: Labelled,
    training: Tensor,
    config: TrainConfig,
    device: torch.device,
    dtype: torch.dtype,
    progress: Progress,
) -> float:
    """Go once over the training patterns; the mean loss."""
    state.epoch += 1
    # Order, augmentation and dropout depend on (seed, epoch) alone, so that a resumed run goes the same way.
    generator = torch.Generator().manual_seed((config.seed << 16) % 2**62 + state.epoch)
    torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
    order = training[torch.randperm(len(training), generator=generator)]
    n_steps = _steps(len(training), config)
    state.classifier.train()
    total = 0.0
    for step in range(n_steps):
        batch = order[step * config.batch_size : (step + 1) * config.batch_size]
        frames = augment(
            data.frames[batch], generator, turns=config.turns, largest_shift=config.largest_shift
        )
        with autocast(dtype, device):
            logits = state.classifier(frames.to(device).float())
        loss = nn.functional.cross_entropy(logits.float(), data.labels[batch].to(device))
        for group in state.optimizer.param_groups:
            done = (state.epoch - 1 + step / n_steps) / config.epochs
            group["lr"] = config.learning_rate * one_cycle(done)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        total += loss.item()
        progress(f"epoch {state.epoch}/{config.epochs}", (step + 1) / n_steps)
    return total / n_steps


def score_frames(
    classifier: Classifier, frames: Tensor, device: torch.device, dtype: torch.dtype
) -> np.ndarray:
    """Scores (n,) float32 of frames in the model's square: log odds of a single hit."""
    classifier.eval()
    scores = []
    with torch.inference_mode(), autocast(dtype, device):
        for batch in frames.split(256):
            logits = classifier(batch.to(device).float()).float()
            scores.append((logits[:, 1] - logits[:, 0]).cpu())
    return torch.cat(scores).numpy()


def _validation(scores: np.ndarray, held: Labelled) -> dict[str, float]:
    row = _row(scores, held, np.sort(scores[(held.labels == 0).numpy()]))
    loss = nn.functional.binary_cross_entropy_with_logits(torch.from_numpy(scores), held.labels.float())
    return {
        "loss": float(loss),
        "accuracy": row["accuracy"],
        "accuracy_clear": row["accuracy_clear"],
        "auc": row["auc"],
    }


def _row(scores: np.ndarray, held: Labelled, distinct: np.ndarray) -> dict[str, Any]:
    return evaluate(
        scores, held.labels.numpy(), held.clear.numpy(), threshold=Model.threshold, held_out=distinct
    )


def _keep(state: _State, checkpoint: Path, identity: str) -> None:
    """Write all that training goes on from, whole or not at all."""
    from safetensors.torch import save as to_bytes

    tensors = {f"now.{name}": value for name, value in state.classifier.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    notes = {"identity": identity, "epoch": state.epoch, "best_loss": state.best_loss, "curve": state.curve}
    contents = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    write_whole(checkpoint, to_bytes(contents, metadata={"state": json.dumps(notes)}))


def _identity_of_checkpoint(checkpoint: Path) -> str | None:
    notes = _notes(checkpoint)
    return None if notes is None else notes["identity"]


def _notes(checkpoint: Path) -> dict[str, Any] | None:
    """Read what a checkpoint says of itself; None where there is none, or a foreign file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(checkpoint, framework="pt") as file:
            return json.loads(file.metadata()["state"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def _resume(state: _State, checkpoint: Path, identity: str) -> None:
    """Bring the state to where a checkpoint of the same call left it, if there is one."""
    from safetensors.torch import load_file

    notes = _notes(checkpoint)
    if notes is None or notes["identity"] != identity:
        return
    tensors = load_file(checkpoint)
    parts: dict[str, dict[str, Tensor]] = {"now": {}, "best": {}, "optimizer": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    state.classifier.load_state_dict(parts["now"])
    state.best = parts["best"]
    optimizer = state.optimizer.state_dict()
    for name, value in parts["optimizer"].items():
        index, _, moment = name.partition(".")
        optimizer["state"].setdefault(int(index), {})[moment] = value
    state.optimizer.load_state_dict(optimizer)
    state.epoch, state.best_loss, state.curve = notes["epoch"], notes["best_loss"], notes["curve"]
