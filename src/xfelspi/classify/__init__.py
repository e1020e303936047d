"""Train a network on labelled patterns, score it, sort measured shots with it.

Names are looked up when they are first used, because torch takes a second to load; so none of them is also
a module here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .augment import Augmentation
    from .calibration import Calibration
    from .config import TrainConfig
    from .consensus import agreed, vetoed
    from .decision_scores import reliability_of
    from .default import default_model
    from .familiarity import Familiarity
    from .feature_space import features
    from .framing import Framing, ModelFrame, frame_to_learn
    from .inputs import Inputs
    from .model import Model, load_model
    from .networks import Architecture, Classifier
    from .policy import Expectation, Policy, Verdict, decide, expected_of, held_out_fpr, settled
    from .predict import Prediction, Predictor
    from .reliability import Reliability, expected_calibration_error
    from .resnet import ResNet
    from .scores import Scores, Thresholds, columns, evaluate, roc_curve
    from .selection import Selection, labelled_groups, score_predictions, score_verdict, write_selection
    from .training import train

_HOMES = {
    "Architecture": "networks",
    "Augmentation": "augment",
    "Calibration": "calibration",
    "Classifier": "networks",
    "Expectation": "policy",
    "Familiarity": "familiarity",
    "Framing": "framing",
    "Inputs": "inputs",
    "Model": "model",
    "ModelFrame": "framing",
    "frame_to_learn": "framing",
    "Policy": "policy",
    "Prediction": "predict",
    "Predictor": "predict",
    "Reliability": "reliability",
    "ResNet": "resnet",
    "Scores": "scores",
    "Selection": "selection",
    "Thresholds": "scores",
    "TrainConfig": "config",
    "Verdict": "policy",
    "agreed": "consensus",
    "columns": "scores",
    "decide": "policy",
    "default_model": "default",
    "evaluate": "scores",
    "expected_calibration_error": "reliability",
    "expected_of": "policy",
    "features": "feature_space",
    "held_out_fpr": "policy",
    "labelled_groups": "selection",
    "load_model": "model",
    "reliability_of": "decision_scores",
    "roc_curve": "scores",
    "score_predictions": "selection",
    "score_verdict": "selection",
    "settled": "policy",
    "train": "training",
    "vetoed": "consensus",
    "write_selection": "selection",
}

__all__ = [
    "Architecture",
    "Augmentation",
    "Calibration",
    "Classifier",
    "Expectation",
    "Familiarity",
    "Framing",
    "Inputs",
    "Model",
    "ModelFrame",
    "Policy",
    "Prediction",
    "Predictor",
    "Reliability",
    "ResNet",
    "Scores",
    "Selection",
    "Thresholds",
    "TrainConfig",
    "Verdict",
    "agreed",
    "columns",
    "decide",
    "default_model",
    "evaluate",
    "expected_calibration_error",
    "expected_of",
    "features",
    "frame_to_learn",
    "held_out_fpr",
    "labelled_groups",
    "load_model",
    "reliability_of",
    "roc_curve",
    "score_predictions",
    "score_verdict",
    "settled",
    "train",
    "vetoed",
    "write_selection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
