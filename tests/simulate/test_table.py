"""The table of form factors: right everywhere it serves, kept on disk, safe from damage and company."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import map_coordinates

from xfelspi.shapes import Sphere, icosahedron
from xfelspi.simulate import form_factor, form_factor_of
from xfelspi.simulate._halfway import with_halfway
from xfelspi.simulate.table import LARGEST_TABLE, MARGIN, STEP


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XFELSPI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_table_is_the_form_factor_up_to_its_extent(solid):
    form = form_factor_of(solid, 20.0)
    if isinstance(solid, Sphere):
        assert form.extent == 0.0  # its closed form is faster than a look-up
        return
    assert form.extent >= 20.0
    rng = np.random.default_rng(0)
    u = rng.normal(size=(3000, 3))
    u *= (form.extent * rng.random(3000) ** (1 / 3) / np.linalg.norm(u, axis=1))[:, None]
    middle = form.coefficients.shape[1] // 2
    parts = [map_coordinates(part, (u / STEP + middle).T, prefilter=False) for part in form.coefficients]
    got = parts[0] + 1j * parts[1] if len(parts) == 2 else parts[0]
    exact = form.exact(u, 2.0)
    assert np.sqrt(np.mean(np.abs(got - exact) ** 2) / np.mean(np.abs(exact) ** 2)) < 3e-4


def test_waves_of_a_unit_body_are_found_halfway_between_nodes():
    step, c = 2 * STEP, 41
    coarse, fine = (np.arange(c) - c // 2) * step, (np.arange(2 * c - 1) - (c - 1)) * step / 2

    def wave(axis, r):
        x, y, z = (np.exp(-1j * axis * part) for part in r)
        return x[:, None, None] * y[:, None] * z

    for r in ([1.0, 0.0, 0.0], [0.0, -0.9, 0.3], [0.5, 0.5, -0.7]):
        found, exact = with_halfway(wave(coarse, r), step), wave(fine, r)
        assert_array_equal(found[::2, ::2, ::2], wave(coarse, r))
        inside = slice(MARGIN, -MARGIN)
        assert np.abs(found - exact)[inside, inside, inside].max() < 2e-6
        assert np.abs(found - exact).max() < 1e-3


def test_a_mesh_of_many_triangles_has_the_same_table_sooner(crooked, cache, monkeypatch):
    asked = []

    def counted(solid, q):
        asked.append(len(q) ** 2)
        return form_factor(solid, q)

    each = form_factor_of(crooked, 20.0)
    monkeypatch.setattr("xfelspi.simulate.table.form_factor", counted)
    monkeypatch.setattr("xfelspi.simulate.table.MANY_TRIANGLES", 3)
    monkeypatch.setenv("XFELSPI_CACHE", f"{cache}-2")
    second = form_factor_of(crooked, 20.0)
    n = each.coefficients.shape[1]
    assert sum(asked) < n**3 / 2 / 7  # an eighth of half a cube
    assert second.coefficients.shape == each.coefficients.shape == (2, n, n, n)
    inside = slice(MARGIN, -MARGIN)
    apart = np.abs(second.coefficients - each.coefficients)[:, inside, inside, inside].max()
    assert apart < 2e-6 * crooked.scaled(2.0 / crooked.diameter_nm).volume_nm3


def test_one_table_serves_every_size(crooked):
    form = form_factor_of(crooked, 10.0)
    q = np.array([[0.1, -0.05, 0.02]])
    for factor in (0.5, 1.0, 3.0):
        resized = crooked.scaled(factor)
        assert_allclose(form.exact(q, resized.diameter_nm), form_factor(resized, q))
    assert_array_equal(form_factor_of(crooked.scaled(2.0), 10.0).coefficients, form.coefficients)


def test_the_second_time_it_comes_from_disk(cache, monkeypatch):
    first = form_factor_of(icosahedron(60.0), 5.0)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr("xfelspi.simulate.table._compute", None)  # computing again would fail
    assert_array_equal(form_factor_of(icosahedron(60.0), 5.0).coefficients, first.coefficients)


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY garbage", None])
def test_a_damaged_table_is_made_anew(cache, damage):
    first = form_factor_of(icosahedron(60.0), 5.0)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:500] if damage is None else damage)
    assert_array_equal(form_factor_of(icosahedron(60.0), 5.0).coefficients, first.coefficients)
    assert path.stat().st_size > 500


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XFELSPI_CACHE", str(tmp_path / "file" / "below"))
    assert form_factor_of(icosahedron(60.0), 5.0).extent >= 5.0


def test_two_processes_may_build_it_at_once(cache):
    code = (
        "from xfelspi.shapes import icosahedron; from xfelspi.simulate import form_factor_of;"
        "print(float(form_factor_of(icosahedron(60.0), 12.0).coefficients.sum()))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ) for _ in "ab"
    ]
    sums = {process.communicate()[0] for process in both}
    assert len(sums) == 1
    assert [process.returncode for process in both] == [0, 0]
    assert len(list(cache.iterdir())) == 1


def test_what_would_be_too_large_has_no_table():
    form = form_factor_of(icosahedron(60.0), STEP * LARGEST_TABLE)
    assert form.extent == 0.0
    assert form_factor_of(icosahedron(60.0), STEP * (LARGEST_TABLE // 2 - MARGIN - 4) / 8).extent > 0.0
