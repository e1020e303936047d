"""How far the Patterson function of a pattern reaches: what tells pairs from singles whatever their shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .rings import radius

NEAREST, BEYOND = 3, 2
"""Lags below the first carry the level of the pattern alone; so many below the longest are left out."""

_STRETCH = 1.2  # in training; with more, pairs about a diameter apart are taken for larger singles

_BLUR, _SMOOTH = 2.0, 6.0  # rings: of sums, so that few photons make a mean, and of its logarithm
_FLOOR = 0.1  # photons and pixels, added to the sums of a ring
_WIDTHS = (64, 32)


class Reach(nn.Module):
    """Frames -> two logits, from how strong the Patterson function is at each lag and beyond.

    The Patterson function, the Fourier transform of the intensities, is the autocorrelation of the density
    (Patterson 1934, Phys. Rev. 46, 372): of one particle it ends at the particle's diameter, whatever the
    shape; each pair of particles adds lobes about their distance, which is a diameter or more. So of a
    single nothing but noise is left beyond some lag, of several there is light.

    What is transformed are the counts less the mean of their ring, which is smoothed so much that it has no
    fringes of its own: so the hole and the edges of the detector make little. Fringes are as strong as the
    mean itself, and so is the variance of the photons: no weight on the counts shows them better than none
    (the matched filter). Noise alone has an rms of √N for N photons, and that is the unit.

    In training lags are stretched, each frame's by its own factor, as if particle and distances were as much
    larger: where a single ends is learned from how the reach falls off, not as so many pixels.

    Parameters
    ----------
    size : int
        Pixels along an edge of a frame.
    """

    ring: Tensor
    blur: Tensor
    smooth: Tensor
    at_lag: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        ring = radius(size).long()
        n_rings = int(ring.max()) + 1
        places = torch.arange(n_rings, dtype=torch.float32)
        self.register_buffer("ring", ring.flatten(), persistent=False)
        self.register_buffer("blur", _gaussian(places, _BLUR), persistent=False)
        weights = _gaussian(places, _SMOOTH)
        self.register_buffer("smooth", weights / weights.sum(0), persistent=False)
        self.register_buffer("at_lag", _by_lag(size), persistent=False)
        self.n_lags = len(self.at_lag)
        few, fewer = _WIDTHS
        self.judge = nn.Sequential(
            nn.BatchNorm1d(self.n_lags),
            nn.Linear(self.n_lags, few),
            nn.ReLU(),
            nn.Linear(few, fewer),
            nn.ReLU(),
            nn.Linear(fewer, 2),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, size, size) photons, `MASKED` where unknown -> (batch, 2): not single, single."""
        with torch.autocast(frames.device.type, enabled=False):
            return self.judge(self.measure(frames.float()))

    def stretched(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        """As `forward`, of other sizes: factors log-uniform from 1 / `_STRETCH` to `_STRETCH`."""
        with torch.autocast(frames.device.type, enabled=False):
            power = 2 * torch.rand(len(frames), generator=generator) - 1
            return self.judge(stretch(self.measure(frames.float()), _STRETCH ** power.to(frames.device)))

    @torch.no_grad()
    def measure(self, frames: Tensor) -> Tensor:
        """Return the logarithm of the strongest value at each lag or beyond, over noise: (batch, n_lags)."""
        counts, good = frames.clamp_min(0), (frames >= 0).to(frames.dtype)
        photons = counts.sum((1, 2)).clamp_min_(1e-12)
        level = self._level(counts, good, photons).view_as(counts)
        lags = torch.fft.rfft2(counts.sub_(level.mul_(good))).abs().flatten(1)
        strongest = lags.index_select(1, self.at_lag.flatten()).unflatten(1, self.at_lag.shape).amax(2)
        strongest /= photons.sqrt()[:, None]
        return strongest.flip(1).cummax(1).values.flip(1).add_(_FLOOR).log_()

    def _level(self, counts: Tensor, good: Tensor, photons: Tensor) -> Tensor:
        """Return the smooth mean of each pixel's ring, (batch, pixels), brought to the photons there are."""
        sums, pixels = (
            values.new_zeros(len(values), len(self.blur)).index_add_(1, self.ring, values.flatten(1))
            for values in (counts, good)
        )
        mean = ((sums @ self.blur + _FLOOR) / (pixels @ self.blur + _FLOOR)).log() @ self.smooth
        mean = mean.exp()
        mean *= (photons / (mean * pixels).sum(1).clamp_min(1e-12))[:, None]
        return mean.index_select(1, self.ring)


def stretch(measured: Tensor, factors: Tensor) -> Tensor:
    """Bring what was measured at each lag, (batch, n_lags), to that lag times (batch,) factors.

    What comes in from beyond the last lag is as at the last.
    """
    n = measured.shape[1]
    lags = torch.arange(NEAREST, NEAREST + n, dtype=measured.dtype, device=measured.device)
    place = (lags / factors[:, None] - NEAREST).clamp(0, n - 1)
    below = place.long().clamp(max=n - 2)
    return torch.lerp(measured.gather(1, below), measured.gather(1, below + 1), place - below)


def _gaussian(places: Tensor, deviation: float) -> Tensor:
    weights = torch.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2)
    return weights / weights.sum(1, keepdim=True)


def _by_lag(size: int) -> Tensor:
    """Places, in half a plane of lags, of each lag rounded to a pixel: (n_lags, most), some repeated."""
    down, across = torch.fft.fftfreq(size, 1 / size), torch.arange(size // 2 + 1)
    lag = torch.hypot(down[:, None], across).round().long().flatten()
    places = [torch.nonzero(lag == one)[:, 0] for one in range(NEAREST, size // 2 - BEYOND)]
    most = max(map(len, places))
    return torch.stack([one[torch.arange(most) % len(one)] for one in places])
