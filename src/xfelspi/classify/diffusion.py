"""Diffusion map: coordinates of patterns on the manifold that they make up, and those of new patterns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from xfelspi.errors import InputError

from .bandwidth import bandwidth
from .data import Progress
from .neighbours import Neighbours, Pairs, nearest, within

NEIGHBOURS = 100
"""Of each pattern, unless told otherwise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffusionMap:
    """Coordinates of patterns.

    Attributes
    ----------
    coordinates : (n, c) float64
        ψ1, ψ2 …, the slowest first; their mean square over the map is 1.
    eigenvalues : (c,) float64
        Of each, between 1 and -1; the trivial one, 1, is left out.
    epsilon : float
        Width of the kernel exp(-d² / 2ε); a number where d² is measured by the k-th neighbours.
    dimension : float
        Of the manifold as the kernel sees it, noise included.
    in_map : (n,) bool
        Patterns that the map was made of: the largest connected piece of the graph of neighbours. The others
        have the coordinates that `extend` gives them.
    """

    coordinates: np.ndarray
    eigenvalues: np.ndarray
    epsilon: float
    dimension: float
    in_map: np.ndarray
    _basis: _Basis = field(repr=False)

    def extend(self, vectors: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Return the coordinates of new patterns (Nyström): (m, c) float64.

        A pattern's coordinates are the mean of those of its neighbours, weighted as the map weighs them, over
        the eigenvalue. Neighbours are the k nearest and those whose k nearest it would be among, so a pattern
        of the map gets its own coordinates back.

        Parameters
        ----------
        vectors : (m, d) float32
            Made as those of the map were.
        progress : callable, optional
            Told how far it is.
        """
        return self._basis.extend(np.ascontiguousarray(vectors, np.float32), progress)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Basis:
    """The patterns of the map: what others are placed by."""

    vectors: np.ndarray
    coordinates: np.ndarray
    eigenvalues: np.ndarray
    density: np.ndarray
    epsilon: float
    reach: np.ndarray  # squared distance of the farthest of the k nearest
    least: float  # of these, other than 0; 0 where distances are taken as they are
    k: int

    def extend(self, vectors: np.ndarray, progress: Progress | None) -> np.ndarray:
        m, n = len(vectors), len(self.vectors)
        k = min(self.k + 1, n)  # one more: a pattern of the map is its own neighbour
        near = nearest(self.vectors, k, vectors, progress)
        back = within(self.vectors, self.reach, vectors, progress)
        pairs = _once(
            np.concatenate([np.repeat(np.arange(m), k), back.queries]),
            np.concatenate([near.indices.ravel(), back.points]),
            np.concatenate([near.squared.ravel(), back.squared]),
            n,
        )
        theirs, ours = _units(near.squared[:, -1], self.least), _units(self.reach, self.least)
        scaled = pairs.squared / (theirs[pairs.queries] * ours[pairs.points])
        # Far from all, every kernel is 0: what counts is how much farther others are than the nearest.
        first = np.searchsorted(pairs.queries, np.arange(m))
        scaled -= np.minimum.reduceat(scaled, first)[pairs.queries]
        weights = np.exp(-scaled / (2 * self.epsilon)) / self.density[pairs.points]
        walk = sparse.csr_array((weights, (pairs.queries, pairs.points)), shape=(m, n))
        return (walk @ self.coordinates) / walk.sum(axis=1)[:, None] / self.eigenvalues


def diffusion_map(
    vectors: np.ndarray,
    *,
    k: int = NEIGHBOURS,
    n_coordinates: int = 10,
    local: bool = True,
    progress: Progress | None = None,
) -> DiffusionMap:
    """Make the diffusion map of some patterns.

    Neighbours are the k nearest, or one of the other's k nearest. The kernel exp(-d² / 2ε) between them is
    divided by the density at both ends (α = 1), so that the map shows the manifold and not how often each
    part of it was seen; then it is made a walk's, symmetrically. Its eigenvectors over the trivial one are
    the coordinates, of which the largest component is positive.

    d² is measured in units of r_i r_j, r_i being how far the k-th neighbour of i is. Poisson noise takes dim
    patterns farther from all others than bright ones: one width for all that suits the bright ones leaves
    each dim one alone, and the map shows little else.

    Parameters
    ----------
    vectors : (n, d) float32
        One for each pattern, see `pattern_vectors`.
    k : int
        Neighbours; all others where there are fewer.
    n_coordinates : int
        How many.
    local : bool
        False takes distances as they are, as published.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        If there are too few patterns, they are all the same, the graph falls into pieces of which none holds
        half of them, or it all but does.

    References
    ----------
    Coifman & Lafon (2006), Appl. Comput. Harmon. Anal. 21, 5; for single particles Yoon et al. (2011), Opt.
    Express 19, 16542; for the unit of distance Zelnik-Manor & Perona (2004), NIPS 17, 1601.
    """
    n = len(vectors)
    if n < n_coordinates + 3:
        raise InputError(
            f"A map of {n_coordinates} coordinates needs {n_coordinates + 3} patterns or more; here are {n}."
        )
    vectors = np.ascontiguousarray(vectors, np.float32)
    k = min(k, n - 1)
    near = nearest(vectors, k, progress=progress)
    edges = _edges(near)
    reach = near.squared[:, -1]
    least = float(reach.min(where=reach > 0, initial=reach.max())) if local else 0.0
    unit = _units(reach, least)
    scaled = edges.squared / (unit[edges.queries] * unit[edges.points])
    epsilon, dimension = bandwidth(scaled, n)
    weights = np.exp(-scaled / (2 * epsilon))
    kernel = sparse.csr_array((weights, (edges.queries, edges.points)), shape=(n, n)) + sparse.eye_array(n)
    kernel.eliminate_zeros()  # what is too far for a kernel is no neighbour
    _, piece = connected_components(kernel, directed=False)
    in_map = piece == np.argmax(np.bincount(piece))
    if 2 * np.count_nonzero(in_map) < n:
        raise InputError(
            f"With {k} neighbours the patterns fall into {piece.max() + 1} pieces, the largest with "
            f"{np.count_nonzero(in_map)} of {n}; ask for more neighbours."
        )
    inside = np.flatnonzero(in_map)
    if inside.size < n_coordinates + 3:
        raise InputError(
            f"With {k} neighbours {inside.size} of {n} patterns hang together, and a map of {n_coordinates} "
            f"coordinates needs {n_coordinates + 3} or more; ask for more neighbours."
        )
    if progress is not None:
        progress("eigenvectors", 0.0)
    own, eigenvalues, density = _eigenvectors(kernel[inside][:, inside], n_coordinates)
    basis = _Basis(
        vectors=vectors if in_map.all() else vectors[inside],
        coordinates=own,
        eigenvalues=eigenvalues,
        density=density,
        epsilon=epsilon,
        reach=reach[inside],
        least=least,
        k=k,
    )
    if progress is not None:
        progress("eigenvectors", 1.0)
    coordinates = np.empty((n, n_coordinates))
    coordinates[inside] = basis.coordinates
    if not in_map.all():
        coordinates[~in_map] = basis.extend(vectors[~in_map], progress)
    return DiffusionMap(
        coordinates=coordinates,
        eigenvalues=basis.eigenvalues,
        epsilon=epsilon,
        dimension=dimension,
        in_map=in_map,
        _basis=basis,
    )


def _edges(near: Neighbours) -> Pairs:
    """Return the pairs of which one is among the other's nearest, in both directions."""
    n, k = near.indices.shape
    rows, columns = np.repeat(np.arange(n), k), near.indices.ravel()
    both = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    return _once(*both, np.tile(near.squared.ravel(), 2), n)


def _once(rows: np.ndarray, columns: np.ndarray, squared: np.ndarray, n: int) -> Pairs:
    """Leave out pairs that are there already."""
    _, first = np.unique(rows * n + columns, return_index=True)
    return Pairs(rows[first], columns[first], squared[first])


def _units(reach: np.ndarray, least: float) -> np.ndarray:
    """Return r of each pattern from r², no less than the least of the map's; 1 where that is 0."""
    return np.sqrt(np.maximum(reach, least)) if least else np.ones(len(reach))


def _eigenvectors(kernel: sparse.csr_array, c: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates (n, c), their eigenvalues (c,), and the density (n,)."""
    density = kernel.sum(axis=1)
    flat = _scaled(kernel, 1 / density)
    root = np.sqrt(flat.sum(axis=1))
    walk = _scaled(flat, 1 / root)
    n = len(density)
    trivial = root / np.linalg.norm(root)  # known: without it, no other is mixed with it
    others = LinearOperator((n, n), lambda x: walk @ x - trivial * (trivial @ x), dtype=float)
    start = np.random.default_rng(0).standard_normal(n)
    try:
        values, vectors = eigsh(others, k=c, which="LA", v0=start, ncv=min(n, 4 * c), tol=1e-10)
    except ArpackNoConvergence:
        raise InputError(
            "So many patterns have nearly no likeness to any other that the map falls apart; leave out noise "
            "and blanks, or choose other features."
        ) from None
    order = np.argsort(values)[::-1]
    coordinates = vectors[:, order] / trivial[:, None]
    largest = np.argmax(np.abs(coordinates), axis=0)
    return coordinates * np.sign(coordinates[largest, np.arange(c)]), values[order], density


def _scaled(matrix: sparse.csr_array, by: np.ndarray) -> sparse.csr_array:
    """Multiply rows and columns."""
    return sparse.diags_array(by) @ matrix @ sparse.diags_array(by)
