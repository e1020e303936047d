"""Every kind of file that patterns are read from, one small module each, behind one interface: `Stack`."""

from .stack import Choices, Format, Stack
from .table import FORMATS, is_one_set, open_stack

__all__ = ["FORMATS", "Choices", "Format", "Stack", "is_one_set", "open_stack"]
