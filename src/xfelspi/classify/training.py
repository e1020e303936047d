"""Training: patterns in, a model out; killed at any moment, the same command goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import Geometry, Look, PatternSet, PatternSource, View, claimed, find_pattern_files

from .checkpoint import read_checkpoint
from .compute import cores
from .config import TrainConfig
from .data import Examples, Progress, load_examples
from .framing import Framing, ModelFrame, frame_to_learn
from .learning import Learning
from .model import Model, load_model, save_model, weights_path
from .settling import settle
from .supply import FromExamples, FromStream, Supply


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
    material: Examples | PatternSource
    if isinstance(data, PatternSource):
        if shapes or hold_out:
            raise InputError("Shapes are chosen among files; what draws patterns has shapes of its own.")
        material = data
        frame = frame_to_learn(architecture.size, data.geometries)
        sources, n = [data.describe()], data.n
        decides: list[Any] = sources
    else:
        files = find_pattern_files(data)
        frame = frame_to_learn(architecture.size, map(_geometry, files))
        material = load_examples(
            files, frame, shapes=shapes or (), hold_out=hold_out or (), progress=progress
        )
        sources, n = material.sources, len(material.labels)
        decides = [[source["n"], source["content_crc32"]] for source in sources]  # not where the files lie
    settled_on = None
    if calibrate is not None:
        settled_on = load_examples(find_pattern_files(calibrate), frame, progress=progress)
        decides = [decides, [[source["n"], source["content_crc32"]] for source in settled_on.sources]]
    identity = _identity(config, frame, decides)
    path = weights_path(out / (name or _name(sources, n, identity)))
    if _is_trained(path, identity, overwrite):
        if say is not None:
            say(f"{path} is already trained")
        return path

    torch.set_num_threads(cores())
    part = path.with_suffix(".part")
    with ExitStack() as opened:
        opened.enter_context(claimed(path))
        if _is_trained(path, identity, overwrite):  # by a process that had the claim until now
            return path
        supply = _supply(material, config, frame, opened, progress)
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
        settled = settle(run.ready(), supply, settled_on)
        about = run.about() | {
            "command": command,
            "validation": settled.scores.row("validation", None),
            "calibrated_on": None if settled_on is None else settled_on.sources,
        }
        about["training"]["data"] = sources
        model = Model(
            architecture=architecture,
            classifier=run.classifier,
            frame=frame,
            thresholds=settled.thresholds,
            calibration=settled.calibration,
            familiarity=settled.familiarity,
            held=settled.held,
            about=about,
        )
        save_model(model, path)
        part.unlink(missing_ok=True)
    return path


def _supply(
    material: Examples | PatternSource,
    config: TrainConfig,
    frame: ModelFrame,
    opened: ExitStack,
    progress: Progress | None,
) -> Supply:
    """Return where the batches come from; what it opens is `opened`'s to close."""
    if isinstance(material, Examples):
        return FromExamples(material, config.validation_fraction, config.seed)

    def look_at(view: View) -> Look:
        return Framing(view.shape, view.mask, view.geometry, frame).half

    stream = opened.enter_context(material.stream(look_at))
    return FromStream(stream, material.n, config.validation_fraction, progress)


def _geometry(path: Path) -> Geometry | None:
    with PatternSet.open(path) as patterns:
        return patterns.geometry


def _identity(config: TrainConfig, frame: ModelFrame, data: list[Any]) -> str:
    """Hash of all that decides the outcome."""
    decides = {
        "config": asdict(config) | {"augmentation": asdict(config.resolved_augmentation())},
        "frame": asdict(frame),
        "data": data,
        "version": __version__,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def _name(sources: list[dict[str, Any]], n: int, identity: str) -> str:
    shapes = {shape for source in sources for shape in source["shapes"] or ()}
    said = "-".join(sorted(shapes)) or Path(sources[0]["file"]).stem
    return f"{said}-{n}-{identity[:6]}"


def _is_trained(path: Path, identity: str, overwrite: bool) -> bool:
    """Tell whether the model is there already; raise if another stands in its place."""
    if not path.exists() and not path.with_suffix(".json").exists():
        return False
    try:
        if load_model(path).about.get("identity") == identity:
            return True
    except InputError:  # half of a model, or none
        if _is_begun(path.with_suffix(".part"), identity):  # killed between the two files of this very one
            return False
    if overwrite:
        return False
    raise InputError(
        f"{path} exists and came from other patterns or settings; choose another name or add --overwrite."
    )


def _is_begun(part: Path, identity: str) -> bool:
    """Tell whether this very training stands there unfinished."""
    try:
        return read_checkpoint(part)[0].get("identity") == identity
    except InputError:
        return False
