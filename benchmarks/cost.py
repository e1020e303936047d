"""What a network costs: multiply-adds, and time beside another network's."""

import time
from statistics import median

import torch
from torch import nn

from xfelspi.classify import Architecture, Classifier, Transfer
from xfelspi.classify.compute import fastest
from xfelspi.classify.predict import ReadyClassifier

FRAMES, ROUNDS = 32, 15


def multiply_adds(architecture: Architecture | Transfer) -> int:
    """Of convolutions and last layer, for one frame; what prepares it is not counted."""
    total = 0

    def count(part: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(part, nn.Conv2d | nn.Linear):
            total += output[0].numel() * part.weight[0].numel()

    classifier = Classifier(architecture).eval()
    for part in classifier.modules():
        part.register_forward_hook(count)
    with torch.inference_mode():
        classifier(torch.zeros(1, architecture.size, architecture.size))
    return total


def time_over(architecture: Architecture | Transfer, other: Architecture | Transfer) -> float:
    """Time for a frame over that of another network: preparation and network, on one core, in turns."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        works = [_Work(each) for each in (architecture, other)]
        pairs = [[_seconds(work) for work in works] for _ in range(ROUNDS)]
        return median(ours / theirs for ours, theirs in pairs)
    finally:
        torch.set_num_threads(before)


class _Work:
    """A network in its faster precision, and frames for it."""

    def __init__(self, architecture: Architecture | Transfer) -> None:
        classifier = Classifier(architecture).eval()
        self._frames = torch.poisson(torch.ones(FRAMES, architecture.size, architecture.size))
        ready = {
            dtype: ReadyClassifier(classifier, dtype, torch.device("cpu"))
            for dtype in (torch.float32, torch.bfloat16)
        }
        self._ready = ready[fastest(("cost", architecture), lambda dtype: ready[dtype](self._frames))]

    def __call__(self) -> None:
        self._ready(self._frames)


def _seconds(work: _Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
