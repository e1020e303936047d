"""What may happen to a frame without changing what it shows."""

from __future__ import annotations

import torch
from torch import Tensor

from .framing import MASKED


def augment(frames: Tensor, generator: torch.Generator, *, turns: bool, largest_shift: int) -> Tensor:
    """Mirror each frame at random, and turn and shift it.

    A mirrored or turned pattern is that of a mirrored or turned scene; a shifted one, of a beam that
    points elsewhere.

    Parameters
    ----------
    frames : (batch, size, size)
        Photons, `MASKED` where unknown; the mask moves along.
    generator : torch.Generator
        Decides.
    turns : bool
        Quarter turns too, by mirroring along the diagonal.
    largest_shift : int
        Pixels, along either axis; what comes in from outside is masked.
    """
    out = torch.full_like(frames, MASKED)
    size = frames.shape[-1]
    mirrors = torch.randint(8 if turns else 4, (len(frames),), generator=generator).tolist()
    shifts = torch.randint(-largest_shift, largest_shift + 1, (len(frames), 2), generator=generator).tolist()
    for source, target, mirror, (dy, dx) in zip(frames, out, mirrors, shifts, strict=True):
        if mirror & 1:
            source = source.flip(0)
        if mirror & 2:
            source = source.flip(1)
        if mirror & 4:
            source = source.T
        target[max(dy, 0) : size + min(dy, 0), max(dx, 0) : size + min(dx, 0)] = source[
            max(-dy, 0) : size + min(-dy, 0), max(-dx, 0) : size + min(-dx, 0)
        ]
    return out
