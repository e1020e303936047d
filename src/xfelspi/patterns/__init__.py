"""The hall: pattern files, with the truth and the recipe inside. The only room both wings share."""

from .block import Block, gather
from .chunk import compress_frame
from .describe import describe
from .find import find_pattern_files
from .geometry import Geometry
from .reader import Frames, PatternSet
from .truth import LABELS, TRUTH_FIELDS, ShotTruth, TruthField, clear_multiples
from .writer import AlreadyComplete, PatternWriter

__all__ = [
    "LABELS",
    "TRUTH_FIELDS",
    "AlreadyComplete",
    "Block",
    "Frames",
    "Geometry",
    "PatternSet",
    "PatternWriter",
    "ShotTruth",
    "TruthField",
    "clear_multiples",
    "compress_frame",
    "describe",
    "find_pattern_files",
    "gather",
]
