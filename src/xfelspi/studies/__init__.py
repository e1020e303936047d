"""The loop, once per question: simulate, train, score, report."""

from .demo import demo

__all__ = ["demo"]
