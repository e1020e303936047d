"""Every kind of file that patterns are written to, one small module each, behind one interface: `Target`."""

from .convert import Converted, convert, left_before
from .lists import plain
from .table import TARGETS, target_for

__all__ = [
    "TARGETS",
    "Converted",
    "convert",
    "left_before",
    "plain",
    "target_for",
]
