"""Views of a frame in which two particles show otherwise than in the pattern itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .framing import MASKED
from .inputs import Inputs
from .prepare import SCALINGS, Scaled, SquareRoot
from .rings import FrameMean, RingMean, RowMean

_SHARED = 0.1  # pairs of good pixels at a distance, over all pairs: fewer are no measurement
_CORE_PIXELS = 3.0  # of lag: the slow changes of any pattern, half gone at that distance


class Patterson(nn.Module):
    """Modulus of the Fourier transform of a pattern: where there are two particles, lobes at their distance.

    The Patterson function of one particle ends at its diameter from the middle; each pair adds a lobe at
    either side (Patterson 1934, Phys. Rev. 46, 372). The pattern is taken as roots of counts over those of
    their ring's mean, less the mean, so that every ring has its say. Masked pixels take no part: the
    pattern's autocorrelation is divided by that of the mask, the number of pairs of good pixels at each
    distance, before it is transformed; both are cyclic. The middle is damped, and the rest divided by its
    rms, so that noise alone is about 1.

    Parameters
    ----------
    size : int
        Pixels along an edge.
    """

    high_pass: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self._scaled = SquareRoot(RingMean(size))
        lag = torch.fft.fftfreq(size, 1 / size)
        squared = lag[:, None] ** 2 + lag**2
        self.register_buffer(
            "high_pass", 1 - torch.exp(-math.log(2) * squared / _CORE_PIXELS**2), persistent=False
        )

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, 1, y, x), no lag at (size/2, size/2)."""
        good = frames >= 0
        if (good == good[:1]).all():
            good = good[:1]  # one detector for all: once is enough
        good = good.to(frames.dtype)
        n_good = good.sum((1, 2), keepdim=True)
        shown = self._scaled(frames)[:, 0]
        shown -= shown.sum((1, 2), keepdim=True) / n_good.clamp_min(1)
        shared = _autocorrelation(good)
        per_pair = torch.where(shared > _SHARED * frames[0].numel(), 1 / shared.clamp_min(1), 0.0)
        alike = _autocorrelation(shown * good) * per_pair
        power = torch.fft.fft2(alike).real.clamp_min(0) * self.high_pass
        power /= power.mean((1, 2), keepdim=True).clamp_min(1e-12)
        return torch.fft.fftshift(power.sqrt(), (1, 2))[:, None]


class Polar(nn.Module):
    """The pattern by radius (rows, half a pixel apart) and angle (columns, half a turn).

    A pixel and the one opposite it, alike by Friedel's law up to the curvature of the Ewald sphere, are
    averaged, or the good one of them taken. Each ring is scaled by its own mean.

    Parameters
    ----------
    size : int
        Pixels along an edge; as many radii, and as many angles.
    scaled : Scaled
        With the mean of a row.
    """

    places: Tensor

    def __init__(self, size: int, scaled: Scaled) -> None:
        super().__init__()
        self._scaled = scaled
        reach = (torch.arange(size) + 0.5) / size  # over half an edge
        angle = torch.arange(size) * (math.pi / size)
        places = reach[:, None, None] * torch.stack([angle.cos(), angle.sin()], dim=-1)
        self.register_buffer("places", places[None], persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, 1, radius, angle), 0 there."""
        both = torch.stack([frames.clamp_min(0), (frames >= 0).to(frames.dtype)], dim=1)
        both = both + both.flip((2, 3))
        places = self.places.expand(len(frames), -1, -1, -1)
        photons, measured = functional.grid_sample(both, places, align_corners=False).unbind(1)
        return self._scaled(torch.where(measured >= 0.5, photons / measured.clamp_min(0.5), MASKED))


class Wide(nn.Module):
    """The whole frame in pixels of 2 x 2: finer speckles lost, twice the momentum transfer seen.

    A pixel is good where half of it or more was measured.

    Parameters
    ----------
    scaled : Scaled
        What the summed counts are shown by.
    """

    def __init__(self, scaled: Scaled) -> None:
        super().__init__()
        self._scaled = scaled

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, 2 y, 2 x) photons, `MASKED` where unknown -> (batch, 1, y, x), 0 there."""
        photons = 4 * functional.avg_pool2d(frames.clamp_min(0), 2)
        measured = functional.avg_pool2d((frames >= 0).to(frames.dtype), 2)
        return self._scaled(torch.where(measured >= 0.5, photons, MASKED))


class Views(nn.Module):
    """Several views of each frame, one channel each, in the order asked for.

    Parameters
    ----------
    inputs : Inputs
        Which.
    size : int
        Pixels along an edge of a frame.
    """

    def __init__(self, inputs: Inputs, size: int) -> None:
        super().__init__()
        self._near = (size - size // inputs.reach) // 2
        size //= inputs.reach
        of_frame = pattern_view(inputs, size)
        kinds: dict[str, nn.Module] = {
            "pattern": of_frame,
            "patterson": Patterson(size),
            "polar": Polar(size, SCALINGS[inputs.transform](RowMean())),
            "wide": Wide(of_frame),
        }
        self.views = nn.ModuleDict({view: kinds[view] for view in inputs.views})

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, size, size) photons, `MASKED` where unknown -> (batch, views, y, x)."""
        edge = self._near
        near = frames[:, edge:-edge, edge:-edge] if edge else frames
        return torch.cat(
            [view(frames if name == "wide" else near) for name, view in self.views.items()], dim=1
        )


def pattern_view(inputs: Inputs, size: int) -> Scaled:
    """Return what shows a pattern itself."""
    return SCALINGS[inputs.transform](RingMean(size) if inputs.rings else FrameMean())


def _autocorrelation(frames: Tensor) -> Tensor:
    """Sum of products of pixels at each cyclic distance (Wiener and Khinchin)."""
    spectrum = torch.fft.rfft2(frames)
    return torch.fft.irfft2((spectrum * spectrum.conj()).real, s=frames.shape[1:])
