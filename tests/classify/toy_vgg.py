"""VGG16 with weights drawn at random, and files of them as different hands would write them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from xfelspi.classify import Vgg16

INPUT = {"bgr": "BGR, 0..255, minus the mean", "rgb": "RGB, normalised"}


def random_weights(seed: int = 0) -> dict[str, Tensor]:
    """Of the convolutions, float32; drawn so that the signal neither dies nor grows (He et al. 2015)."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, like in Vgg16(whole=False).state_dict().items():
        scale = (2 / like[0].numel()) ** 0.5 if like.ndim > 1 else 0.1
        weights[name] = scale * torch.randn(like.shape, generator=generator)
    return weights


def write_weights(path: Path, weights: dict[str, Tensor], convention: str = "bgr") -> Path:
    """A .safetensors that says what images it takes."""
    save_file(weights, path, {"input": INPUT[convention]})
    return path
