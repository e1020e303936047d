"""The hall: patterns in files, or as they are drawn. The only room both wings share."""

from .adu import COMMON_MODES, AduConversion, to_photons
from .beside import read_label_table
from .block import Block, gather
from .centre import Centre, find_centre
from .chunk import compress_frame
from .describe import describe
from .events import EVENT, event_cells, event_lines, read_events, require_about, require_renewable
from .find import find_pattern_files
from .folder import require_writable
from .geometry import Geometry
from .lock import claimed
from .pick import pick
from .reader import Frames, PatternSet
from .settle import brightest, settle_centre
from .source import LabelledFrames, Look, PatternSource, PatternStream, View
from .subset import write_subset
from .truth import LABELS, TRUTH_FIELDS, ShotTruth, TruthField, clear_multiples, hidden_multiples
from .update import update_scores
from .verdicts import Verdicts, read_verdicts
from .whole import write_whole
from .writer import AlreadyComplete, PatternWriter
from .writers import TARGETS, Converted, convert, left_before, plain, target_for

__all__ = [
    "COMMON_MODES",
    "EVENT",
    "LABELS",
    "TARGETS",
    "TRUTH_FIELDS",
    "AduConversion",
    "AlreadyComplete",
    "Block",
    "Centre",
    "Converted",
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
    "Verdicts",
    "View",
    "brightest",
    "claimed",
    "clear_multiples",
    "compress_frame",
    "convert",
    "describe",
    "event_cells",
    "event_lines",
    "find_centre",
    "find_pattern_files",
    "gather",
    "hidden_multiples",
    "left_before",
    "pick",
    "plain",
    "read_events",
    "read_label_table",
    "read_verdicts",
    "require_about",
    "require_renewable",
    "require_writable",
    "settle_centre",
    "target_for",
    "to_photons",
    "update_scores",
    "write_subset",
    "write_whole",
]
