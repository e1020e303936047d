"""The hall: patterns in files, or as they are drawn. The only room both wings share."""

from .adu import COMMON_MODES, AduConversion, to_photons
from .block import Block, gather
from .centre import Centre, find_centre
from .chunk import compress_frame
from .describe import describe
from .find import find_pattern_files
from .geometry import Geometry
from .reader import Frames, PatternSet
from .settle import settle_centre
from .source import LabelledFrames, Look, PatternSource, PatternStream, View
from .truth import LABELS, TRUTH_FIELDS, ShotTruth, TruthField, clear_multiples, clear_negatives
from .writer import AlreadyComplete, PatternWriter

__all__ = [
    "COMMON_MODES",
    "LABELS",
    "TRUTH_FIELDS",
    "AduConversion",
    "AlreadyComplete",
    "Block",
    "Centre",
    "Frames",
    "Geometry",
    "LabelledFrames",
    "Look",
    "PatternSet",
    "PatternSource",
    "PatternStream",
    "PatternWriter",
    "ShotTruth",
    "TruthField",
    "View",
    "clear_multiples",
    "clear_negatives",
    "compress_frame",
    "describe",
    "find_centre",
    "find_pattern_files",
    "gather",
    "settle_centre",
    "to_photons",
]
