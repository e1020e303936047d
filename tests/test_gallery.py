"""The gallery of terms is drawn, and names every term."""

import importlib.util
from pathlib import Path

import pytest
from matplotlib.image import imread

from xfelspi.simulate import TERMS

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"


@pytest.mark.slow
def test_every_term_changes_its_picture(tmp_path):
    spec = importlib.util.spec_from_file_location("terms", GALLERY / "terms.py")
    terms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(terms)
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
