"""The hall: patterns in files, or as they are drawn. The only room both wings share."""

from .block import Block, gather
from .chunk import compress_frame
from .describe import describe
from .find import find_pattern_files
from .geometry import Geometry
from .reader import Frames, PatternSet
from .source import LabelledFrames, Look, PatternSource, PatternStream, View
from .subset import write_subset
from .truth import LABELS, TRUTH_FIELDS, ShotTruth, TruthField, clear_multiples, clear_negatives
from .writer import AlreadyComplete, PatternWriter

__all__ = [
    "LABELS",
    "TRUTH_FIELDS",
    "AlreadyComplete",
    "Block",
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
    "find_pattern_files",
    "gather",
    "write_subset",
]
