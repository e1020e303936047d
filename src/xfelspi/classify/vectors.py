"""A vector for each pattern, whose distances say how alike two patterns are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

from .compute import cores
from .data import Progress
from .framing import Framing, ModelFrame
from .prepare import Scaled
from .rings import RowMean
from .views import Polar

FEATURES = ("invariant", "pixels")
"""What vectors can be made of."""

_AT_ONCE = 32


class PixelVector(nn.Module):
    """The pixels themselves: how a particle is turned about the beam matters as much as anything else.

    Pixels are added up `binned` x `binned`, what is masked among them as the mean of the others; where all
    are, nothing is said. Roots make Poisson noise even. The vector has mean 0 and variance 1, so dividing by
    the sum before taking roots would change nothing.

    Parameters
    ----------
    binned : int
        Pixels along an edge that become one.
    roots : bool
        Take square roots.
    """

    def __init__(self, binned: int = 2, roots: bool = True) -> None:
        super().__init__()
        self._binned, self._roots = binned, roots

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, d)."""
        photons = functional.avg_pool2d(frames.clamp_min(0), self._binned)
        measured = functional.avg_pool2d((frames >= 0).to(frames.dtype), self._binned)
        good = measured > 0
        shown = torch.where(good, photons / measured.clamp_min(1e-6), 0.0)
        if self._roots:
            shown = shown.sqrt_()
        n = good.sum((1, 2), keepdim=True).clamp_min(1)
        shown = torch.where(good, shown - shown.sum((1, 2), keepdim=True) / n, 0.0).flatten(1)
        deviation = (shown.square().sum(1, keepdim=True) / n.flatten(1)).sqrt_()
        return shown / deviation.clamp_min(1e-12)


class InvariantVector(nn.Module):
    """The pattern around each ring, whatever the angle at which the particle lies about the beam.

    Rings around the beam are folded by Friedel's law, see `Polar`. From roots of the counts, which make
    Poisson noise even, each ring's mean is taken away, and the rest is brought to length 1; masked places
    count as the mean. The moduli of its Fourier coefficients over the angle do not change when the pattern is
    turned. Two neighbouring rings are averaged.

    Parameters
    ----------
    size : int
        Pixels along an edge of a frame.
    orders : int
        Fourier orders 1 to this of half a turn, hence 2 to twice this of a whole one. Fringes between two
        particles are fine and need many.
    """

    def __init__(self, size: int, orders: int = 40) -> None:
        super().__init__()
        self._polar = Polar(size, _RingContrast(RowMean()))
        self._orders = orders

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, size, size) photons, `MASKED` where unknown -> (batch, size / 2 * orders)."""
        moduli = torch.fft.rfft(self._polar(frames)[:, 0], dim=2)[:, :, 1 : self._orders + 1].abs()
        return functional.avg_pool2d(moduli[:, None], (2, 1))[:, 0].flatten(1)


class _RingContrast(Scaled):
    """Roots of counts less their mean over the ring, of length 1."""

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, radius, angle) photons, `MASKED` where unknown -> (batch, 1, radius, angle), 0 there."""
        good = frames >= 0
        roots = (frames.clamp_min(0) + 3 / 8).sqrt_()
        contrast = torch.where(good, roots - self.mean(roots * good, good), 0.0)
        return functional.normalize(contrast, dim=2, eps=1e-6)[:, None]


def pattern_vectors(
    patterns: PatternSet, features: str = "invariant", progress: Progress | None = None
) -> np.ndarray:
    """Describe each pattern of a file by a vector.

    Parameters
    ----------
    patterns : PatternSet
        The file.
    features : {"invariant", "pixels"}
        See `InvariantVector` and `PixelVector`.
    progress : callable, optional
        Told how far it is.

    Returns
    -------
    vectors : (n, d) float32

    Raises
    ------
    InputError
        If there are no such features, the frames do not reach the model's, or the file is damaged.
    """
    frame = ModelFrame()
    if features not in FEATURES:
        raise InputError(f"There are no features {features!r}; choose one of {', '.join(FEATURES)}.")
    make = PixelVector() if features == "pixels" else InvariantVector(frame.size)
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, frame, patterns.centre_yx)
    begins = range(0, patterns.n, _AT_ONCE)

    def work(begin: int) -> np.ndarray:
        counts = patterns.frames(begin, begin + _AT_ONCE).counts
        with torch.inference_mode():
            return make(torch.from_numpy(framing(counts))).numpy()

    found = []
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for begin, block in zip(begins, pool.map(work, begins), strict=True):
                found.append(block)
                if progress is not None:
                    progress("vectors", min(1.0, (begin + _AT_ONCE) / patterns.n))
    finally:
        torch.set_num_threads(before)
    return np.concatenate(found)
