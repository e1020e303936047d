"""What a network looks at: its activations from stage to stage, and where it finds what decides."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from xfelspi.patterns import PatternSet

from .framing import MASKED, Framing
from .model import Model
from .networks import Architecture, Classifier
from .resnet import Trunk
from .towers import Towers
from .transfer import TransferNetwork
from .vgg import STAGE_ENDS


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What a model makes of one pattern.

    Attributes
    ----------
    index : int
        Of the pattern in its file.
    frame : (y, x) float32
        What the maps lie upon: the model's frame in photons, NaN where nothing was measured.
    probability : float
        Of being single, where half of all shots are.
    activations : dict of str to (channels, y, x) float32
        By the name of the stage: the first, the middle and the last.
    cam : (y, x) float32
        Grad-CAM at the last stage, see `grad_cam`: above 0 what speaks for a single hit, below what speaks
        against.
    """

    index: int
    frame: np.ndarray
    probability: float
    activations: dict[str, np.ndarray]
    cam: np.ndarray


class Stage(NamedTuple):
    """A part of a network whose outputs are looked at, and what people call it."""

    name: str
    layer: nn.Module


def explain_patterns(
    model: Model, patterns: PatternSet, indices: Sequence[int] | np.ndarray
) -> list[Explanation]:
    """Look into a model while it judges some patterns, one after the other.

    Of a network with a tower for each view, the first is looked into. Places on the maps are places in the
    view that the network is shown, which is the pattern unless it was told otherwise.

    Parameters
    ----------
    model : Model
        A ResNet or a transfer classifier.
    patterns : PatternSet
        The file.
    indices : (n,) int
        Which of its patterns.

    Raises
    ------
    InputError
        If the frames do not reach the model's, or the file is damaged.
    """
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, model.frame, patterns.centre_yx)
    classifier = copy.deepcopy(model.classifier).eval().cpu()
    found = stages(classifier)
    explanations = []
    for index in map(int, indices):
        frame = framing(patterns.frames(index, index + 1).counts)
        with torch.no_grad():
            seen = activations(classifier, torch.from_numpy(frame), found)
        logit, cam = grad_cam(classifier, torch.from_numpy(frame), found[-1].layer)
        if frame.max() <= 0:  # no photon, no hit, as in `Predictor`
            logit = -math.inf
        shown = _middle(model, np.where(frame[0] == MASKED, np.nan, frame[0]))
        explanations.append(
            Explanation(
                index=index,
                frame=shown,
                probability=float(model.calibration.probabilities(np.array([logit]))[0]),
                activations={name: maps.numpy() for name, maps in seen.items()},
                cam=cam.numpy(),
            )
        )
    return explanations


def stages(classifier: Classifier) -> list[Stage]:
    """Return the first, the middle and the last stage; the last is the one before the pooling."""
    network = classifier.network
    if isinstance(network, TransferNetwork):
        return [
            Stage(f"stage {number} of 5", network.vgg.features[STAGE_ENDS[number - 1]])
            for number in (1, 3, 5)
        ]
    trunk = network.towers[0] if isinstance(network, Towers) else network
    assert isinstance(trunk, Trunk)
    layers = (trunk.stem, trunk.blocks[0], trunk.blocks[1])
    return [Stage(name, layer) for name, layer in zip(("stem", "n blocks", "m blocks"), layers, strict=True)]


def activations(classifier: Classifier, frame: Tensor, found: Sequence[Stage]) -> dict[str, Tensor]:
    """Return what stages give for one frame, rectified: (channels, y, x) each.

    Parameters
    ----------
    classifier : Classifier
        In `eval` mode.
    frame : (1, size, size) float32
        Photons, `MASKED` where unknown.
    """
    outputs: dict[str, Tensor] = {}
    with ExitStack() as hooks:
        for stage in found:

            def keep(_: nn.Module, __: object, output: Tensor, name: str = stage.name) -> None:
                outputs[name] = output[0].relu()

            hooks.callback(stage.layer.register_forward_hook(keep).remove)
        classifier(frame)
    return outputs


def grad_cam(classifier: Classifier, frame: Tensor, layer: nn.Module) -> tuple[float, Tensor]:
    """Return the logit of being single, and the places that move it: Σ_k ⟨∂logit/∂A_k⟩ A_k.

    A_k are the channels of the layer's output and ⟨⟩ is the mean over their pixels. The positive part of the
    map is Grad-CAM for a single hit, its negative part turned over that for anything else, since the logit
    of the one is minus that of the other (Selvaraju et al. 2017, ICCV, p. 618, eq. 1 and 2). There is one
    frame at a time, and so a gradient for each.

    Parameters
    ----------
    classifier : Classifier
        In `eval` mode.
    frame : (1, size, size) float32
        Photons, `MASKED` where unknown.
    layer : nn.Module
        One whose output is (1, channels, y, x).

    Returns
    -------
    logit : float
    cam : (y, x) float32
    """
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]  # the gradient ends here: what lies before takes no part

    hook = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            pair = classifier(frame)[0]
            logit = pair[1] - pair[0]
            (gradient,) = torch.autograd.grad(logit, kept[-1])
    finally:
        hook.remove()
    weights = gradient[0].mean((1, 2), keepdim=True)
    return logit.item(), (weights * kept[-1][0].detach()).sum(0)


def _middle(model: Model, frame: np.ndarray) -> np.ndarray:
    """Return the part of a frame that the view of the pattern shows: all of it, but beside a wider view."""
    reach = model.architecture.inputs.reach if isinstance(model.architecture, Architecture) else 1
    cut = (len(frame) - len(frame) // reach) // 2
    return frame[cut : len(frame) - cut, cut : len(frame) - cut]
