"""What VGG16 sees in frames, kept in the user's cache: it costs 5 billion multiplications a frame."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xfelspi.cache import cache_folder
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, write_whole

from .compute import cores, device, fastest
from .data import Progress
from .framing import Framing, ModelFrame
from .networks import Classifier
from .predict import ReadyClassifier
from .transfer import Transfer, TransferNetwork
from .vgg_weights import Vgg16Weights

BLOCK = 256  # frames whose features are kept together
_AT_ONCE = 16
_TRIED = 2  # frames on which the precision is chosen
_VERSION = 1  # of what the cache holds


class Extractor:
    """VGG16 ready to see frames, in the precision that is faster here.

    What it has seen is kept in the user's cache as float16, a file for each block of frames, named by a hash
    of frames, weights and settings: the features of a data set are computed once, and after a kill from the
    block on where it was.

    Parameters
    ----------
    weights : Vgg16Weights
        Those of the convolutions at least.
    layer, transform, size
        See `Transfer`.

    Attributes
    ----------
    transfer : Transfer
        What it is.
    classifier : Classifier
        The network with these weights; its last layer is still to be learned.

    Raises
    ------
    InputError
        If the weights have no such layer, or a setting is unknown.
    """

    def __init__(
        self, weights: Vgg16Weights, *, layer: str = "conv5", transform: str = "log", size: int = 128
    ) -> None:
        self.transfer = Transfer(
            layer=layer, transform=transform, convention=weights.convention, sha256=weights.sha256, size=size
        )
        self.classifier = Classifier(self.transfer)
        self.network.borrow(weights)
        tried = torch.ones(_TRIED, size, size)
        ready = cache(lambda dtype: ReadyClassifier(self.classifier, dtype, device()))
        self.dtype = fastest(("looking", self.transfer), lambda dtype: ready(dtype).look(tried))
        self._ready = ready(self.dtype)

    @property
    def network(self) -> TransferNetwork:
        """VGG16 and the layer on top."""
        assert isinstance(self.classifier.network, TransferNetwork)
        return self.classifier.network

    def maps(self, frames: Tensor | np.ndarray) -> np.ndarray:
        """Return the outputs of the last convolutional stage, from the cache if they are there.

        Parameters
        ----------
        frames : (k, size, size) float16
            Photons, `MASKED` where unknown; the block that is kept together.

        Returns
        -------
        maps : (k, 512, size / 32, size / 32) float16
        """
        block = np.ascontiguousarray(frames, np.float16)
        path = cache_folder() / "vgg16" / f"{self._key(block)}.npy"
        shape = (len(block), 512, self.transfer.size // 32, self.transfer.size // 32)
        try:
            kept = np.load(path, allow_pickle=False)
            if kept.shape == shape and kept.dtype == np.float16:
                return kept
        except (OSError, ValueError, EOFError):
            pass  # absent or damaged: compute it again
        before = torch.get_num_threads()
        try:  # parts side by side: threads inside one convolution wait for each other
            with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
                parts = list(pool.map(self._look, torch.from_numpy(block).split(_AT_ONCE)))
        finally:
            torch.set_num_threads(before)
        maps = torch.cat(parts).numpy()
        _keep(path, maps)
        return maps

    def features(self, maps: np.ndarray) -> np.ndarray:
        """Return what the layer makes of `maps`: (k, d) float32."""
        with torch.inference_mode():
            parts = torch.from_numpy(maps).split(_AT_ONCE)
            return torch.cat([self.network.features(part.float()) for part in parts]).numpy()

    def _look(self, part: Tensor) -> Tensor:
        most = float(torch.finfo(torch.float16).max)
        return self._ready.look(part.float()).float().clamp_max(most).half().cpu()

    def _key(self, block: np.ndarray) -> str:
        """Hash of all that decides the maps; the layers on top take no part."""
        settings = (_VERSION, self.transfer.transform, self.transfer.sha256, str(self.dtype), block.shape)
        return hashlib.sha256(repr(settings).encode() + block.tobytes()).hexdigest()[:32]


def vgg16_features(
    extractor: Extractor,
    patterns: PatternSet,
    progress: Progress | None = None,
    *,
    indices: Sequence[int] | np.ndarray | None = None,
    frame: ModelFrame | None = None,
) -> np.ndarray:
    """Return the features of patterns of a file, from the cache where it has them.

    Parameters
    ----------
    extractor : Extractor
        VGG16, the layer, and how counts become a picture.
    patterns : PatternSet
        The file.
    progress : callable, optional
        Told how far it is.
    indices : (n,) int, optional
        Which patterns; all without.
    frame : ModelFrame, optional
        What frames are brought to; see `frame_to_learn`.

    Returns
    -------
    features : (n, d) float32

    Raises
    ------
    InputError
        If the frames do not reach the model's, or the file is damaged.
    """
    frame = frame or ModelFrame(size=extractor.transfer.size)
    if frame.size != extractor.transfer.size:
        raise InputError(
            f"VGG16 is set up for {extractor.transfer.size} pixels along an edge and the frame has "
            f"{frame.size}; make both the same."
        )
    chosen = np.arange(patterns.n) if indices is None else np.asarray(indices, int)
    features = np.empty((len(chosen), extractor.transfer.n_features), np.float32)
    for begin, block in _blocks(patterns, chosen, frame):
        features[begin : begin + len(block)] = extractor.features(extractor.maps(block))
        if progress is not None:
            progress(f"VGG16 on {patterns.path.name}", (begin + len(block)) / len(chosen))
    return features


def _blocks(patterns: PatternSet, chosen: np.ndarray, frame: ModelFrame) -> Iterator[tuple[int, np.ndarray]]:
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, frame, patterns.centre_yx)
    for begin in range(0, len(chosen), BLOCK):
        block = chosen[begin : begin + BLOCK]
        yield begin, np.concatenate([framing.half(patterns.frames(i, i + 1).counts) for i in block.tolist()])


def _keep(path: Path, maps: np.ndarray) -> None:
    file = io.BytesIO()
    np.save(file, maps, allow_pickle=False)
    try:
        write_whole(path, file.getvalue())
    except InputError:
        return  # no room or no permission: the maps are in memory, which is what matters now
