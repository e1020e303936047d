"""Train a network on labelled patterns, score it, sort measured shots with it.

Names are looked up when they are first used, because torch takes a second to load; so none of them is also
a module here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .augment import Augmentation
    from .config import TrainConfig
    from .feature_space import features
    from .framing import Framing, ModelFrame
    from .inputs import Inputs
    from .model import Model, load_model
    from .networks import Architecture, Classifier
    from .predict import Prediction, Predictor
    from .resnet import ResNet
    from .scores import Scores, Thresholds, evaluate, roc_curve
    from .selection import score_predictions, write_selection
    from .training import train

_HOMES = {
    "Architecture": "networks",
    "Augmentation": "augment",
    "Classifier": "networks",
    "Framing": "framing",
    "Inputs": "inputs",
    "Model": "model",
    "ModelFrame": "framing",
    "Prediction": "predict",
    "Predictor": "predict",
    "ResNet": "resnet",
    "Scores": "scores",
    "Thresholds": "scores",
    "TrainConfig": "config",
    "evaluate": "scores",
    "features": "feature_space",
    "load_model": "model",
    "roc_curve": "scores",
    "score_predictions": "selection",
    "train": "training",
    "write_selection": "selection",
}

__all__ = [
    "Architecture",
    "Augmentation",
    "Classifier",
    "Framing",
    "Inputs",
    "Model",
    "ModelFrame",
    "Prediction",
    "Predictor",
    "ResNet",
    "Scores",
    "Thresholds",
    "TrainConfig",
    "evaluate",
    "features",
    "load_model",
    "roc_curve",
    "score_predictions",
    "train",
    "write_selection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
