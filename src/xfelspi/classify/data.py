"""Pattern files -> what a network learns from, in memory."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, hidden_multiples, settle_centre

from .compute import cores
from .framing import Framing, ModelFrame

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of it that is done."""

_AT_ONCE = 64  # frames of a file in memory, per core
_MEMORY_SHARE = 0.6  # of the machine's, for the frames to learn from


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Labelled frames in memory.

    Attributes
    ----------
    frames : (n, size, size) float16
        Photons, exact up to 2048; `MASKED` where there is no measurement.
    labels : (n,) int64
        1 single, 0 not.
    clear : (n,) bool
        Clear multiples; all that is not single where the truth is not known.
    hidden : (n,) bool
        Multiples that are not clear.
    pairs : (n,) int64
        Patterns with the same number stay on one side of a split: the simulator draws one single and one
        multiple per consecutive pair, and with one seed the same pulses and poses for every shape.
    sources : list of dict
        File by file, what was taken: JSON-able.
    """

    frames: Tensor
    labels: Tensor
    clear: np.ndarray
    hidden: np.ndarray
    pairs: np.ndarray
    sources: list[dict[str, Any]]


def load_examples(
    files: Sequence[Path],
    frame: ModelFrame,
    *,
    shapes: Sequence[str] = (),
    hold_out: Sequence[str] = (),
    progress: Progress | None = None,
) -> Examples:
    """Read every labelled pattern of some files.

    Parameters
    ----------
    files : sequence of Path
        Pattern files; measured ones carry a dataset `labels`.
    frame : ModelFrame
        What the frames are brought to.
    shapes, hold_out : sequence of str
        Take only simulated patterns of these shapes; leave out those of these. Files that do not name
        shapes, as measured ones do not, are taken whole.
    progress : callable, optional
        Told how far the reading is.

    Raises
    ------
    InputError
        If a file has no labels, a shape is in none of the files, a class is missing, two files hold the same,
        or the frames do not fit in memory.
    """
    with ExitStack() as opened:
        sets = [opened.enter_context(PatternSet.open(path)) for path in files]
        for patterns in sets:
            if patterns.centre_yx is None:  # as it will be found when such frames are sorted
                settle_centre(patterns)
        _require_shapes(sets, [*shapes, *hold_out])
        chosen = [_choose(patterns, shapes, hold_out) for patterns in sets]
        both = list(zip(sets, chosen, strict=True))
        labels = np.concatenate([_labels(patterns)[indices] for patterns, indices in both])
        for value, what in ((1, "single hits"), (0, "anything but single hits")):
            if value not in labels:
                raise InputError(
                    f"Among the {labels.size} labelled patterns chosen there are no {what}; "
                    "a network learns from both, so add such patterns."
                )
        _require_memory(labels.size, frame)
        frames = torch.empty((labels.size, frame.size, frame.size), dtype=torch.float16)
        stops = np.cumsum([len(indices) for indices in chosen])
        for (patterns, indices), stop in zip(both, stops, strict=True):
            _read(patterns, indices, frame, frames[stop - len(indices) : stop])
            if progress is not None:
                progress("reading patterns", stop / labels.size)
        sources = [
            _describe(patterns, indices, frames[stop - len(indices) : stop])
            for (patterns, indices), stop in zip(both, stops, strict=True)
        ]
        _require_distinct(sources)
        return Examples(
            frames=frames,
            labels=torch.from_numpy(labels.astype(np.int64)),
            clear=np.concatenate([_clear(patterns)[indices] for patterns, indices in both]),
            hidden=np.concatenate([_hidden(patterns)[indices] for patterns, indices in both]),
            pairs=_pairs(sets, chosen),
            sources=sources,
        )


def split(pairs: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indices to learn from, and a random `fraction` to validate with; pairs stay together.

    Examples
    --------
    >>> learned, held = split(np.array([0, 0, 1, 1, 2, 2, 3, 3]), 0.25, seed=0)
    >>> len(learned), len(held)
    (6, 2)
    """
    numbers = np.unique(pairs)
    n_held = max(1, round(fraction * len(numbers)))
    held = np.random.default_rng(seed).permutation(numbers)[:n_held]
    is_held = np.isin(pairs, held)
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def _choose(patterns: PatternSet, shapes: Sequence[str], hold_out: Sequence[str]) -> np.ndarray:
    wanted = _labels(patterns) >= 0
    if patterns.shapes is not None:
        if shapes:
            wanted &= np.isin(patterns.shapes, list(shapes))
        wanted &= ~np.isin(patterns.shapes, list(hold_out))
    return np.flatnonzero(wanted)


def _pairs(sets: Sequence[PatternSet], chosen: Sequence[np.ndarray]) -> np.ndarray:
    """Give each pair a number; files of one seed share theirs, no others do."""
    groups: dict[tuple[str, Any], int] = {}
    rows = []
    for number, (patterns, indices) in enumerate(zip(sets, chosen, strict=True)):
        seed = None if patterns.run is None else patterns.run.get("seed")
        key = ("file", number) if seed is None else ("seed", seed)
        group = groups.setdefault(key, len(groups))
        shots = indices if seed is None else _shots(patterns, seed)[indices]
        rows.append(np.stack([np.full(shots.size, group), shots // 2], axis=1))
    return np.unique(np.concatenate(rows), axis=0, return_inverse=True)[1].ravel()


def _shots(patterns: PatternSet, seed: int) -> np.ndarray:
    """Which of the seed's shots a file holds: of a copy of some of them the names tell, "seed:index"."""
    if patterns.ids is not None:
        parts = [str(name).rpartition(":") for name in patterns.ids]
        if all(before == str(seed) and index.isdecimal() for before, _, index in parts):
            return np.array([int(index) for _, _, index in parts])
    return np.arange(patterns.n)


def _labels(patterns: PatternSet) -> np.ndarray:
    if patterns.labels is None:
        raise InputError(
            f"{patterns.path} has no labels to learn from; simulated files have them, and a measured one "
            "needs a dataset called labels (1 single, 0 not, -1 unknown)."
        )
    return patterns.labels


def _clear(patterns: PatternSet) -> np.ndarray:
    return _labels(patterns) == 0 if patterns.clear is None else patterns.clear


def _hidden(patterns: PatternSet) -> np.ndarray:
    return np.zeros(patterns.n, bool) if patterns.truth is None else hidden_multiples(patterns.truth)


def _require_shapes(sets: Sequence[PatternSet], named: Sequence[str]) -> None:
    there = {str(shape) for patterns in sets if patterns.shapes is not None for shape in patterns.shapes}
    for shape in named:
        if shape not in there:
            hold = ", ".join(sorted(there)) or "no shapes"
            raise InputError(f"There are no patterns of a shape {shape} here; the files hold {hold}.")


def _require_distinct(sources: Sequence[dict[str, Any]]) -> None:
    """Refuse what would be learned from and held out at once."""
    first: dict[tuple[int, int], str] = {}
    for source in sources:
        same = first.setdefault((source["n"], source["content_crc32"]), source["file"])
        if same != source["file"]:
            raise InputError(f"{source['file']} holds the same patterns as {same}; name one of them.")


def _require_memory(n: int, frame: ModelFrame) -> None:
    needed = n * frame.size**2 * torch.finfo(torch.float16).bits // 8
    there = _MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise InputError(
            f"{n} patterns take {needed / 1e9:.2g} GB of memory and this machine can give {there / 1e9:.2g}; "
            f"train on {int(n * there / needed)} or fewer."
        )


def _read(patterns: PatternSet, indices: np.ndarray, frame: ModelFrame, out: Tensor) -> None:
    framing = Framing(patterns.shape, patterns.mask, patterns.geometry, frame, patterns.centre_yx)

    def read(begin: int) -> None:
        low, high = np.searchsorted(indices, (begin, begin + _AT_ONCE))
        if low < high:
            counts = patterns.frames(begin, begin + _AT_ONCE).counts[indices[low:high] - begin]
            out[low:high] = torch.from_numpy(framing.half(counts))

    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(read, range(0, patterns.n, _AT_ONCE)):
            pass


def _describe(patterns: PatternSet, indices: np.ndarray, frames: Tensor) -> dict[str, Any]:
    run = patterns.run or {}
    crc = 0
    for known in (_labels(patterns), _clear(patterns), _hidden(patterns)):
        crc = zlib.crc32(known[indices].tobytes(), crc)
    crc = zlib.crc32((indices // 2).tobytes(), crc)
    for block in frames.split(256):
        crc = zlib.crc32(block.contiguous().numpy().tobytes(), crc)
    return {
        "file": str(patterns.path),
        "n": len(indices),
        "shapes": None if patterns.shapes is None else sorted(set(patterns.shapes[indices].tolist())),
        "recipe": run.get("recipe"),
        "seed": run.get("seed"),
        "version": run.get("version"),
        "content_crc32": crc,
    }
