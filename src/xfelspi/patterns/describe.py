"""What a pattern file holds, in a few facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from .reader import PatternSet
from .truth import LABELS


def describe(patterns: PatternSet) -> dict[str, Any]:
    """Gather the facts of `xfel info`: JSON-able, None for what the file does not say.

    Photons, and the pixels that were NaN or negative, are those of `looked_at` frames, spread evenly
    over the file; photons are counted on good pixels.
    """
    looked_at = np.unique(np.linspace(0, patterns.n - 1, patterns.looks).astype(int))
    photons, n_nan, n_negative = [], 0, 0
    for index in looked_at:
        frames = patterns.frames(index, index + 1)
        photons.append(float(frames.counts[0].sum(where=~patterns.mask, dtype=float)))
        n_nan += frames.n_nan
        n_negative += frames.n_negative
    run = patterns.run or {}
    return {
        "file": str(patterns.path),
        "format": patterns.format,
        "patterns": patterns.n,
        "frame": list(patterns.shape),
        "masked_pixels": int(patterns.mask.sum()),
        "labels": _label_counts(patterns),
        "clear_multiples": None if patterns.clear is None else int(patterns.clear.sum()),
        "shapes": None if patterns.shapes is None else dict(Counter(patterns.shapes.tolist())),
        "photons": {"least": min(photons), "median": float(np.median(photons)), "most": max(photons)},
        "nan_pixels": n_nan,
        "negative_pixels": n_negative,
        "looked_at": len(looked_at),
        "geometry": None if patterns.geometry is None else asdict(patterns.geometry),
        "recipe": run.get("recipe"),
        "seed": run.get("seed"),
        "version": run.get("version"),
        "command": run.get("command"),
    }


def _label_counts(patterns: PatternSet) -> dict[str, int] | None:
    if patterns.truth is not None and not patterns.labels_given:
        counts = np.bincount(patterns.truth["label"], minlength=len(LABELS))
        return {name: int(count) for name, count in zip(LABELS, counts, strict=True) if count}
    if patterns.labels is None:
        return None
    names = {1: "single", 0: "not single", -1: "unknown"}
    return {names[int(label)]: count for label, count in Counter(patterns.labels.tolist()).items()}
