"""What a detector may lack: random places for holes, gaps and missing halves."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def holes(k: int, size: int, most: int, generator: torch.Generator) -> Tensor:
    """Discs and bars, from none to `most` in each frame, at random places.

    Half of them are discs of radius size/64 to size/10, half bars across the frame, size/64 to size/16 wide,
    at any angle.

    Returns
    -------
    hidden : (k, size, size) bool
    """
    n = torch.randint(0, most + 1, (k,), generator=generator)
    y, x = _pixels(size)
    hidden = torch.zeros((k, size, size), dtype=torch.bool)
    for i in range(most):
        row, column, angle, kind, extent = torch.rand((5, k, 1, 1), generator=generator)
        dy, dx = y - size * (row - 0.5), x - size * (column - 0.5)
        disc = dy**2 + dx**2 < (size * (1 / 64 + extent * (1 / 10 - 1 / 64))) ** 2
        across = dx * torch.cos(math.pi * angle) + dy * torch.sin(math.pi * angle)
        bar = 2 * across.abs() < size * (1 / 64 + extent * (1 / 16 - 1 / 64))
        hidden |= torch.where(kind < 0.5, disc, bar) & (i < n)[:, None, None]
    return hidden


def halves(k: int, size: int, share: float, generator: torch.Generator) -> Tensor:
    """All that is beyond a line, for a share of the frames: up to half of the frame.

    The line has any direction, and runs up to a quarter of the frame from its middle.

    Returns
    -------
    hidden : (k, size, size) bool
    """
    is_chosen, angle, away = torch.rand((3, k, 1, 1), generator=generator)
    y, x = _pixels(size)
    beyond = x * torch.cos(2 * math.pi * angle) + y * torch.sin(2 * math.pi * angle)
    return (beyond > away * size / 4) & (is_chosen < share)


def _pixels(size: int) -> tuple[Tensor, Tensor]:
    """Rows and columns from the middle, (size, 1) and (1, size)."""
    from_middle = torch.arange(size) - (size - 1) / 2
    return from_middle[:, None], from_middle[None]
