"""The pattern of a smaller or larger particle of the same make: the frame magnified around the beam."""

from __future__ import annotations

import torch
from torch import Tensor

from .framing import MASKED


def zoom(frames: Tensor, factors: Tensor, generator: torch.Generator) -> Tensor:
    """Magnify each frame by its own factor; photons are moved, neither made nor lost but over the edge.

    A photon is shared out by the areas that its pixel has in common with the new ones, and what is not
    whole of a new pixel's sum becomes a photon with that chance. So counts stay whole and as large as
    expected: in each pixel 1/factor² of what they were, on average.

    Parameters
    ----------
    frames : (k, size, size) float32
        Photons, `MASKED` where unknown.
    factors : (k,) float32
        Above 1 the particle and its distances shrink and the pattern widens.
    generator : torch.Generator
        Source of chance.

    Returns
    -------
    zoomed : (k, size, size) float32
        `MASKED` where less than half of a pixel was measured.

    Examples
    --------
    >>> frame = torch.tensor([[[4.0, 0, 0, 8], [0, 4, 8, 0], [0, 0, 4, 0], [0, 0, 0, MASKED]]])
    >>> zoom(frame, torch.tensor([0.5]), torch.Generator())[0]
    tensor([[-1., -1., -1., -1.],
            [-1.,  8., 16., -1.],
            [-1.,  0.,  4., -1.],
            [-1., -1., -1., -1.]])
    """
    size = frames.shape[1]
    shares = _shares(size, factors)
    across = shares.transpose(1, 2)
    photons = shares @ frames.clamp_min(0) @ across
    measured = shares @ (frames >= 0).to(frames.dtype) @ across
    whole = photons.floor()
    whole += torch.rand(whole.shape, generator=generator) < photons - whole
    return torch.where(measured * factors[:, None, None] ** 2 < 0.5, MASKED, whole)


def _shares(size: int, factors: Tensor) -> Tensor:
    """Length that each old pixel has in common with each new one: (k, new, old)."""
    edges = size / 2 + (torch.arange(size + 1) - size / 2) / factors[:, None]
    pixels = torch.arange(size)
    shared = torch.minimum(edges[:, 1:, None], pixels + 1) - torch.maximum(edges[:, :-1, None], pixels)
    return shared.clamp_min(0)
