"""A few numbers for each frame that brightness cannot decide."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .angular import angular_power
from .frames import FrameSet
from .friedel import friedel_symmetry
from .fringes import fringe_visibility
from .rings import offsets
from .thinning import common_total, thinned

FEATURE_NAMES = (
    "fringe_visibility",
    "friedel_asymmetry",
    "odd_angular_power",
    "even_angular_power",
    "share_middle",
    "share_outer",
    "share_edge",
    "pixel_contrast",
    "row_stripes",
)


class FrameFeatures(NamedTuple):
    """Features of the frames that have photons enough."""

    values: np.ndarray
    """(k, 9) float64."""
    names: tuple[str, ...]
    """`FEATURE_NAMES`."""
    kept: np.ndarray
    """Indices of the frames: (k,); dimmer ones are left out."""


def frame_features(frames: FrameSet, total: int | None = None, seed: int = 0) -> FrameFeatures:
    """Nine numbers for each frame, from as many photons of each.

    * `fringe_visibility`, `friedel_asymmetry`: see the functions of these names;
    * `odd_angular_power`, `even_angular_power`: root of the mean power of orders 1, 3, 5 and 2, 4, 6 (minus
      the root where Poisson noise takes it below 0);
    * `share_middle`, `share_outer`, `share_edge`: logarithm of the share of photons at 1/8 to 1/4, 1/4 to
      1/2 and beyond 1/2 of half the frame's size from the centre;
    * `pixel_contrast`: logarithm of k (k - 1) over the product of neighbours, summed beyond 1/4: 0 for
      smooth light, above for hot pixels, below for charge shared between pixels;
    * `row_stripes`: logarithm of the product of neighbours along rows over that along columns.

    Parameters
    ----------
    frames : FrameSet
        Photons.
    total : int, optional
        Photons kept of each frame, see `thinned`; give both of two sets the same. Without it
        `common_total`.
    seed : int
        Which photons are kept.

    Raises
    ------
    InputError
        If no frame has as many photons.
    """
    total = common_total(frames) if total is None else total
    dimmed, kept = thinned(frames, total, seed)
    return FrameFeatures(thinned_features(dimmed, seed), FEATURE_NAMES, kept)


def thinned_features(frames: FrameSet, seed: int = 0) -> np.ndarray:
    """Return the features of frames that already have the same number of photons: (n, 9)."""
    power = angular_power(frames).value()
    radius = np.hypot(*offsets(frames)) / (min(frames.good.shape) / 2)
    n, pixels = frames.n, frames.counts.reshape(frames.n, -1).astype(np.float32)
    totals = frames.totals
    shares = [
        np.log((pixels @ ((radius >= low) & (radius < high)).ravel().astype(np.float32) + 1) / (totals + 1))
        for low, high in ((1 / 8, 1 / 4), (1 / 4, 1 / 2), (1 / 2, np.inf))
    ]
    outside = (radius >= 1 / 4) & frames.good
    counts = np.where(outside, frames.counts, 0).astype(np.float32)
    beside = np.einsum("nyx,nyx->n", counts[:, :, 1:], counts[:, :, :-1])
    above = np.einsum("nyx,nyx->n", counts[:, 1:], counts[:, :-1])
    alone = np.einsum("nyx,nyx->n", counts, np.maximum(counts - 1, 0))
    pairs_beside = max(1, np.count_nonzero(outside[:, 1:] & outside[:, :-1]))
    pairs_above = max(1, np.count_nonzero(outside[1:] & outside[:-1]))
    mean_beside, mean_above = (beside + 1) / pairs_beside, (above + 1) / pairs_above
    mean_alone = (alone + 1) / max(1, np.count_nonzero(outside))
    return np.column_stack(
        [
            fringe_visibility(frames, seed),
            _signed_root(friedel_symmetry(frames).asymmetry),
            _signed_root(power[:, 0::2].mean(axis=1)),
            _signed_root(power[:, 1::2].mean(axis=1)),
            *shares,
            np.log(mean_alone / np.sqrt(mean_beside * mean_above)),
            np.log(mean_beside / mean_above),
        ]
    ).reshape(n, len(FEATURE_NAMES))


def _signed_root(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.sqrt(np.abs(values))
