"""How wide the kernel of a diffusion map is: where the sum of all kernels grows fastest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xfelspi.errors import InputError

_STEPS = 64


class Bandwidth(NamedTuple):
    """A width, and what it says about the points."""

    epsilon: float
    """The kernel is exp(-d² / 2 epsilon)."""
    dimension: float
    """Of the manifold on which the points lie, as seen at that width."""


def bandwidth(squared: np.ndarray, n: int) -> Bandwidth:
    """Choose the width of the kernel exp(-d² / 2ε) from the distances between n points.

    L(log ε) = log(n + Σ exp(-d² / 2ε)) is flat where only the n points themselves count and where all pairs
    do. Between the two it rises as half the dimension of the manifold times log ε; the steepest place is
    taken.

    Parameters
    ----------
    squared : (p,)
        Squared distances between neighbours, each pair in both directions.
    n : int
        Points.

    Raises
    ------
    InputError
        If all points are the same.

    References
    ----------
    Coifman, Shkolnisky, Sigworth & Singer (2008), IEEE Trans. Image Process. 17, 1891, section V.
    """
    apart = squared[squared > 0]
    if not apart.size:
        raise InputError("All patterns are the same, so they lie on no manifold; give patterns that differ.")
    low, high = np.quantile(apart, 0.01) / 60, 2 * apart.max()
    half = (apart / 2).astype(np.float32)  # the same pattern twice says nothing of a manifold

    def slope(epsilon: float) -> float:
        scaled = half / np.float32(epsilon)
        kernel = np.exp(-scaled)
        return float(kernel @ scaled / (n + kernel.sum(dtype=np.float64)))

    tried = np.geomspace(low, high, _STEPS)
    slopes = [slope(epsilon) for epsilon in tried]
    steepest = int(np.argmax(slopes))
    return Bandwidth(epsilon=float(tried[steepest]), dimension=2 * slopes[steepest])
