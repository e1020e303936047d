"""What single frames tell without a network: whether anything was hit. NumPy and SciPy alone."""

from .find import SCORES, HitFinding, Hits, find_hits
from .likelihood import hit_scores
from .rings import Rings
from .threshold import threshold_of

__all__ = ["SCORES", "HitFinding", "Hits", "Rings", "find_hits", "hit_scores", "threshold_of"]
