"""Train a network on labelled patterns, score it, sort measured shots with it.

Names are looked up when they are first used, because torch takes a second to load; so none of them is also
a module here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .augment import Augmentation
    from .calibration import Calibration
    from .cluster_table import (
        read_cluster_labels,
        require_nothing_filled_in,
        write_clusters,
        write_labels,
    )
    from .clusters import ClusterLabels, clusters_of, label_by_clusters, label_clusters, label_with_budget
    from .config import TrainConfig
    from .consensus import agreed, vetoed
    from .decision_scores import reliability_of
    from .default import default_model
    from .diffusion import DiffusionMap, diffusion_map
    from .explain import Explanation, explain_patterns, grad_cam
    from .familiarity import Familiarity
    from .feature_space import features
    from .framing import Framing, ModelFrame, frame_to_learn
    from .inputs import Inputs
    from .logistic import Logistic, fit_logistic
    from .model import Model, load_model
    from .networks import Architecture, Classifier
    from .policy import Expectation, Policy, Verdict, decide, expected_of, held_out_fpr, settled
    from .predict import Prediction, Predictor
    from .reliability import Reliability, expected_calibration_error
    from .resnet import ResNet
    from .scores import Scores, Thresholds, columns, evaluate, roc_curve
    from .selection import (
        Selection,
        labelled_groups,
        score_predictions,
        score_verdict,
        selection_files,
        write_selection,
    )
    from .training import train
    from .transfer import Transfer
    from .transfer_training import TransferConfig, train_transfer
    from .vectors import pattern_vectors
    from .vgg import Vgg16
    from .vgg_features import Extractor, vgg16_features
    from .vgg_weights import Vgg16Weights, load_vgg16

_HOMES = {
    "Architecture": "networks",
    "Augmentation": "augment",
    "Calibration": "calibration",
    "Classifier": "networks",
    "ClusterLabels": "clusters",
    "DiffusionMap": "diffusion",
    "Expectation": "policy",
    "Explanation": "explain",
    "Extractor": "vgg_features",
    "Familiarity": "familiarity",
    "Framing": "framing",
    "Inputs": "inputs",
    "Logistic": "logistic",
    "Model": "model",
    "ModelFrame": "framing",
    "Policy": "policy",
    "Prediction": "predict",
    "Predictor": "predict",
    "Reliability": "reliability",
    "ResNet": "resnet",
    "Scores": "scores",
    "Selection": "selection",
    "Thresholds": "scores",
    "TrainConfig": "config",
    "clusters_of": "clusters",
    "Transfer": "transfer",
    "TransferConfig": "transfer_training",
    "Vgg16": "vgg",
    "Vgg16Weights": "vgg_weights",
    "Verdict": "policy",
    "agreed": "consensus",
    "columns": "scores",
    "decide": "policy",
    "default_model": "default",
    "diffusion_map": "diffusion",
    "evaluate": "scores",
    "expected_calibration_error": "reliability",
    "expected_of": "policy",
    "explain_patterns": "explain",
    "features": "feature_space",
    "fit_logistic": "logistic",
    "frame_to_learn": "framing",
    "grad_cam": "explain",
    "held_out_fpr": "policy",
    "label_by_clusters": "clusters",
    "label_clusters": "clusters",
    "label_with_budget": "clusters",
    "labelled_groups": "selection",
    "load_model": "model",
    "pattern_vectors": "vectors",
    "q_per_pixel_per_nm": "framing",
    "read_cluster_labels": "cluster_table",
    "load_vgg16": "vgg_weights",
    "reliability_of": "decision_scores",
    "require_nothing_filled_in": "cluster_table",
    "roc_curve": "scores",
    "score_predictions": "selection",
    "score_verdict": "selection",
    "settled": "policy",
    "train": "training",
    "write_clusters": "cluster_table",
    "write_labels": "cluster_table",
    "train_transfer": "transfer_training",
    "vgg16_features": "vgg_features",
    "vetoed": "consensus",
    "selection_files": "selection",
    "write_selection": "selection",
}

__all__ = [
    "Architecture",
    "Augmentation",
    "Calibration",
    "Classifier",
    "ClusterLabels",
    "DiffusionMap",
    "Expectation",
    "Explanation",
    "Extractor",
    "Familiarity",
    "Framing",
    "Inputs",
    "Logistic",
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
    "Transfer",
    "TransferConfig",
    "Verdict",
    "Vgg16",
    "Vgg16Weights",
    "agreed",
    "clusters_of",
    "columns",
    "decide",
    "default_model",
    "diffusion_map",
    "evaluate",
    "expected_calibration_error",
    "expected_of",
    "explain_patterns",
    "features",
    "fit_logistic",
    "frame_to_learn",
    "grad_cam",
    "held_out_fpr",
    "label_by_clusters",
    "label_clusters",
    "label_with_budget",
    "labelled_groups",
    "load_model",
    "load_vgg16",
    "pattern_vectors",
    "q_per_pixel_per_nm",
    "read_cluster_labels",
    "reliability_of",
    "require_nothing_filled_in",
    "roc_curve",
    "score_predictions",
    "score_verdict",
    "selection_files",
    "settled",
    "train",
    "train_transfer",
    "vetoed",
    "vgg16_features",
    "write_clusters",
    "write_labels",
    "write_selection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
