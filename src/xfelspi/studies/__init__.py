"""The loop, once per question: simulate, train, score, report."""

from .declaration import Declaration, load_declaration
from .demo import demo
from .fidelity import fidelity
from .reference import Reference

__all__ = ["Declaration", "Reference", "demo", "fidelity", "load_declaration"]
