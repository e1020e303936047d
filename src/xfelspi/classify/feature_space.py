"""What a network has made of frames before it decides: the space in which sets of frames are compared."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch

from xfelspi.patterns import PatternSet

from .framing import Framing
from .model import Model

_AT_ONCE = 32


def features(model: Model, patterns: PatternSet, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the inputs of the network's last layer.

    Parameters
    ----------
    model : Model
        Any; 64 channels averaged over the image for the default network.
    patterns : PatternSet
        The frames.
    indices : (n,) int
        Which of them.

    Returns
    -------
    features : (n, d) float32

    Raises
    ------
    InputError
        If the frames do not reach the model's, or the file is damaged.
    """
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, model.frame, patterns.centre_yx)
    classifier = copy.deepcopy(model.classifier).eval().cpu()
    seen: list[torch.Tensor] = []
    last = classifier.network.logits
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    chosen = np.asarray(indices, dtype=int)
    with torch.inference_mode():
        for begin in range(0, len(chosen), _AT_ONCE):
            block = chosen[begin : begin + _AT_ONCE]
            counts = np.concatenate([patterns.frames(i, i + 1).counts for i in block.tolist()])
            classifier(torch.from_numpy(framing(counts)))
    return torch.cat(seen).numpy() if seen else np.empty((0, last.in_features), np.float32)
