"""Train a network on labelled patterns, score it, sort measured shots with it."""

from .apply import Scored, Scorer, score_file, write_selection
from .evaluate import evaluate, roc
from .framing import Framing, ModelFrame
from .model import Architecture, Classifier, Model, load, save
from .train import ModelComplete, TrainConfig, train

__all__ = [
    "Architecture",
    "Classifier",
    "Framing",
    "Model",
    "ModelComplete",
    "ModelFrame",
    "Scored",
    "Scorer",
    "TrainConfig",
    "evaluate",
    "load",
    "roc",
    "save",
    "score_file",
    "train",
    "write_selection",
]
