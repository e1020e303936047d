"""A trained model: NAME.safetensors and NAME.json, and nothing else. No pickle is ever read."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from xfelspi.errors import InputError
from xfelspi.patterns import write_whole

from .calibration import Calibration
from .familiarity import Familiarity
from .framing import ModelFrame
from .networks import Architecture, Classifier
from .scores import WANTED_FPR, Thresholds
from .transfer import BORROWED, Transfer, TransferNetwork
from .vgg_weights import WeightsMissing, find_vgg16

FORMAT = "xfelspi classifier 3"
_BEFORE = (
    "xfelspi classifier 1",
    "xfelspi classifier 2",
)  # no calibration; another `Reach`, other thresholds
_NEGATIVES = "validation.clear_negatives"
_SINGLES = "validation.singles"
_OTHERS = "validation.others"
_MEAN = "familiarity.mean"
_WHITENING = "familiarity.whitening"


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldLogits:
    """Logits of the patterns that thresholds and probabilities come from, ascending.

    Attributes
    ----------
    singles, others : (n,), (k,) float32
        Of single hits and of all the rest, clear or not.
    """

    singles: np.ndarray
    others: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A classifier and what has to be known to use it.

    Attributes
    ----------
    architecture : Architecture or Transfer
        What the network is. The weights of VGG16 that a `Transfer` is built on stay where they are.
    classifier : Classifier
        With its weights.
    frame : ModelFrame
        What frames are brought to.
    thresholds : Thresholds
        Logits above which a pattern is called single.
    calibration : Calibration
        From logits to probabilities.
    familiarity : Familiarity
        How far from the frames it learned from is too far.
    held : HeldLogits
        What thresholds and probabilities come from; rates to expect are counted on them.
    about : dict
        How it came to be: command, training data, settings, validation, curve, versions. JSON-able.
    """

    architecture: Architecture | Transfer
    classifier: Classifier
    frame: ModelFrame
    thresholds: Thresholds
    calibration: Calibration
    familiarity: Familiarity
    held: HeldLogits
    about: dict[str, Any]


def weights_path(path: Path) -> Path:
    """Return the file of weights of a model, named with or without an ending.

    Examples
    --------
    >>> weights_path(Path("runs/torus.json")).as_posix(), weights_path(Path("runs/a.b")).as_posix()
    ('runs/torus.safetensors', 'runs/a.b.safetensors')
    """
    stem = path.name.removesuffix(".safetensors").removesuffix(".json")
    return path.with_name(f"{stem}.safetensors")


def save_model(model: Model, path: Path) -> None:
    """Write `path`, which ends in .safetensors, and the JSON file beside it; each whole or not at all."""
    tensors = {
        f"classifier.{name}": tensor.detach().cpu().contiguous()
        for name, tensor in model.classifier.state_dict().items()
        if not name.startswith(BORROWED)
    }
    tensors |= {
        _NEGATIVES: torch.from_numpy(model.thresholds.negatives),
        _SINGLES: torch.from_numpy(model.held.singles),
        _OTHERS: torch.from_numpy(model.held.others),
        _MEAN: torch.from_numpy(model.familiarity.mean),
        _WHITENING: torch.from_numpy(model.familiarity.whitening),
    }
    weights = save(tensors, {"format": FORMAT})
    page = {
        "format": FORMAT,
        "architecture": asdict(model.architecture),
        "preprocessing": (type(model.classifier.prepare).__doc__ or "").splitlines()[0],
        "frame": asdict(model.frame),
        "threshold_logit": model.thresholds.balanced,
        "threshold_logit_at_fpr": model.thresholds.at_fpr,
        "calibration": asdict(model.calibration),
        "familiarity_limit": model.familiarity.limit,
        **model.about,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    write_whole(path, weights)
    write_whole(path.with_suffix(".json"), json.dumps(page, indent=2).encode() + b"\n")


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model by the name of either of its files, or by what they have in common.

    Raises
    ------
    InputError
        If one of them is missing, is not what it should be, or they do not belong together; or if the
        VGG16 weights that it is built on are not where `find_vgg16` looks.
    """
    weights_file = weights_path(Path(path))
    page_file = weights_file.with_suffix(".json")
    if Path(path).suffix not in ("", ".safetensors", ".json") and not weights_file.exists():
        raise InputError(f"{path} is not a model; name the NAME.safetensors that xfel train wrote.")
    weights, text = _read(weights_file), _read(page_file)
    try:
        page = json.loads(text)
        is_ours = isinstance(page, dict) and page.get("format") in (FORMAT, *_BEFORE)
    except ValueError:
        is_ours = False
    if not is_ours:
        raise InputError(f"{page_file} does not describe a model; name one that xfel train wrote.")
    if page["format"] in _BEFORE:
        raise InputError(f"{page_file} is of an older xfel, which judged otherwise; train the model again.")
    if hashlib.sha256(weights).hexdigest() != page.pop("weights_sha256", None):
        raise InputError(f"{weights_file} and {page_file} do not belong together; copy both again, or train.")
    try:
        return _assemble(weights, page)
    except WeightsMissing:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError, InputError) as error:
        raise InputError(
            f"{page_file} does not describe the weights beside it ({_first_line(error)}); copy both again, "
            "or train."
        ) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist; a model is NAME.safetensors and NAME.json, as xfel train writes them."
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); check its name and permissions."
        ) from None


def _assemble(weights: bytes, page: dict[str, Any]) -> Model:
    tensors = load(weights)
    architecture = _architecture(page.pop("architecture"))
    frame = ModelFrame(**page.pop("frame"))
    if frame.size != architecture.size or not frame.q_per_pixel_per_nm > 0:
        raise ValueError("its frame is not the network's")
    singles, others, negatives, mean, whitening = (
        tensors.pop(name).numpy().astype(np.float32)
        for name in (_SINGLES, _OTHERS, _NEGATIVES, _MEAN, _WHITENING)
    )
    at_fpr = page.pop("threshold_logit_at_fpr")
    thresholds = Thresholds(
        balanced=_finite(page.pop("threshold_logit")),
        at_fpr={name: _finite(at_fpr[name]) for name in WANTED_FPR},
        negatives=negatives,
    )
    calibration = Calibration(**page.pop("calibration"))
    familiarity = Familiarity(mean=mean, whitening=whitening, limit=page.pop("familiarity_limit"))
    classifier = Classifier(architecture)
    own = {name.removeprefix("classifier."): tensor for name, tensor in tensors.items()}
    if isinstance(architecture, Transfer) and isinstance(classifier.network, TransferNetwork):
        classifier.network.borrow(find_vgg16(architecture.sha256, page["weights"]))
        own |= {name: t for name, t in classifier.state_dict().items() if name.startswith(BORROWED)}
    classifier.load_state_dict(own)
    for name in ("format", "preprocessing"):
        del page[name]
    return Model(
        architecture=architecture,
        classifier=classifier,
        frame=frame,
        thresholds=thresholds,
        calibration=calibration,
        familiarity=familiarity,
        held=HeldLogits(singles=singles, others=others),
        about=page,
    )


def _architecture(values: dict[str, Any]) -> Architecture | Transfer:
    kind = Transfer if values["network"] == "vgg16" else Architecture
    return kind.from_dict(values)


def _first_line(error: Exception) -> str:
    return " ".join((str(error).splitlines() or [type(error).__name__])[0].split())


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"a threshold is {value}")
    return float(value)
