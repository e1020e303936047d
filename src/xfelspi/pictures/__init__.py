"""Pictures: contact sheets of patterns, curves, and figures of studies."""

from .curves import profile_plot, roc_plot
from .explain import Explained, explanation_sheet
from .growth import GrowthPanel, growth_plot
from .heat import Heat, heat_map
from .intervals import Panel, interval_plot
from .rates import RateCurve, RatePanel, rate_plot
from .reliability import reliability_plot
from .rows import rows_of_frames
from .save import require_picture
from .scatter import scatter_plot
from .sheet import contact_sheet
from .standardized import standardized_sheet
from .strip import strip_of_frames

__all__ = [
    "Explained",
    "GrowthPanel",
    "Heat",
    "Panel",
    "RateCurve",
    "RatePanel",
    "contact_sheet",
    "explanation_sheet",
    "growth_plot",
    "heat_map",
    "interval_plot",
    "profile_plot",
    "rate_plot",
    "reliability_plot",
    "require_picture",
    "roc_plot",
    "rows_of_frames",
    "scatter_plot",
    "standardized_sheet",
    "strip_of_frames",
]
