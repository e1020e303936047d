"""Every kind of file that patterns are read from, one small module each, behind one interface: `Stack`."""

from .stack import Choices, Format, Stack
from .table import FORMATS, open_stack

__all__ = ["FORMATS", "Choices", "Format", "Stack", "open_stack"]
