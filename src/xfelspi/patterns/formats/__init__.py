"""Every kind of file that patterns are read from, one small module each, behind one interface: `Stack`."""

from .stack import DAMAGE, Choices, Format, Stack
from .table import FORMATS, open_stack

__all__ = ["DAMAGE", "FORMATS", "Choices", "Format", "Stack", "open_stack"]
