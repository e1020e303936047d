"""The loop, once per question: simulate, train, score, report."""

from .declaration import Declaration, load_declaration
from .demo import demo
from .fidelity import fidelity
from .geometry import geometry
from .protocols import Geometry, load_geometry
from .reference import Reference

__all__ = [
    "Declaration",
    "Geometry",
    "Reference",
    "demo",
    "fidelity",
    "geometry",
    "load_declaration",
    "load_geometry",
]
