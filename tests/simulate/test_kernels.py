"""Kernels against the sums written out; runs with numba's compiler on and off."""

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import spherical_jn

from xfelspi.simulate import _light, _photons, _waves, _widen
from xfelspi.simulate._polyhedron import (
    _difference_1,
    _difference_2,
    _difference_3_small,
    polyhedron_transform,
)
from xfelspi.simulate._tricubic import tricubic
from xfelspi.simulate._widen import BAND, BEFORE
from xfelspi.simulate.diffract import pixel_nodes

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def _wrapping_integers():
    """The hash multiplies modulo 2⁶⁴, which plain NumPy scalars warn of."""
    with np.errstate(over="ignore"):
        yield


def test_divided_differences_match_long_arithmetic():
    """f[0, a, b, c] and f[a, b, c] of exp(-i x) from 90-digit arithmetic, coinciding nodes included."""
    import mpmath

    mpmath.mp.dps = 90

    def exact(nodes):
        nodes = [mpmath.mpf(node) for node in nodes]
        spread = [node + mpmath.mpf(10) ** -15 * i for i, node in enumerate(nodes)]  # limit of distinct nodes
        return complex(
            sum(
                mpmath.expj(-a) / mpmath.fprod(a - b for j, b in enumerate(spread) if j != i)
                for i, a in enumerate(spread)
            )
        )

    for a, b, c in [
        (0.1, 0.2, 3.0),
        (0.3, 0.3, 0.3),
        (5.0, 5.0, 5.2),
        (-2.0, 4.0, 4.0),
        (1.0, 1.3, 1.49),
        (7, 9, 8),
    ]:
        ea, eb, ec = np.exp(-1j * np.array([a, b, c]))
        assert_allclose(_difference_2(a, ea, b, eb, c, ec), exact([a, b, c]), atol=1e-13)
        assert_allclose(_difference_1(a, ea, b, eb), exact([a, b]), atol=1e-13)
    for a, b, c in [(0.0, 0.0, 0.0), (0.5, -0.5, 0.2), (0.1, 0.1, 0.1)]:
        assert_allclose(_difference_3_small(a, b, c), exact([0.0, a, b, c]), atol=1e-13)


def test_the_tetrahedron_written_out():
    """∫ exp(-i q.r) over the unit simplex, by a product rule of Gauss points."""
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    triangles = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    x, w = np.polynomial.legendre.leggauss(20)
    x, w = (x + 1) / 2, w / 2
    a, b, c = np.meshgrid(x, x, x, indexing="ij")
    points = np.stack([a, b * (1 - a), c * (1 - a) * (1 - b)], axis=-1)  # the cube folded into the simplex
    weights = np.einsum("i,j,k->ijk", w, w, w) * (1 - a) ** 2 * (1 - b)
    q = np.array([[0.0, 0, 0], [0.1, 0.2, -0.1], [3.0, -2.0, 1.0], [0.0, 0.0, 7.0], [4.0, 4.0, 0.0]])
    expected = np.einsum("ijk,ijkn->n", weights, np.exp(-1j * points @ q.T))
    out = np.empty(len(q), dtype=complex)
    polyhedron_transform(q, corners, triangles, out)
    assert_allclose(out, expected, atol=1e-12)


def test_sine_and_cosine():
    x = np.concatenate([np.linspace(-50.0, 50.0, 401), [0.0, 1e-9, 1234.5678, -987.654]])
    got = np.array([_waves._sincos(value) for value in x])
    assert_allclose(got, np.stack([np.sin(x), np.cos(x)], axis=1), atol=1e-9)


def test_the_exponential_of_minus_x():
    x = np.linspace(0.0, 15.0, 200)
    assert_allclose([_photons._exp_minus(value) for value in x], np.exp(-x), rtol=1e-11)


def test_the_spline_is_scipys():
    rng = np.random.default_rng(0)
    table = spline_filter(rng.normal(size=(9, 9, 9)), mode="mirror").astype(np.float32)
    points = rng.uniform(2.0, 6.0, size=(20, 3))
    got = [_waves._spline(table.reshape(-1), np.uint64(9), *point) for point in points]
    assert_allclose(got, map_coordinates(table, points.T, prefilter=False), atol=1e-5)


@pytest.mark.parametrize("step", [1, 3, 6])
def test_widening_restores_every_wave_in_the_band(step):
    """cos(ω x) sampled at the coarse nodes comes back at the pixels, up to BAND radians per node."""
    nx = 40
    weights = _widen.row_weights(step, nx)
    nodes = (np.arange(_widen.coarse_count(nx, step)) - BEFORE) * step
    for omega in np.array([0.0, 0.3, 0.7, 0.97]) * BAND / step:
        coarse = np.stack([np.cos(omega * nodes), np.sin(omega * nodes)]).astype(np.float32)
        out = np.empty((1, 2, nx), dtype=np.float32)
        _widen.widen_columns(coarse[None], weights, step, out)
        pixels = np.arange(nx)
        assert_allclose(out[0], [np.cos(omega * pixels), np.sin(omega * pixels)], atol=1.2e-3)


def test_interference_written_out():
    rng = np.random.default_rng(1)
    ny, nx, step, k = 12, 20, 1, 3
    rows, columns = _widen.coarse_count(ny, step), _widen.coarse_count(nx, step)
    coarse = rng.normal(size=(k, 2, rows, columns)).astype(np.float32)
    pair_x = rng.normal(size=(3, 2, nx)).astype(np.float32)
    pair_y = rng.normal(size=(3, 2, ny)).astype(np.float32)
    good = (rng.random((ny, nx)) < 0.8).astype(np.float32)
    own, photons = np.empty(k), np.empty((ny, nx), np.float32)
    across, down = _widen.row_weights(step, nx), _widen.widening_weights(step)
    _light.interfere(
        coarse.reshape(2 * k, rows, columns), 2, across, down, pair_x, pair_y, good, own, photons
    )
    wave = (coarse[:, 0] + 1j * coarse[:, 1])[:, BEFORE : BEFORE + ny, BEFORE : BEFORE + nx]
    assert_allclose(own, (np.abs(wave) ** 2 * good).sum(axis=(1, 2)), rtol=1e-4)
    ramp_x, ramp_y = pair_x[:, 0] + 1j * pair_x[:, 1], pair_y[:, 0] + 1j * pair_y[:, 1]
    expected = (np.abs(wave) ** 2).sum(axis=0) + sum(
        (wave[a] * wave[b].conj() * ramp_x[i] * ramp_y[i][:, None]).real
        for i, (a, b) in enumerate([(0, 1), (0, 2), (1, 2)])
    )
    assert_allclose(photons, expected, atol=1e-3)


def test_pair_ramps_written_out():
    u = np.linspace(-0.04, 0.04, 31)
    out = np.empty((2, 31), dtype=np.float32)
    k, z, p = 8.1, 0.581, 300e-6
    _waves.pair_ramp(u, 700.0, -900.0, k, z, p, 2.0, out)
    phase = k * (700.0 * u / z + 900.0 * u**2 / (2 * z**2))
    slope = np.gradient(k * (700.0 * u - 900.0 * z) / np.sqrt(u**2 + z**2), u) * p
    expected = 2.0 * np.exp(-1j * phase) * np.sinc(slope / (2 * np.pi))
    inner = slice(1, -1)  # finite differences are one-sided at the ends
    assert_allclose((out[0] + 1j * out[1])[inner], expected[inner], atol=3e-3)


@pytest.mark.parametrize("points", [2, 3])
def test_node_ramps_written_out(points):
    """With the spherical Bessel functions of scipy, from no fringes in a pixel to a dozen."""
    k, z, p, gain = 8.1, 0.581, 300e-6, 2.0
    for node in pixel_nodes(points):
        legendre = np.zeros(3)
        legendre[:points] = node.legendre
        for across in (0.0, 30.0, 700.0, 20_000.0):
            u = np.linspace(-0.04, 0.04, 31)
            out = np.empty((2, 31))
            _waves.node_ramp(u, across, -900.0, k, z, p, gain, node.place, legendre, out)
            change = k * p / z * (across + 900.0 * (u / z - node.place * p / z))
            phase = k * (across + 450.0 * u / z) * u / z - change * node.place
            order = np.arange(points)
            average = ((-1j) ** order * node.legendre) @ spherical_jn(order[:, None], change / 2.0)
            assert_allclose(out[0] + 1j * out[1], gain * np.exp(-1j * phase) * average, atol=2e-7)


@pytest.mark.parametrize("missing_too", [False, True])
def test_the_frame_written_out(missing_too):
    rng = np.random.default_rng(2)
    ny, nx, rim = 16, 24, 3
    signal = rng.random((ny, nx)).astype(np.float32)
    good = (rng.random((ny, nx)) < 0.8).astype(np.float32)
    halo = rng.random((ny + 2 * rim, nx + 2 * rim)).astype(np.float32)
    step = 4
    field = rng.random((1, _widen.coarse_count(ny, step), nx)).astype(np.float32)
    weights = _widen.widening_weights(step)
    corner = np.array([rim - 1.25, rim + 0.5])
    out = np.empty((ny, nx), dtype=np.float32)
    gain, flat, halo_gain = np.float32(2.0), np.float32(0.1), np.float32(0.3)
    beside = gain, flat, halo_gain, halo, corner, field, weights
    total = _light.frame_light(signal, *beside, good, missing_too, out)
    y, x = np.mgrid[:ny, :nx]
    glow = map_coordinates(halo.astype(float), [y + corner[0], x + corner[1]], order=1)
    uneven = np.array([weights[i % step] @ field[0, i // step : i // step + 6] for i in range(ny)])
    light = uneven * (2.0 * signal + 0.1 + 0.3 * glow)
    assert_allclose(out, light if missing_too else good * light, rtol=2e-4, atol=1e-5)
    assert_allclose(total, (good * light).sum(), rtol=1e-4)


def test_light_beyond_all_counts_saturates():
    counts = np.zeros((2, 16), np.uint16)
    _photons.poisson_counts(
        np.geomspace(2e5, 1e38, 32, dtype=np.float32).reshape(2, 16), np.uint64(1), counts
    )
    assert (counts == 65535).all()


def test_counts_are_what_inverting_the_distribution_gives():
    """Below a mean of 10, the count is the Poisson quantile of the pixel's own uniform number."""
    from scipy.stats import poisson

    rng = np.random.default_rng(3)
    expected = (10.0 ** rng.uniform(-3, 0.99, size=(8, 32))).astype(np.float32)
    key = np.uint64(12345)
    out = np.empty(expected.shape, dtype=np.uint16)
    _photons.poisson_counts(expected, key, out)
    index = np.arange(expected.size, dtype=np.uint64).reshape(expected.shape)
    z = key + index * _photons.GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _photons.MIX_1
    z = (z ^ (z >> np.uint64(27))) * _photons.MIX_2
    uniform = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53
    assert_array_equal(out, poisson.ppf(uniform, expected.astype(float)))


def test_the_sum_over_neighbours_written_out():
    rng = np.random.default_rng(4)
    n = 9
    table = rng.standard_normal(n**3).astype(np.float32)
    compiled = njit(lambda table, first, x, y, z: tricubic(table, first, np.uint64(n), x, y, z))
    for i, j, k in ((0, 0, 0), (5, 5, 5), (1, 3, 2)):
        x, y, z = (tuple(row) for row in rng.standard_normal((3, 4)).astype(np.float32))
        block = table.reshape(n, n, n)[i : i + 4, j : j + 4, k : k + 4].astype(float)
        expected = np.einsum("abc,a,b,c->", block, x, y, z)
        found = compiled(table, np.uint64((i * n + j) * n + k), x, y, z)
        assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
