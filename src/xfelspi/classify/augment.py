"""Frames that could have been taken as well: what a network sees in training, never twice the same."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from xfelspi.errors import InputError

from .framing import MASKED
from .hide import halves, holes
from .zoom import zoom


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How frames are changed; none of it changes whether one particle was hit.

    Attributes
    ----------
    turns : bool
        Swap rows and columns for half of the frames, which with the flips makes quarter turns. Flips are
        always made.
    shift_pixels : int
        Largest shift along either axis: the beam moves. What comes in from outside is masked.
    relief : float
        Largest standard deviation, in natural logarithms, of a smooth random field that the photons are
        multiplied with; each frame draws its own, from 0 up. A smooth field changes the particle's own
        pattern as another shape would, and leaves fringes between particles as they are.
    relief_nodes : int
        Independent values of the field along an edge of the frame.
    thin : float
        Smallest share of a frame's photons that is kept: each frame draws its own share, log-uniform up to
        1, and keeps each photon with that chance. Poisson counts stay Poisson counts, of a dimmer pulse. 1
        keeps all.
    zoom : float
        Largest factor by which a frame is magnified around the beam: each draws its own, log-uniform from
        1/zoom to zoom, see `zoom`. The particle is as much smaller or larger, and so are distances: fringes
        of a pair far apart may become too fine to see.
    holes : int
        Largest number of discs and bars that are masked; each frame draws its own from 0 up, and places.
    halves : float
        Share of frames of which up to half is masked, beyond a line in any direction.
    """

    turns: bool = True
    shift_pixels: int = 2
    relief: float = 0.4
    relief_nodes: int = 8
    thin: float = 1.0
    zoom: float = 1.0
    holes: int = 0
    halves: float = 0.0

    def __post_init__(self) -> None:
        if self.shift_pixels < 0 or self.relief < 0 or self.relief_nodes < 4:
            raise InputError(
                f"Augmentation has shift_pixels {self.shift_pixels}, relief {self.relief} and relief_nodes "
                f"{self.relief_nodes}; needed are 0 or more, 0 or more and 4 or more."
            )
        if not 0 < self.thin <= 1:
            raise InputError(f"Augmentation has thin {self.thin}; needed is a share above 0, and 1 at most.")
        if not 1 <= self.zoom <= 4 or not 0 <= self.holes <= 20 or not 0 <= self.halves <= 1:
            raise InputError(
                f"Augmentation has zoom {self.zoom}, holes {self.holes} and halves {self.halves}; needed are "
                "1 to 4, 0 to 20 and a share from 0 to 1."
            )

    def __call__(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        """Change each frame by its own draw.

        Parameters
        ----------
        frames : (k, size, size)
            Photons, `MASKED` where unknown.
        generator : torch.Generator
            Source of chance.

        Returns
        -------
        changed : (k, size, size) float32
        """
        changed = self._move(frames, generator).float()
        k, size, _ = changed.shape
        if self.zoom > 1:
            power = 2 * torch.rand(k, generator=generator) - 1
            changed = zoom(changed, self.zoom**power, generator)
        if self.thin < 1:
            changed = self._thin(changed, generator)
        if self.relief:
            changed = self._emboss(changed, generator)
        if self.holes:
            changed.masked_fill_(holes(k, size, self.holes, generator), MASKED)
        if self.halves:
            changed.masked_fill_(halves(k, size, self.halves, generator), MASKED)
        return changed

    def _move(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        k, size, _ = frames.shape
        flips = torch.randint(0, 8 if self.turns else 4, (k,), generator=generator).tolist()
        reach = self.shift_pixels
        shifts = torch.randint(-reach, reach + 1, (k, 2), generator=generator).tolist()
        moved = torch.full_like(frames, MASKED)
        for frame, target, flip, (dy, dx) in zip(frames, moved, flips, shifts, strict=True):
            if flip & 1:
                frame = frame.flip(0)
            if flip & 2:
                frame = frame.flip(1)
            if flip & 4:
                frame = frame.T
            target[max(dy, 0) : size + dy, max(dx, 0) : size + dx] = frame[
                max(-dy, 0) : size - dy, max(-dx, 0) : size - dx
            ]
        return moved

    def _thin(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        share = self.thin ** torch.rand((len(frames), 1, 1), generator=generator)
        photons = frames.clamp_min(0)
        whole = photons.floor()
        kept = torch.binomial(whole, share.expand_as(whole).contiguous(), generator=generator)
        kept += share * (photons - whole)  # of a photon that resampling shared out among pixels
        return torch.where(frames < 0, frames, kept)

    def _emboss(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        k, size, _ = frames.shape
        nodes = torch.eye(self.relief_nodes)[None, None]
        between = functional.interpolate(
            nodes, (size, self.relief_nodes), mode="bicubic", align_corners=True
        )[0, 0]
        heights = torch.randn((k, self.relief_nodes, self.relief_nodes), generator=generator)
        heights *= self.relief * torch.rand((k, 1, 1), generator=generator)
        field = (between @ heights @ between.T).exp_()
        return torch.where(frames > 0, frames * field, frames)
