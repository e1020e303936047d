"""How alike are a simulated and a measured set of frames? NumPy and SciPy alone, no network."""

from .angular import AngularPower, angular_curve, angular_distance, angular_power
from .compare import compare
from .curve import Curve, Estimate, curve_distance
from .dispersion import dispersion_curve, dispersion_distance
from .features import FEATURE_NAMES, FrameFeatures, frame_features
from .frames import MIN_FRAMES, FrameSet, on_common_pixels
from .friedel import DIM, Friedel, friedel_symmetry
from .fringes import fringe_visibility
from .kernel import kernel_distance
from .metric import Metric
from .noise import noise_curve, noise_distance
from .photons import BIN_NAMES, QUANTILES, TotalCounts, histogram_distance, photon_histogram, total_counts
from .profile import profile_curve, profile_curves, profile_distance
from .thinning import common_total, thinned
from .two_sample import TwoSample, two_sample_test

__all__ = [
    "BIN_NAMES",
    "DIM",
    "FEATURE_NAMES",
    "MIN_FRAMES",
    "QUANTILES",
    "AngularPower",
    "Curve",
    "Estimate",
    "FrameFeatures",
    "FrameSet",
    "Friedel",
    "Metric",
    "TotalCounts",
    "TwoSample",
    "angular_curve",
    "angular_distance",
    "angular_power",
    "common_total",
    "compare",
    "curve_distance",
    "dispersion_curve",
    "dispersion_distance",
    "frame_features",
    "friedel_symmetry",
    "fringe_visibility",
    "histogram_distance",
    "kernel_distance",
    "noise_curve",
    "noise_distance",
    "on_common_pixels",
    "photon_histogram",
    "profile_curve",
    "profile_curves",
    "profile_distance",
    "thinned",
    "total_counts",
    "two_sample_test",
]
