"""Pictures: contact sheets of patterns, curves, and figures of studies."""

from .curves import profile_plot, roc_plot
from .intervals import Panel, interval_plot
from .reliability import reliability_plot
from .rows import rows_of_frames
from .sheet import contact_sheet

__all__ = [
    "Panel",
    "contact_sheet",
    "interval_plot",
    "profile_plot",
    "reliability_plot",
    "roc_plot",
    "rows_of_frames",
]
