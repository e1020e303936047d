"""Training: patterns in, a model out; killed at any moment, the same command goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import torch

from xfelspi.patterns import PatternSource, claimed

from .compute import cores
from .config import TrainConfig
from .data import Progress
from .learning import Learning
from .material import gather, is_trained
from .model import Model, save_model, weights_path
from .settling import settle


def train(
    data: Iterable[Path] | PatternSource,
    config: TrainConfig | None = None,
    *,
    out: Path = Path("runs"),
    name: str | None = None,
    shapes: Sequence[str] | None = None,
    hold_out: Sequence[str] | None = None,
    calibrate: Iterable[Path] | None = None,
    overwrite: bool = False,
    command: str | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Train a classifier and write it to `out`, unless this very training is there already.

    Parameters
    ----------
    data : iterable of Path, or PatternSource
        Pattern files and folders of them; measured ones with a dataset `labels` may be among them. Or what
        draws fresh patterns while the network learns.
    config : TrainConfig, optional
        How to train.
    out : Path
        Folder for the model. NAME.part in it holds the state after every epoch until the model is done.
    name : str, optional
        Of the model; without it one is made of shapes, number of patterns and a hash of all that decides
        the outcome, so that another run never meets it.
    shapes, hold_out : sequence of str, optional
        Simulated shapes to take from the files, and to leave out.
    calibrate : iterable of Path, optional
        Pattern files of shapes that are not learned from: thresholds and probabilities come from them, and so
        hold for such shapes. Without, they come from the patterns held out from `data`.
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
    architecture = config.architecture()
    material = gather(
        data, architecture.size, shapes=shapes, hold_out=hold_out, calibrate=calibrate, progress=progress
    )
    settings = asdict(config) | {"augmentation": asdict(config.resolved_augmentation())}
    identity = material.identity(settings)
    path = weights_path(out / (name or material.name(identity)))
    if is_trained(path, identity, overwrite):
        if say is not None:
            say(f"{path} is already trained")
        return path

    torch.set_num_threads(cores())
    part = path.with_suffix(".part")
    with ExitStack() as opened:
        opened.enter_context(claimed(path))
        if is_trained(path, identity, overwrite):  # by a process that had the claim until now
            return path
        supply = material.supply(config.validation_fraction, config.seed, opened, progress)
        run = Learning(config, architecture, supply, identity)
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
        settled = settle(run.ready(), supply, material.apart)
        about = run.about() | {
            "command": command,
            "validation": settled.scores.row("validation", None),
            "calibrated_on": None if material.apart is None else material.apart.sources,
        }
        about["training"]["data"] = material.sources
        model = Model(
            architecture=architecture,
            classifier=run.classifier,
            frame=material.frame,
            thresholds=settled.thresholds,
            calibration=settled.calibration,
            familiarity=settled.familiarity,
            held=settled.held,
            about=about,
        )
        save_model(model, path)
        part.unlink(missing_ok=True)
    return path
