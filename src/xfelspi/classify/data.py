"""Pattern files -> frames and labels in memory, and the split into training and validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

from .compute import cores
from .framing import Framing, ModelFrame

BLOCK = 256
"""Frames read at once."""


@dataclass(frozen=True)
class Labelled:
    """Labelled frames in memory.

    Attributes
    ----------
    frames : (n, size, size) float16
        Photons in the model's square, `MASKED` where unknown; half precision keeps counts to 2048 exact.
    labels : (n,) int64
        1 single, 0 not.
    clear : (n,) bool
        Multiples that can be told from singles; all that is not single where the truth is not known.
    pair : (n,) int64
        Shots that belong together, which a split must not part.
    sources : list of dict
        One for each file: path, patterns, shapes, seed, recipe.
    """

    frames: Tensor
    labels: Tensor
    clear: Tensor
    pair: Tensor
    sources: list[dict]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: Tensor) -> Labelled:
        return Labelled(
            self.frames[chosen], self.labels[chosen], self.clear[chosen], self.pair[chosen], self.sources
        )


def load_labelled(
    files: Sequence[Path],
    frame: ModelFrame,
    *,
    shapes: Sequence[str] = (),
    hold_out: Sequence[str] = (),
    progress: Callable[[float], None] = lambda _: None,
) -> Labelled:
    """Read labelled patterns; those with an unknown label are left out.

    Parameters
    ----------
    files : sequence of Path
        Pattern files, measured ones with labels among them.
    frame : ModelFrame
        What the model sees.
    shapes, hold_out : sequence of str
        Take only these shapes; leave these out. Files without a truth have no shape and are always taken.
    progress : callable, optional
        Told the fraction read.

    Raises
    ------
    InputError
        If a file has no labels, or nothing is left of either class.
    """
    frames, labels, clear, pairs, sources = [], [], [], [], []
    seen_shapes: set[str] = set()
    for number, path in enumerate(files):
        with PatternSet.open(path) as patterns:
            if patterns.labels is None:
                raise InputError(
                    f"{path} has no labels to learn from; give simulated patterns, or a file with a dataset "
                    "`labels` (1 single, 0 not)."
                )
            taken = patterns.labels >= 0
            if patterns.shapes is not None:
                seen_shapes |= set(patterns.shapes.tolist())
                if shapes:
                    taken &= np.isin(patterns.shapes, list(shapes))
                taken &= ~np.isin(patterns.shapes, list(hold_out))
            if not taken.any():
                continue
            framing = Framing(patterns.shape, patterns.mask, patterns.geometry, frame)
            for start in range(0, patterns.n, BLOCK):
                chosen = taken[start : start + BLOCK]
                if chosen.any():
                    counts = patterns.frames(start, start + BLOCK).counts[chosen]
                    frames.append(torch.from_numpy(framing(counts).astype(np.float16)))
                progress((number + min(1.0, (start + BLOCK) / patterns.n)) / len(files))
            labels.append(patterns.labels[taken])
            known = patterns.clear
            clear.append((patterns.labels == 0 if known is None else known)[taken])
            pairs.append((np.flatnonzero(taken) // 2) * len(files) + number)
            sources.append(_source(patterns, int(taken.sum())))
    unknown = sorted((set(shapes) | set(hold_out)) - seen_shapes)
    if unknown:
        raise InputError(
            f"No pattern shows {', '.join(unknown)}; the files hold {', '.join(sorted(seen_shapes)) or 'no shapes'}."
        )
    found = np.concatenate(labels) if labels else np.zeros(0, np.int8)
    for label, name in ((1, "single hits"), (0, "anything but single hits")):
        if (found == label).sum() < 2:
            raise InputError(f"There are fewer than 2 patterns of {name} to learn from; add such patterns.")
    return Labelled(
        torch.cat(frames),
        torch.from_numpy(found.astype(np.int64)),
        torch.from_numpy(np.concatenate(clear)),
        torch.from_numpy(np.concatenate(pairs)),
        sources,
    )


def _source(patterns: PatternSet, taken: int) -> dict:
    run = patterns.run or {}
    return {
        "file": str(patterns.path),
        "patterns": taken,
        "shapes": [] if patterns.shapes is None else sorted(set(patterns.shapes.tolist())),
        "seed": run.get("seed"),
        "recipe": run.get("recipe"),
    }


def split(data: Labelled, validation_fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return indices of training and validation patterns; the two shots of a pair stay together.

    Raises
    ------
    InputError
        If either side would lack one of the classes.
    """
    groups = data.pair.unique()
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed))
    n_held = max(1, round(validation_fraction * len(groups)))
    held = torch.isin(data.pair, groups[order[:n_held]])
    training, validation = torch.nonzero(~held).ravel(), torch.nonzero(held).ravel()
    for side, name in ((training, "training"), (validation, "validation")):
        if len(data.labels[side].unique()) < 2:
            raise InputError(
                f"{len(data)} patterns are too few: the {name} part lacks one of the classes; simulate more."
            )
    return training, validation
