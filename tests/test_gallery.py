"""The galleries of terms and shapes are drawn, and name every one."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from xfelspi.shapes import GROUPS, SHAPES
from xfelspi.simulate import TERMS, FormFactor, Particle
from xfelspi.simulate.table import NO_TABLE

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"


def script(name):
    spec = importlib.util.spec_from_file_location(name, GALLERY / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_term_changes_its_picture(tmp_path):
    terms = script("terms")
    picture = imread(terms.main(tmp_path))
    assert picture.shape[0] > 1000
    full = terms.load_recipe("lcls-amo", [f"{name}={value}" for name, value in terms.SEEN_WELL.items()])
    for term in TERMS:
        if term == "measured-background":  # needs a measured file
            continue
        plain, termed = terms.pair(full, term)
        assert any((plain.pattern(i)[0] != termed.pattern(i)[0]).any() for i in range(40)), term


def test_the_page_names_every_term():
    page = (GALLERY / "terms.md").read_text("utf-8")
    for term in TERMS:
        assert f"| `{term}` |" in page


@pytest.mark.slow
def test_every_shape_is_drawn(tmp_path):
    picture = imread(script("shapes").main(tmp_path))
    assert picture.shape[0] > 600
    rows = picture[..., :3].max(axis=(1, 2)) > 0.2
    assert rows.mean() > 0.7


@pytest.mark.parametrize("name", ["cube", "torus", "blob"])
def test_the_drawn_density_is_the_bodys(name):
    """Its sum over the field is F(0), the volume times the density; nothing lies beyond the surface."""
    form = FormFactor(SHAPES[name](2.0), NO_TABLE, 0.0)
    shapes = script("shapes")
    density = shapes.projection(Particle(form, 2.0, 3.0))
    assert density.sum() == pytest.approx(3.0 * form.solid.volume_nm3)
    y, x = np.mgrid[: shapes.PIXELS, : shapes.PIXELS] - shapes.PIXELS // 2
    outside = np.hypot(x, y) * shapes.FIELD / 2 > shapes.PIXELS / 2 * 1.04
    assert np.abs(density[outside]).max() < 0.02 * density.max()


def test_the_page_names_every_shape():
    page = (GALLERY.parent / "shapes.md").read_text("utf-8")
    for shape in SHAPES:
        assert f"`{shape}`" in page
    for group, shapes in GROUPS.items():
        assert f"*{group}* ({', '.join(shapes)})" in " ".join(page.split())
