"""A model on a file of any length: blocks of frames on every core, reading and network side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, pick

from .compute import cores, device, fastest, ordered
from .data import Progress
from .ensemble import Ensemble
from .framing import Framing
from .model import Model
from .networks import Architecture, Classifier, together
from .transfer import TransferNetwork
from .turned import Turned

_AT_ONCE = 32  # frames in a block: larger ones leave the cache, smaller ones cost calls
_TRIED = 32  # frames on which the precision is chosen
_TRIED_VGG16 = 2  # of a hundred times the work


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What a model says about the patterns of a file.

    Attributes
    ----------
    logits : (n,) float32
        Logit of being single; the model's `calibration` makes probabilities of them. -inf for patterns that
        it was not asked about, and for those without a photon in the model's frame: nothing was hit.
    ood : (n,) float32
        How far the frame is from those that the model learned from, see `Familiarity.ood`: above 1, it is
        out of distribution. NaN for patterns that the model was not asked about.
    n_nan, n_negative : int
        Pixels that were NaN or infinite, or negative, and counted as 0.
    n_dark : int
        Patterns without a photon in the model's frame.
    """

    logits: np.ndarray
    ood: np.ndarray
    n_nan: int
    n_negative: int
    n_dark: int


class Predictor:
    """A model made ready to work: normalization folded in, in the precision that is faster here.

    Every block is read, framed and classified by one thread, and no convolution is spread over cores:
    images side by side keep them all busy, small convolutions do not.

    Parameters
    ----------
    model : Model
        What to ask.
    *others : Model
        To be asked as well: the logit is the mean of all.
    turns : bool
        Ask about every frame in the eight ways to lay it, and take the mean.

    Raises
    ------
    InputError
        If the models do not see the same frame.
    """

    def __init__(self, model: Model, *others: Model, turns: bool = False) -> None:
        self._frame, self._familiarity = model.frame, model.familiarity
        if any(other.frame != model.frame for other in others):
            raise InputError("The models see different frames; ask only models together that see the same.")
        members = [ready(each.classifier, each.frame.size).see for each in (model, *others)]
        self._see: Callable[[Tensor], tuple[Tensor, Tensor]] = Ensemble(members) if others else members[0]
        if turns:
            self._see = Turned(self._see)

    def __call__(
        self, patterns: PatternSet, progress: Progress | None = None, indices: np.ndarray | None = None
    ) -> Prediction:
        """Classify all patterns of a file, or some.

        Of the frames, those in work and a few ahead are in memory.

        Parameters
        ----------
        patterns : PatternSet
            The file.
        progress : callable, optional
            Told after every block.
        indices : (k,) int, optional
            Which patterns, ascending.

        Raises
        ------
        InputError
            If the frames do not reach the model's, or the file is damaged.
        """
        framing = Framing(patterns.shape, patterns.mask, patterns.geometry, self._frame, patterns.centre_yx)
        indices = np.arange(patterns.n) if indices is None else np.asarray(indices)
        blocks = [indices[begin : begin + _AT_ONCE] for begin in range(0, indices.size, _AT_ONCE)]
        logits, ood = np.full(patterns.n, -np.inf, np.float32), np.full(patterns.n, np.nan, np.float32)
        n_nan = n_negative = n_dark = 0

        def work(block: np.ndarray) -> tuple[int, int, int]:
            frames = pick(patterns, block)
            framed = framing(frames.counts)
            logit, features = self._see(torch.from_numpy(framed))
            is_dark = framed.max(axis=(1, 2)) <= 0.0
            logits[block] = np.where(is_dark, -np.inf, logit.numpy())
            ood[block] = self._familiarity.ood(features.numpy())
            return frames.n_nan, frames.n_negative, int(is_dark.sum())

        before = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
                for done, (nan, negative, dark) in enumerate(ordered(pool, work, blocks), 1):
                    n_nan += nan
                    n_negative += negative
                    n_dark += dark
                    if progress is not None:
                        progress(patterns.path.name, done / len(blocks))
        finally:
            torch.set_num_threads(before)
        return Prediction(logits=logits, ood=ood, n_nan=n_nan, n_negative=n_negative, n_dark=n_dark)


def ready(classifier: Classifier, size: int) -> ReadyClassifier:
    """Return a classifier made ready in the precision that is faster here, as a trial tells."""
    n = _TRIED_VGG16 if isinstance(classifier.network, TransferNetwork) else _TRIED
    tried = torch.poisson(torch.ones(n, size, size))
    made = cache(lambda dtype: ReadyClassifier(classifier, dtype, device()))
    return made(fastest(("sorting", classifier.architecture), lambda dtype: made(dtype)(tried)))


def chosen_precision() -> torch.dtype:
    """Return the precision that a network as published works in here."""
    architecture = Architecture()
    return ready(Classifier(architecture), architecture.size).dtype


class ReadyClassifier:
    """Frames -> logit of being single, in one precision, by a copy with the normalization folded in."""

    def __init__(self, classifier: Classifier, dtype: torch.dtype, device: torch.device) -> None:
        self._prepare = copy.deepcopy(classifier.prepare).eval().to(device)
        self._reach = copy.deepcopy(classifier.reach)
        if self._reach is not None:
            self._reach.eval().to(device)
        network = fold_normalization(copy.deepcopy(classifier.network).eval()).to(device, dtype)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.dtype, self._device = dtype, device

    def __call__(self, frames: Tensor) -> Tensor:
        """(k, size, size) float32 photons, `MASKED` where unknown -> (k,) float32 on the processor."""
        return self.see(frames)[0]

    def look(self, frames: Tensor) -> Tensor:
        """Return what the frames are to the network: (k, c, y, x), where and as it is computed."""
        with torch.inference_mode():
            return self._network.see(self._prepare(frames.to(self._device)).to(self.dtype))

    def see(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and the (k, c) float32 features: each channel averaged over the image."""
        with torch.inference_mode():
            seen = self.look(frames)
            pair = self._network.decide(seen).float()
            if self._reach is not None:
                pair = together(pair, self._reach(frames.to(self._device)))
            return (pair[:, 1] - pair[:, 0]).cpu(), seen.mean((2, 3)).float().cpu()


def fold_normalization(network: nn.Module) -> nn.Module:
    """Merge every batch normalization into the convolution before it; the network must be in `eval` mode."""
    for name, part in network.named_children():
        first, second = [*part.children(), None, None][:2]
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            setattr(network, name, nn.utils.fuse_conv_bn_eval(first, second))
        else:
            fold_normalization(part)
    return network
