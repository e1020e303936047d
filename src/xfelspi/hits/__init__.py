"""What single frames tell without a network: hit or not, how large, one particle or several.

NumPy and SciPy alone, from patterns alone.
"""

from .company import COMPANY, Company
from .find import SCORES, HitFinding, Hits, find_hits
from .likelihood import hit_scores
from .looks import Looks, looks_of
from .measure import Measured, diameter_per_phase_nm, measure, within
from .rings import Rings
from .sphere import EdgePhases, SphereFit
from .table import HitFiles, hit_files, write_hits
from .threshold import threshold_of

__all__ = [
    "COMPANY",
    "SCORES",
    "Company",
    "EdgePhases",
    "HitFiles",
    "HitFinding",
    "Hits",
    "Looks",
    "Measured",
    "Rings",
    "SphereFit",
    "diameter_per_phase_nm",
    "find_hits",
    "hit_files",
    "hit_scores",
    "looks_of",
    "measure",
    "threshold_of",
    "within",
    "write_hits",
]
