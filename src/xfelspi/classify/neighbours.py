"""Nearest neighbours by brute force, exact: single precision finds the candidates, double decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from xfelspi.errors import InputError

from ._distances import squared_distances
from .compute import cores
from .data import Progress

_IN_BLOCK = 2**23  # bounds of a block in memory, for each core: 32 MB of them
_SPARE = 32  # candidates beyond the k nearest
_UNIT = 2.0**-24  # unit roundoff of float32

_Found = TypeVar("_Found")


class Neighbours(NamedTuple):
    """The k nearest points of each query, the nearest first; of two as near, the one with the lower index."""

    indices: np.ndarray
    """(m, k) int64"""
    squared: np.ndarray
    """(m, k) float64: squared distances"""


class Pairs(NamedTuple):
    """Queries and points that belong together."""

    queries: np.ndarray
    """(p,) int64"""
    points: np.ndarray
    """(p,) int64"""
    squared: np.ndarray
    """(p,) float64: squared distances"""


def nearest(
    points: np.ndarray, k: int, queries: np.ndarray | None = None, progress: Progress | None = None
) -> Neighbours:
    """Find the k nearest points of each query by Euclidean distance.

    Blocks of queries meet all points in one matrix product in single precision. Each product comes with a
    bound of its rounding errors, so the distances are known from below. The candidates that are nearest so
    are measured again in double precision, and where a point beyond them might still be nearer, all points
    are. Memory grows as the number of points, not as its square.

    Parameters
    ----------
    points : (n, d) float32
        Among which to look.
    k : int
        How many of them.
    queries : (m, d) float32, optional
        Whose neighbours; without it those of the points themselves, none of which is its own neighbour.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        If there are fewer than k points, or a number is not finite.
    """
    asked = points if queries is None else queries
    there = len(points) - (queries is None)
    if not 1 <= k <= there:
        raise InputError(f"{k} neighbours are asked for and there are {there} others; ask for 1 to {there}.")
    bounds = _Bounds(points, asked)
    n_candidates = min(there, k + _SPARE)

    def work(begin: int, stop: int) -> Neighbours:
        lower = bounds.lower(begin, stop)
        own = torch.arange(begin, stop)
        if queries is None:
            lower[own - begin, own] = torch.inf
        found = lower.topk(n_candidates, dim=1, largest=False, sorted=False)
        candidates = np.sort(found.indices.numpy(), axis=1)
        rows = np.repeat(np.arange(begin, stop), n_candidates)
        squared = _measure(asked, points, rows, candidates.ravel()).reshape(candidates.shape)
        chosen = _first(candidates, squared, k)
        if n_candidates < there:
            sure = chosen.squared[:, -1] < found.values.amax(1).numpy()
            for row in np.flatnonzero(~sure):
                others = np.arange(len(points))
                if queries is None:
                    others = np.delete(others, begin + row)
                far = _measure(asked, points, np.full(others.size, begin + row), others)
                for ours, one in zip(chosen, _first(others[None], far[None], k), strict=True):
                    ours[row] = one[0]
        return chosen

    blocks = list(_in_blocks(work, len(asked), len(points), "nearest neighbours", progress))
    return Neighbours(*(np.concatenate(part) for part in zip(*blocks, strict=True)))


def within(
    points: np.ndarray, reach: np.ndarray, queries: np.ndarray, progress: Progress | None = None
) -> Pairs:
    """Find the points that have a query within their reach.

    Parameters
    ----------
    points : (n, d) float32
        Among which to look.
    reach : (n,) float64
        Of each: a squared distance; the edge belongs to it.
    queries : (m, d) float32
        What is to be reached.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        If a number is not finite.
    """
    bounds = _Bounds(points, queries)
    at_least = torch.from_numpy(reach)

    def work(begin: int, stop: int) -> Pairs:
        rows, columns = np.nonzero((bounds.lower(begin, stop) <= at_least).numpy())
        squared = _measure(queries, points, rows + begin, columns)
        kept = squared <= reach[columns]
        return Pairs(rows[kept] + begin, columns[kept], squared[kept])

    blocks = list(_in_blocks(work, len(queries), len(points), "points within reach", progress))
    return Pairs(*(np.concatenate(part) for part in zip(*blocks, strict=True)))


class _Bounds:
    """Squared distances from below, by a matrix product in single precision.

    A product of d terms is wrong by d u |a| |b| at the most, u the unit roundoff (Higham, Accuracy and
    Stability of Numerical Algorithms, 2nd ed., section 3.1, whatever the order of the sum); 16 u more make up
    for centring, norms and the sum of the three.
    """

    def __init__(self, points: np.ndarray, queries: np.ndarray) -> None:
        middle = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._points = _centred(points, middle)
        self._queries = self._points if queries is points else _centred(queries, middle)
        self._of_points = self._shrunk_norms(self._points)
        self._of_queries = self._shrunk_norms(self._queries)

    def lower(self, begin: int, stop: int) -> torch.Tensor:
        """Return bounds of queries `begin` up to `stop` to all points: (stop - begin, n) float32."""
        block = self._queries[begin:stop]
        found = torch.addmm(self._of_points[None], block, self._points.T, alpha=-2)
        return found.add_(self._of_queries[begin:stop, None])

    def _shrunk_norms(self, centred: torch.Tensor) -> torch.Tensor:
        share = (centred.shape[1] + 16) * _UNIT
        norms = torch.stack([row.double().square_().sum() for row in centred])
        return (norms * (1 - 1.01 * share)).float()


def _centred(points: np.ndarray, middle: np.ndarray) -> torch.Tensor:
    centred = points - middle
    if not np.isfinite(centred).all():
        raise InputError("Some vectors hold NaN or infinity; distances need finite numbers.")
    return torch.from_numpy(centred)


def _in_blocks(
    work: Callable[[int, int], _Found], m: int, n: int, what: str, progress: Progress | None
) -> Iterable[_Found]:
    """Yield what comes of blocks of queries, in order; every core has a block of its own."""
    size = max(1, min(1024, _IN_BLOCK // n))
    begins = range(0, m, size)
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for begin, found in zip(
                begins, pool.map(lambda begin: work(begin, min(m, begin + size)), begins), strict=True
            ):
                if progress is not None:
                    progress(what, min(1.0, (begin + size) / m))
                yield found
    finally:
        torch.set_num_threads(before)


def _measure(queries: np.ndarray, points: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    out = np.empty(i.size)
    squared_distances(queries, points, i, j, out)
    return out


def _first(indices: np.ndarray, squared: np.ndarray, k: int) -> Neighbours:
    """Return the k nearest of each row; indices rise along it, so that ties keep their order."""
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return Neighbours(np.take_along_axis(indices, order, 1), np.take_along_axis(squared, order, 1))
