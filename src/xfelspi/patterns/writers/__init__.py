"""Every kind of file that patterns are written to, one small module each, behind one interface: `Target`."""

from .convert import Converted, convert
from .lists import event_lines, plain, read_events, require_list_of
from .table import TARGETS, target_for

__all__ = [
    "TARGETS",
    "Converted",
    "convert",
    "event_lines",
    "plain",
    "read_events",
    "require_list_of",
    "target_for",
]
