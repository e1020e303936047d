"""The loop, once per question: simulate, train, score, report."""

from .declaration import Declaration, load_declaration
from .demo import demo
from .fidelity import fidelity
from .geometry import geometry
from .poster import poster
from .poster_declared import Poster, load_poster
from .protocols import Geometry, load_geometry
from .reference import Reference

__all__ = [
    "Declaration",
    "Geometry",
    "Poster",
    "Reference",
    "demo",
    "fidelity",
    "geometry",
    "load_declaration",
    "load_geometry",
    "load_poster",
    "poster",
]
