"""What a training is given, gathered: its patterns, their frame, and what tells this training from others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from xfelspi import __version__
from xfelspi.errors import InputError
from xfelspi.patterns import Geometry, Look, PatternSet, PatternSource, View, find_pattern_files

from .checkpoint import read_checkpoint
from .data import Examples, Progress, load_examples
from .framing import Framing, ModelFrame, frame_to_learn
from .model import load_model
from .supply import FromExamples, FromStream
from .vgg_weights import WeightsMissing


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """Patterns to learn from.

    Attributes
    ----------
    patterns : Examples or PatternSource
        In memory, or drawn as they are needed.
    apart : Examples or None
        Patterns of other shapes that thresholds and probabilities come from.
    frame : ModelFrame
        What all of them are brought to.
    sources : list of dict
        What was taken from where, JSON-able.
    n : int
        Patterns in `patterns`, or of an epoch.
    """

    patterns: Examples | PatternSource
    apart: Examples | None
    frame: ModelFrame
    sources: list[dict[str, Any]]
    n: int

    def supply(
        self, fraction: float, seed: int, opened: ExitStack, progress: Progress | None
    ) -> FromExamples | FromStream:
        """Return where the batches come from; what it opens is `opened`'s to close."""
        if isinstance(self.patterns, Examples):
            return FromExamples(self.patterns, fraction, seed)

        def look_at(view: View) -> Look:
            return Framing(view.shape, view.mask, view.geometry, self.frame).half

        stream = opened.enter_context(self.patterns.stream(look_at))
        return FromStream(stream, self.patterns.n, fraction, progress)

    def identity(self, settings: dict[str, Any]) -> str:
        """Hash of all that decides the outcome."""
        decides: list[Any] = self.sources
        if isinstance(self.patterns, Examples):
            decides = _contents(self.patterns)
        if self.apart is not None:
            decides = [decides, _contents(self.apart)]
        everything = {
            "config": settings,
            "frame": asdict(self.frame),
            "data": decides,
            "version": __version__,
        }
        return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:12]

    def name(self, identity: str) -> str:
        """Return what a model is called that nobody named: shapes, number and hash."""
        shapes = {shape for source in self.sources for shape in source["shapes"] or ()}
        said = "-".join(sorted(shapes)) or Path(self.sources[0]["file"]).stem
        return f"{said}-{self.n}-{identity[:6]}"


def gather(
    data: Iterable[Path] | PatternSource,
    size: int,
    *,
    shapes: Sequence[str] | None,
    hold_out: Sequence[str] | None,
    calibrate: Iterable[Path] | None,
    progress: Progress | None,
) -> Material:
    """Read files, or look at what draws patterns; see `train` for what is given.

    Parameters
    ----------
    size : int
        Pixels along an edge of the frame that the network sees.

    Raises
    ------
    InputError
        If the data do not serve, see `load_examples`, or what calibrates is learned from.
    """
    patterns: Examples | PatternSource
    if isinstance(data, PatternSource):
        if shapes or hold_out:
            raise InputError("Shapes are chosen among files; what draws patterns has shapes of its own.")
        patterns = data
        frame = frame_to_learn(size, data.geometries)
        sources, n = [data.describe()], data.n
    else:
        files = find_pattern_files(data)
        frame = frame_to_learn(size, map(_geometry, files))
        patterns = load_examples(
            files, frame, shapes=shapes or (), hold_out=hold_out or (), progress=progress
        )
        sources, n = patterns.sources, len(patterns.labels)
    apart = None
    if calibrate is not None:
        apart = load_examples(find_pattern_files(calibrate), frame, progress=progress)
        if isinstance(patterns, Examples):
            _require_apart(patterns.sources, apart.sources)
    return Material(patterns=patterns, apart=apart, frame=frame, sources=sources, n=n)


def _require_apart(learned: Sequence[dict[str, Any]], apart: Sequence[dict[str, Any]]) -> None:
    for one, other in product(learned, apart):
        same_file = Path(one["file"]).resolve() == Path(other["file"]).resolve()
        share = not one["shapes"] or not other["shapes"] or set(one["shapes"]) & set(other["shapes"])
        if (same_file and share) or one["content_crc32"] == other["content_crc32"]:
            raise InputError(
                f"Patterns of {other['file']} are learned from; calibrate on others, of shapes that are not."
            )


def is_trained(path: Path, identity: str, overwrite: bool) -> bool:
    """Tell whether the model is there already.

    Raises
    ------
    InputError
        If another one stands in its place.
    """
    if not path.exists() and not path.with_suffix(".json").exists():
        return False
    try:
        if load_model(path).about.get("identity") == identity:
            return True
    except WeightsMissing:
        if not overwrite:
            raise
    except InputError:  # half of a model, or none
        if _is_begun(path.with_suffix(".part"), identity):  # killed between the two files of this very one
            return False
    if overwrite:
        return False
    raise InputError(
        f"{path} exists and came from other patterns or settings; choose another name or add --overwrite."
    )


def _is_begun(part: Path, identity: str) -> bool:
    """Tell whether this very training stands there unfinished."""
    try:
        return read_checkpoint(part)[0].get("identity") == identity
    except InputError:
        return False


def _contents(examples: Examples) -> list[Any]:
    """Tell what was learned from, wherever the files lie."""
    return [[source["n"], source["content_crc32"]] for source in examples.sources]


def _geometry(path: Path) -> Geometry | None:
    with PatternSet.open(path) as patterns:
        return patterns.geometry
