"""Whether a model knows particles that look as large as those of a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xfelspi.classify import Model, q_per_pixel_per_nm
from xfelspi.hits import looks_of
from xfelspi.patterns import Geometry, PatternSet, brightest

SMALLEST = 0.4
"""Of the sphere that a body looks like, over the body's diameter: a torus is at 0.5."""

FEWEST = 3
"""Frames that must tell how large their particles look."""

TINIEST = 48
"""Pixels along an edge that show rings at all."""

COMPARED = 256
"""Pixels along an edge, or a few more, that frames are brought to: on finer ones `SphereFit` ends."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large the particles of a file look to a model, beside those that it learned from.

    All are the turn of the wave from a particle's edge from one pixel of the model's frame to the next, in
    rad: π (diameter) (pixel size) / (λ distance).

    Attributes
    ----------
    seen : float
        In the median over the brightest frames.
    smallest, largest : float
        Of its simulated recipes, at their mean diameters.
    binned : int
        Pixels of the file, along each axis, that have to be taken as one for the model to know the particles:
        1 where it does, or where a geometry says how wide they are.
    """

    seen: float
    smallest: float
    largest: float
    binned: int = 1

    @property
    def ratio(self) -> float:
        """Seen over the end of the range that it lies beyond; 1 within."""
        return max(self.seen / self.largest, 1.0) * min(self.seen / self.smallest, 1.0)


def scale_of(patterns: PatternSet, model: Model) -> Scale | None:
    """Tell how large the particles of a file look; None where the frames do not tell, or the model does not.

    Examples
    --------
    >>> Scale(seen=0.5, smallest=0.125, largest=0.25).ratio
    2.0
    """
    learned = [_phase(recipe, model) for recipe in _recipes(model)]
    if not learned or min(patterns.shape) < TINIEST:
        return None
    binning = max(1, min(patterns.shape) // COMPARED)
    good = _binned(~patterns.mask, binning) == binning**2
    frames = np.stack([np.where(good, _binned(frame, binning), 0) for frame in brightest(patterns)])
    y, x = ((c + 0.5) / binning - 0.5 for c in patterns.beam_yx)
    looks = looks_of(frames, good, (y, x))
    if looks.told.sum() < FEWEST:
        return None
    geometry, model_q = patterns.geometry, model.frame.q_per_pixel_per_nm
    q = model.frame.q_unstated_per_nm if geometry is None else q_per_pixel_per_nm(geometry)
    per_pixel = looks.phase / binning
    seen = per_pixel * max(1.0, model_q / q)  # wider pixels are taken one for one
    smallest, largest = SMALLEST * min(learned), max(learned)
    binned = 1
    if geometry is None and seen < smallest:
        binned = round(math.sqrt(smallest * largest) / per_pixel)
    return Scale(seen=seen, smallest=smallest, largest=largest, binned=binned)


def at_scale(model: Model, scale: Scale | None) -> Model:
    """Return a model that takes as many pixels of a file without a geometry as one as the scale asks for."""
    if scale is None or scale.binned == 1:
        return model
    return replace(
        model, frame=replace(model.frame, q_unstated_per_nm=model.frame.q_per_pixel_per_nm / scale.binned)
    )


def _recipes(model: Model) -> Iterator[dict[str, Any]]:
    """Recipes of what the model learned from, as far as it was simulated."""
    for source in model.about.get("training", {}).get("data") or ():
        for recipe in source.get("recipes") or [source.get("recipe")]:
            if recipe:
                yield recipe


def _phase(recipe: dict[str, Any], model: Model) -> float:
    """Turn of the edge's wave per pixel of the model, at a recipe's mean diameter."""
    detector = recipe["detector"]
    geometry = Geometry(
        photon_energy_ev=recipe["beam"]["photon_energy_ev"],
        distance_m=detector["distance_m"],
        pixel_size_m=detector["pixel_size_m"],
        centre_yx=(0.0, 0.0),
    )
    q = max(q_per_pixel_per_nm(geometry), model.frame.q_per_pixel_per_nm)
    return float(q * recipe["sample"]["diameter_nm"] / 2.0)


def _binned(frame: np.ndarray, by: int) -> np.ndarray:
    """Add up by x by pixels: (ny / by, nx / by); what is left over at the end is left out."""
    ny, nx = frame.shape
    whole = frame[: ny // by * by, : nx // by * by]
    return whole.reshape(ny // by, by, nx // by, by).sum(axis=(1, 3))
