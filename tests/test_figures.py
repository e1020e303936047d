"""Heat maps and rates: written whole, whatever is missing from them, and never empty."""

import math

import numpy as np
import pytest

from xfelspi.errors import InputError
from xfelspi.pictures import Heat, RateCurve, RatePanel, heat_map, rate_plot


def is_png(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_heat_map_shows_what_is_there(tmp_path):
    heat = Heat(title="lost", values=np.array([[0.1, math.nan], [1.0, 0.0]]), texts=[["a", ""], ["b", "c"]])
    framed = np.array([[True, False], [False, False]])
    out = tmp_path / "deep" / "heat.png"
    assert is_png(
        heat_map(["A", "B"], ["cube", "torus"], [heat, heat], out, framed=framed, groups=["x", "y"])
    )
    assert not list(out.parent.glob("*.part"))
    with pytest.raises(InputError, match="nothing to draw"):
        heat_map([], ["cube"], [heat], out)


def test_rates_are_drawn_with_gaps_and_zeros(tmp_path):
    curve = RateCurve(
        name="lost", x=[1.0, 10.0, 100.0], value=[0.0, math.nan, 1.0], low=[0.0] * 3, high=[0.1] * 3
    )
    panels = [RatePanel(x="photons", curves=[curve], log=True), RatePanel(x="nm", curves=[curve])]
    assert is_png(rate_plot([*panels, *panels[:1]], tmp_path / "rates.png", y="share"))
    with pytest.raises(InputError, match="no rates"):
        rate_plot([], tmp_path / "none.png", y="share")
