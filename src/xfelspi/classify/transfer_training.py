"""Training of a transfer classifier: VGG16 sees every pattern once, and a regression learns from that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import LabelledFrames, PatternSource, claimed

from .checkpoint import write_checkpoint
from .data import Examples, Progress, split
from .logistic import fit_logistic
from .material import gather, is_trained
from .model import Model, save_model, weights_path
from .picture import TRANSFORMS
from .settling import LEARNED, Judged, settle_on
from .supply import FromExamples, FromStream, HeldOut
from .transfer import LAYERS, Transfer
from .vgg_features import BLOCK, Extractor
from .vgg_weights import Vgg16Weights, load_vgg16


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """How to train on what VGG16 sees.

    Attributes
    ----------
    layer, transform, size
        See `Transfer`.
    validation_fraction : float
        Share of the patterns held out, for the thresholds.
    seed : int
        Of split and cross-validation.

    Raises
    ------
    InputError
        If a name is unknown, or a value out of bounds.
    """

    layer: str = "conv5"
    transform: str = "log"
    size: int = Transfer.size
    validation_fraction: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for what, name, known in (("layer", self.layer, LAYERS), ("transform", self.transform, TRANSFORMS)):
            if name not in known:
                raise InputError(f"There is no {what} {name!r} of VGG16; choose one of {', '.join(known)}.")
        if not 0 < self.validation_fraction < 1:
            raise InputError(
                f"The validation fraction is {self.validation_fraction}; it must lie between 0 and 1."
            )
        if not 0 <= self.seed < 2**63:
            raise InputError(f"The seed is {self.seed}; it must lie between 0 and 2^63 - 1.")


def train_transfer(
    data: Iterable[Path] | PatternSource,
    weights: Vgg16Weights | Path | None = None,
    config: TransferConfig | None = None,
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
    """Train a logistic regression on VGG16's features and write the model, unless it is there already.

    A model like any other: `load_model` and `Predictor` take it. It holds the regression and notes which file
    of VGG16 it is for. A killed training finds in the cache what VGG16 has seen already.

    Parameters
    ----------
    data, out, name, shapes, hold_out, calibrate, overwrite, command, progress, say
        See `train`; a source draws the patterns of one epoch.
    weights : Vgg16Weights or Path, optional
        VGG16's; see `load_vgg16` for what is taken without.
    config : TransferConfig, optional
        How to train.

    Returns
    -------
    path : Path
        The model's NAME.safetensors; NAME.json is beside it.

    Raises
    ------
    InputError
        If there are no weights, the data do not serve, another model has the name, or nothing can be written.
    """
    config = config or TransferConfig()
    if not isinstance(weights, Vgg16Weights):
        weights = load_vgg16(weights, progress=progress)
    extractor = Extractor(weights, layer=config.layer, transform=config.transform, size=config.size)
    material = gather(
        data, config.size, shapes=shapes, hold_out=hold_out, calibrate=calibrate, progress=progress
    )
    identity = material.identity(asdict(config) | {"vgg16": weights.sha256})
    path = weights_path(out / (name or material.name(identity)))
    if is_trained(path, identity, overwrite):
        if say is not None:
            say(f"{path} is already trained")
        return path

    start = time.perf_counter()
    with ExitStack() as opened:
        opened.enter_context(claimed(path))
        if is_trained(path, identity, overwrite):  # by a process that had the claim until now
            return path
        supply = material.supply(config.validation_fraction, config.seed, opened, progress)
        learned, held = _seen(extractor, material.patterns, supply, config, progress)
        apart = None
        if material.apart is not None:
            apart = _see(extractor, _blocks(material.apart), len(material.apart.labels), progress)
        if say is not None:
            n_seen = len(learned.labels) + len(held.labels)
            say(f"VGG16 has seen {n_seen} patterns in {time.perf_counter() - start:.0f} s")
        logistic = fit_logistic(
            extractor.features(learned.maps),
            learned.labels,
            learned.pairs,
            seed=config.seed,
            progress=progress,
        )
        extractor.network.take(logistic)

        def judged(seen: _Seen) -> Judged:
            logits = logistic.logits(extractor.features(seen.maps))
            return Judged(
                logits=logits,
                features=seen.channels(),
                labels=seen.labels,
                clear=seen.clear,
                hidden=seen.hidden,
            )

        settled = settle_on(learned.channels(LEARNED), judged(held), None if apart is None else judged(apart))
        seconds = time.perf_counter() - start
        row = settled.scores.row("validation", None)
        if say is not None:
            say(
                f"C = {logistic.c:g}  validation accuracy {100 * row['accuracy']:.2f} %  "
                f"AUC {row['auc']:.4f}  {seconds:.0f} s"
            )
        training = {
            "settings": asdict(config),
            "regularization": logistic.c,
            "cross_validated_loss": {f"{c:g}": loss for c, loss in logistic.losses.items()},
            "n": len(learned.labels),
            "n_validation": len(held.labels),
            "seconds": round(seconds, 1),
            "precision": str(extractor.dtype).removeprefix("torch."),
            "data": material.sources,
        }
        model = Model(
            architecture=extractor.transfer,
            classifier=extractor.classifier,
            frame=material.frame,
            thresholds=settled.thresholds,
            calibration=settled.calibration,
            familiarity=settled.familiarity,
            held=settled.held,
            about={
                "identity": identity,
                "versions": _versions(),
                "weights": str(weights.path.absolute()),
                "training": training,
                "command": command,
                "validation": row,
                "calibrated_on": None if material.apart is None else material.apart.sources,
            },
        )
        part = path.with_suffix(".part")
        write_checkpoint(part, {"identity": identity}, {})  # a model is two files: killed between, it is ours
        save_model(model, path)
        part.unlink(missing_ok=True)
    return path


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """What VGG16's convolutions make of labelled patterns."""

    maps: np.ndarray  # (n, 512, y, x) float16
    labels: np.ndarray
    clear: np.ndarray
    hidden: np.ndarray
    pairs: np.ndarray

    def channels(self, most: int | None = None) -> np.ndarray:
        """Return the (n, 512) averages over the image, of `most` at most, from everywhere."""
        every = 1 if most is None else max(1, -(-len(self.maps) // most))
        return self.maps[::every].mean((2, 3), dtype=np.float32)

    def of(self, chosen: np.ndarray) -> _Seen:
        return _Seen(
            maps=self.maps[chosen],
            labels=self.labels[chosen],
            clear=self.clear[chosen],
            hidden=self.hidden[chosen],
            pairs=self.pairs[chosen],
        )


def _seen(
    extractor: Extractor,
    patterns: Examples | PatternSource,
    supply: FromExamples | FromStream,
    config: TransferConfig,
    progress: Progress | None,
) -> tuple[_Seen, _Seen]:
    """Return what is learned from, and what is held out.

    Of patterns in memory all are seen in one order, whatever the split, so that they are in the cache for
    another seed too.
    """
    if isinstance(patterns, Examples):
        seen = _see(extractor, _blocks(patterns), len(patterns.labels), progress)
        learned, held = split(patterns.pairs, config.validation_fraction, config.seed)
        groups = patterns.pairs[learned]
        return replace(seen.of(learned), pairs=groups), seen.of(held)
    assert isinstance(supply, FromStream)
    held_seen = _see(extractor, _blocks(supply.held), len(supply.held.labels), progress)
    return _see(extractor, supply.once(), supply.n, progress), held_seen


def _see(extractor: Extractor, blocks: Iterable[LabelledFrames], n: int, progress: Progress | None) -> _Seen:
    maps, labels, clear, hidden = [], [], [], []
    done = 0
    for block in blocks:
        maps.append(extractor.maps(block.frames))
        labels.append(block.labels)
        clear.append(block.clear)
        hidden.append(block.hidden)
        done += len(block.labels)
        if progress is not None:
            progress(f"VGG16 on {n} patterns", done / n)
    return _Seen(
        maps=np.concatenate(maps),
        labels=np.concatenate(labels),
        clear=np.concatenate(clear),
        hidden=np.concatenate(hidden),
        pairs=np.arange(done) // 2,
    )


def _blocks(patterns: Examples | HeldOut) -> Iterator[LabelledFrames]:
    for begin in range(0, len(patterns.labels), BLOCK):
        some = slice(begin, begin + BLOCK)
        yield LabelledFrames(
            frames=patterns.frames[some].numpy(),
            labels=patterns.labels[some].numpy(),
            clear=patterns.clear[some],
            hidden=patterns.hidden[some],
        )


def _versions() -> dict[str, str]:
    import sklearn

    return {"xfelspi": __version__, "torch": torch.__version__, "scikit-learn": sklearn.__version__}
