"""Maps of patterns: neighbours are exact, a known manifold comes out, new patterns find their place."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xfelspi.classify import (
    clusters_of,
    diffusion_map,
    label_by_clusters,
    label_clusters,
    label_with_budget,
)
from xfelspi.classify import neighbours as module
from xfelspi.classify.bandwidth import bandwidth
from xfelspi.classify.framing import MASKED
from xfelspi.classify.neighbours import nearest, within
from xfelspi.classify.vectors import InvariantVector, PixelVector
from xfelspi.errors import InputError


def distances(queries, points):
    return ((queries[:, None].astype(float) - points[None]) ** 2).sum(2)


def shell(rng, n, d):
    """Points of two far and narrow groups: single precision cannot rank what lies in one of them."""
    side = np.where(rng.random(n) < 0.5, -1e3, 1e3)
    return (1e-3 * rng.normal(size=(n, d)) + side[:, None]).astype(np.float32)


POINTS = {
    "cloud": lambda rng: (100 + rng.normal(size=(300, 40))).astype(np.float32),
    "ties": lambda rng: rng.integers(0, 3, (300, 3)).astype(np.float32),
    "far groups": lambda rng: shell(rng, 150, 8),
}


@pytest.mark.kernel
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_neighbours_are_those_of_brute_force_ties_included(points, rng, monkeypatch):
    monkeypatch.setattr(module, "_IN_BLOCK", 64 * 300)  # several blocks
    points = points(rng)
    squared = distances(points, points)
    np.fill_diagonal(squared, np.inf)
    order = np.argsort(squared, axis=1, kind="stable")[:, :7]
    found = nearest(points, 7)
    np.testing.assert_array_equal(found.indices, order)
    np.testing.assert_allclose(found.squared, np.take_along_axis(squared, order, 1), rtol=1e-12)

    queries = points[::3] + np.float32(0.25)
    squared = distances(queries, points)
    np.testing.assert_array_equal(
        nearest(points, 7, queries).indices, np.argsort(squared, axis=1, kind="stable")[:, :7]
    )
    reach = np.quantile(squared, 0.1, axis=0)
    pairs = within(points, reach, queries)
    near = np.zeros(squared.shape, bool)
    near[pairs.queries, pairs.points] = True
    edge = np.isclose(squared, reach, rtol=1e-12)  # rounding decides there
    np.testing.assert_array_equal(near | edge, (squared <= reach) | edge)


def test_neighbours_that_are_not_there_are_refused(rng):
    points = rng.normal(size=(5, 2)).astype(np.float32)
    with pytest.raises(InputError, match="5 neighbours are asked for and there are 4"):
        nearest(points, 5)
    with pytest.raises(InputError, match="NaN"):
        nearest(np.full((5, 2), np.nan, np.float32), 2)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_slope_of_a_gaussian_cloud_is_half_its_dimension(d, rng):
    """exp(-s d²/2) has the mean (1 + 2 s)^(-D/2) between points of a normal cloud in D dimensions."""
    n = 800
    points = rng.normal(size=(n, d))
    squared = distances(points, points)[~np.eye(n, dtype=bool)]
    found = bandwidth(squared, n)
    s = np.geomspace(1e-2, 1e6, 400)
    mean = (1 + 2 * s) ** (-d / 2)
    slope = (n - 1) * mean * d * s / (1 + 2 * s) / (1 + (n - 1) * mean)
    assert found.dimension == pytest.approx(2 * slope.max(), rel=0.04)
    assert found.dimension == pytest.approx(d, rel=0.25)
    assert slope[np.argmin(np.abs(s - 1 / found.epsilon))] > 0.97 * slope.max()
    assert bandwidth(np.concatenate([squared, np.zeros(10 * n)]), n) == found  # some were there twice


def turned(angles, rng=None, size=128):
    """(n, size, size) photons of one lopsided pattern that obeys Friedel's law, turned by some angles."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius, around = np.hypot(x, y), np.arctan2(y, x)
    phi = 2 * (around[None] - np.asarray(angles)[:, None, None])
    expected = 30 * np.exp(-((radius / size * 4) ** 2)) * (1 + 0.6 * np.cos(phi) + 0.35 * np.sin(2 * phi))
    return torch.from_numpy((expected if rng is None else rng.poisson(expected)).astype(np.float32))


def test_a_ring_of_orientations_is_a_circle_in_their_order(rng):
    angles = np.arange(150) * (np.pi / 150)
    mixed = rng.permutation(150)
    found = diffusion_map(PixelVector()(turned(angles[mixed], rng, 64)).numpy(), k=24)
    assert found.in_map.all()
    first, second = found.coordinates[np.argsort(mixed), :2].T
    np.testing.assert_allclose(np.hypot(first, second), np.sqrt(2), rtol=0.12)
    turns = np.unwrap(np.arctan2(second, first))
    turns *= np.sign(turns[-1] - turns[0])
    assert turns[-1] - turns[0] == pytest.approx(2 * np.pi, abs=0.5)
    assert np.corrcoef(turns, angles)[0, 1] > 0.98
    assert np.diff(turns).min() > -0.2  # noise swaps near neighbours only


def test_invariant_vectors_do_not_see_how_a_pattern_is_turned(rng):
    make = InvariantVector(128)
    frames = turned([0.3, 0.9, 2.0])
    vectors = make(frames)
    scale = vectors[0].norm()
    assert torch.cdist(vectors, vectors).max() < 0.03 * scale
    other = make(frames.flip(1) * (1 + torch.cos(torch.arange(128) / 2)))  # with fringes
    assert torch.cdist(vectors, other).min() > 0.3 * scale
    assert torch.cdist(*(PixelVector()(each) for each in (frames[:1], frames[1:]))).min() > 0.3 * 64

    noisy = turned([0.3], rng)
    noisy[:, 30:40, 50:] = MASKED
    for turns in (1, 2, 3):
        torch.testing.assert_close(make(torch.rot90(noisy, turns, (1, 2))), make(noisy), atol=1e-4, rtol=0)


def test_brightness_and_the_mask_leave_vectors_as_they_are():
    frames = turned([0.3, 0.9])
    pixels = PixelVector()
    torch.testing.assert_close(pixels(frames), pixels(5 * frames), atol=1e-4, rtol=0)
    masked = frames.clone()
    masked[:, :, 64] = MASKED  # one pixel of two stands for both
    assert torch.cdist(pixels(masked), pixels(frames)).diagonal().max() < 0.05 * 64
    for make in (pixels, InvariantVector(128)):
        assert torch.isfinite(make(torch.zeros(1, 128, 128))).all()  # a blank


def test_extension_gives_patterns_of_the_map_back_and_puts_new_ones_between(rng):
    angles = np.arange(150) * (np.pi / 150)
    make = PixelVector()
    vectors = make(turned(angles, rng, 64)).numpy()
    for local in (True, False):
        found = diffusion_map(vectors, k=20, n_coordinates=6, local=local)
        np.testing.assert_allclose(found.extend(vectors), found.coordinates, atol=1e-9)
    found = diffusion_map(vectors, k=20)
    new = found.extend(make(turned(angles[30:120] + np.pi / 300, rng, 64)).numpy())[:, :2]
    old = found.coordinates[:, :2]
    between = (old[30:120] + old[31:121]) / 2
    assert np.hypot(*(new - between).T).mean() < 0.12  # the circle's radius is 1.4


def test_what_lies_apart_is_placed_by_its_nearest(rng):
    large, small = rng.normal(size=(80, 3)), rng.normal(size=(20, 3))
    vectors = np.concatenate([large, small + 1e3]).astype(np.float32)
    found = diffusion_map(vectors, k=10, n_coordinates=4)
    np.testing.assert_array_equal(found.in_map, np.arange(100) < 80)
    np.testing.assert_allclose(found.coordinates[80:], found.extend(vectors[80:]))
    assert np.isfinite(found.coordinates).all()
    with pytest.raises(InputError, match="fall into 3 pieces"):
        diffusion_map(np.concatenate([small, small + 1e3, small - 1e3]), k=5, n_coordinates=4)
    with pytest.raises(InputError, match="needs 13 patterns or more; here are 5"):
        diffusion_map(vectors[:5])
    with pytest.raises(InputError, match="All patterns are the same"):
        diffusion_map(np.ones((40, 3)))


def test_patterns_with_few_like_them_do_not_make_the_map_their_own(rng):
    """With one width for all, a coordinate speaks of a pattern or two: dim ones, which noise sets apart."""
    expected = turned(rng.uniform(0, np.pi, 300), size=32).numpy() * np.geomspace(0.06, 3, 300)[:, None, None]
    vectors = PixelVector()(torch.from_numpy(rng.poisson(expected)).float()).numpy()

    def spoken_of(local):
        found = diffusion_map(vectors, k=40, n_coordinates=6, local=local).coordinates[:, :2]
        return (found**2).sum(axis=0) ** 2 / (found**4).sum(axis=0)

    assert (spoken_of(local=True) > 100).all()
    assert (spoken_of(local=False) < 10).all()


def test_the_same_map_comes_out_again(rng):
    vectors = rng.normal(size=(90, 5))
    first, second = (diffusion_map(vectors, k=20, n_coordinates=5).coordinates for _ in range(2))
    np.testing.assert_array_equal(first, second)
    largest = np.abs(first).argmax(axis=0)
    assert (first[largest, np.arange(5)] > 0).all()


def test_pure_clusters_make_every_label_right(rng):
    middles = 20 * rng.normal(size=(6, 3))
    group = rng.integers(0, 6, 300)
    coordinates = middles[group] + rng.normal(size=(300, 3))
    truth = (group % 2).astype(np.int8)
    clusters = clusters_of(coordinates, 6)
    assert len(set(zip(clusters.tolist(), group.tolist(), strict=True))) == 6
    assert (np.diff(np.bincount(clusters)) <= 0).all()
    found = label_by_clusters(coordinates, truth, 6, 5, rng)
    np.testing.assert_array_equal(found.labels, truth)
    assert found.n_labels_spent == 30


def test_the_majority_of_those_looked_at_wins_and_unknown_ones_are_not_looked_at(rng):
    clusters = np.repeat([0, 1, 2, 3], 10)
    truth = np.array([1] * 6 + [0] * 4 + [1] * 5 + [0] * 5 + [-1] * 9 + [1] + [-1] * 10)
    found = label_clusters(clusters, truth, 10, rng)
    assert found.labels.reshape(4, 10).T.tolist() == [[1, 0, 1, -1]] * 10
    assert found.n_labels_spent == 21


@given(n_labels=st.integers(1, 400), n=st.integers(1, 30))
def test_a_budget_is_kept(n_labels, n):
    coordinates = np.arange(n, dtype=float)[:, None]
    found = label_with_budget(coordinates, np.ones(n), n_labels, np.random.default_rng(0))
    assert 1 <= found.n_labels_spent <= min(n_labels, n)
    np.testing.assert_array_equal(found.labels, 1)
