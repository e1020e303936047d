"""Pictures: contact sheets of patterns, curves, and figures of studies."""

from .curves import roc_plot
from .sheet import contact_sheet

__all__ = ["contact_sheet", "roc_plot"]
