"""A recipe brought to a measured set: pixels, mask, scale, brightness and counting, without its labels."""

from __future__ import annotations

import io
import math
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.errors import InputError
from xfelspi.fidelity import FrameSet
from xfelspi.hits import SphereFit
from xfelspi.patterns import PatternSet, write_whole
from xfelspi.simulate import Experiment, Recipe, load_recipe, recipe_from_dict

from .conversion import learn_conversion
from .simulated import Progress, changed
from .wander import learn_wander

N_COMPARED = 60
"""Simulated frames that tell how large the recipe's particles look."""

MOST_FRAMES, MOST_PIXELS = 500, 2**26
"""Measured frames read to learn the scale, and pixels of all of them."""

LARGEST_FRAME = 1024
"""Pixels along an edge that are read for it."""

SIMULATED, SEEN = 256, 160
"""Pixels along an edge that are simulated: so many, or what holds so many pixels of a model's frame where
those span several. A model sees 128; the rest is for a beam that wanders."""

COUNTS = (5.0, 95.0)
"""Percentiles of the measured counts between which frames are simulated."""

CONVERSION = 0.1
"""Counts per photon are simulated within this of what the noise tells."""

SAME = 0.1
"""Scales within this of a whole ratio are taken as that ratio: detectors are binned by whole numbers."""


def match(
    recipe: Recipe, patterns: PatternSet, mask_stem: Path, progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """Return the settings that give a recipe the frames of a measured set; labels are not looked at.

    Size of the frames, mask and range of counts are the measured ones. The recipe's pixels become as wide as
    it takes for its particles to look as large as the measured ones do, in the median over all frames:
    several particles lie under the envelope of one. So frames without a geometry tell their scale
    themselves. Lengths that the recipe gives in pixels keep their angle. Photons become counts as the
    noise of the measured counts tells, and the beam wanders as their symmetry tells, see `learn_conversion`
    and `learn_wander`; where they do not, as in the recipe.

    Parameters
    ----------
    recipe : Recipe
        What a study simulates.
    patterns : PatternSet
        Measured frames.
    mask_stem : Path
        Where to write their mask, which the settings name: a hash of it and .npy are added, so that no other
        mask is ever replaced, and another mask is another recipe.
    progress : callable, optional
        Told what is being done and how far it is.

    Raises
    ------
    InputError
        If no photon lies away from the beam, so that there is no scale to see.
    """

    def done(share: float) -> None:
        if progress is not None:
            progress(f"matching {patterns.path.name}", share)

    done(0.0)
    size = min(*patterns.shape, LARGEST_FRAME)
    frames = range(min(patterns.n, MOST_FRAMES, MOST_PIXELS // size**2))
    read = FrameSet.read(patterns, frames, size=size)
    phase = _median_phase(read)
    if not math.isfinite(phase):
        raise InputError(f"{patterns.path} has no photons away from the beam, so its scale cannot be told.")
    done(0.2)
    ratio = phase / _simulated_phase(recipe)
    done(0.4)
    whole = max(round(ratio), 1)
    if abs(ratio / whole - 1.0) <= SAME:
        ratio = float(whole)
    wanted = max(SIMULATED, math.ceil(SEEN / ratio))
    if wanted < size:
        read = FrameSet.read(patterns, frames, size=wanted)
    content = io.BytesIO()
    np.save(content, (~read.good).astype(np.uint8))
    mask_path = mask_stem.with_name(f"{mask_stem.name}-{zlib.crc32(content.getvalue()):08x}.npy")
    write_whole(mask_path, content.getvalue())
    low, high = np.percentile(read.totals[read.totals > 0.0], COUNTS).tolist()
    rows, columns = read.good.shape
    settings: dict[str, dict[str, Any]] = lengths_in_pixels(recipe, ratio)
    settings["detector"] = {
        "rows": rows,
        "columns": columns,
        "pixel_size_m": recipe.detector.pixel_size_m * ratio,
        "hole_pixels": 0,
        "gap_rows": 0,
        "mask_file": str(mask_path.resolve()),
    }
    settings["beam"]["photons_per_frame"] = (low, high)
    told = learn_conversion(changed(recipe, settings), read)
    if told is not None:
        settings["beam"]["photons_per_frame"] = tuple(
            round(counts * told.photons_per_count, 1) for counts in (low, high)
        )
        settings.setdefault("readout", {}).update(
            conversion_gain=tuple(round(told.gain * by, 4) for by in (1.0 - CONVERSION, 1.0 + CONVERSION)),
            threshold_photons=told.threshold_photons,
        )
    done(0.8)
    wander = learn_wander(changed(recipe, settings), read)
    if wander is not None:
        settings["beam"].update(centre_jitter_pixels=round(wander, 3), wavefront_tilt_mrad=(0.0, 0.0))
    done(1.0)
    return settings


def _simulated_phase(recipe: Recipe) -> float:
    """Median phase of clean single particles of the recipe's shape and size."""
    ideal = load_recipe("ideal")
    beam = replace(ideal.beam, photons_per_frame=(1e5, 1e5), photon_energy_ev=recipe.beam.photon_energy_ev)
    sample = replace(recipe.sample, arrival="pairs")  # half of them single, however many a natural shot has
    plain = replace(ideal, sample=sample, body=recipe.body, detector=recipe.detector, beam=beam)
    experiment = Experiment(plain, seed=0)
    frames: list[np.ndarray] = []
    index = 0
    while len(frames) < N_COMPARED:
        frame, truth = experiment.pattern(index)
        if truth.label == "single":
            frames.append(frame)
        index += 1
    detector = plain.detector
    shown = FrameSet(counts=np.stack(frames), good=detector.mask == 0, centre_yx=detector.middle_yx)
    return _median_phase(shown)


def _median_phase(frames: FrameSet) -> float:
    """Phase per pixel of the wave from the particles' edge, in the median over frames; NaN without light."""
    phases = SphereFit(frames.good, frames.centre_yx)(frames.counts).phase
    known = phases[np.isfinite(phases)]
    return float(np.median(known)) if known.size else math.nan


def lengths_in_pixels(recipe: Recipe, ratio: float) -> dict[str, dict[str, Any]]:
    """Return what a recipe gives in pixels, divided by the ratio of the pixels, as far as the settings go."""
    settings: dict[str, dict[str, Any]] = {"beam": {}}
    for section in ("beam", "background", "fluctuation", "readout"):
        for name, value in asdict(getattr(recipe, section)).items():
            if not name.endswith("_pixels") or not isinstance(value, float) or value == 0.0:
                continue
            try:
                recipe_from_dict({section: {name: value / ratio}})
            except InputError:
                continue  # beyond the setting's range: as it is
            settings.setdefault(section, {})[name] = value / ratio
    return settings
