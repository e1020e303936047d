"""A recipe brought to a measured set: pixels, mask, scale, brightness and counting, without its labels."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xfelspi.errors import InputError
from xfelspi.fidelity import FrameSet
from xfelspi.hits import looks_of
from xfelspi.patterns import Geometry, PatternSet, settle_centre, write_whole
from xfelspi.simulate import Experiment, Recipe, load_recipe, recipe_from_dict

from .background import FRACTIONS, learn_background
from .conversion import learn_conversion
from .simulated import Progress, changed
from .wander import learn_wander

N_COMPARED = 60
"""Simulated frames that tell how large the recipe's particles look."""

N_COUNTED = 24
"""Simulated frames that tell how many photons give the measured counts."""

MOST_FRAMES, MOST_PIXELS = 500, 2**26
"""Measured frames read, spread over the file, and pixels of all of them."""

LARGEST_FRAME = 1024
"""Pixels along an edge that are read for it."""

SIMULATED, SEEN = 256, 160
"""Pixels along an edge that are simulated: so many, or what holds so many pixels of a model's frame where
those span several. A model sees 128; the rest is for a beam that wanders."""

MISS = 0.5
"""Frames with less than this of the light of the dimmest frames that tell their scale are misses."""

COUNTS = (5.0, 95.0)
"""Percentiles of the measured counts between which frames are simulated."""

OF_THE_FRAMES = tuple(
    f"detector.{name}" for name in ("rows", "columns", "pixel_size_m", "hole_pixels", "gap_rows", "mask_file")
)
OF_THE_GEOMETRY = ("beam.photon_energy_ev", "detector.distance_m")
"""Settings that only the frames tell, and those that a geometry beside them tells."""

CONVERTING = frozenset({"readout.conversion_gain", "readout.threshold_photons"})
SURROUNDING = frozenset(f"background.{name}" for name in FRACTIONS)
WANDERING = frozenset({"beam.centre_jitter_pixels", "beam.wavefront_tilt_mrad"})
"""Settings that are learned together: where one is fixed, the others stay as well."""

SAME = 0.1
"""Scales within this of a whole ratio are taken as that ratio, and the rest as the size of the particles:
detectors are binned by whole numbers."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What measured frames tell about a recipe.

    Attributes
    ----------
    settings : dict
        Values by section and name, for `changed`.
    n_frames, n_told : int
        Frames that were looked at, and those of them that tell how large their particles look.
    """

    settings: dict[str, dict[str, Any]]
    n_frames: int
    n_told: int


def match(
    recipe: Recipe,
    patterns: PatternSet,
    mask_stem: Path,
    progress: Progress | None = None,
    *,
    fixed: Collection[str] = (),
) -> Matched:
    """Return the settings that give a recipe the frames of a measured set; labels are not looked at.

    Size of the frames, mask and range of counts are the measured ones. The recipe's particles look as large
    as the measured ones do, in the median over all frames that tell: several particles lie under the envelope
    of one. Where the file has a geometry the recipe takes it over, and its particles are of the size that it
    takes; frames without one tell their scale themselves: the recipe's pixels become as wide as it takes, by
    a whole ratio where one is near, and its particles make up for the rest; all is the pixels' where the
    diameter is fixed. Lengths that the recipe gives in
    pixels keep their angle.

    Photons become counts as noise and fall-off of the measured counts tell, background is as strong as their
    fall-off tells, and the beam wanders as their symmetry tells, see `learn_conversion`, `learn_background`
    and `learn_wander`; where they do not, as in the recipe. Frames dimmer than those that tell their scale
    are misses and take no part. The centre is found in the frames where the file does not say it.

    Parameters
    ----------
    recipe : Recipe
        What is simulated.
    patterns : PatternSet
        Measured frames.
    mask_stem : Path
        Where to write their mask, which the settings name: a hash of it and .npy are added, so that no other
        mask is ever replaced, and another mask is another recipe.
    progress : callable, optional
        Told what is being done and how far it is.
    fixed : collection of str
        Settings, as in "readout.conversion_gain", that stay as they are in the recipe.

    Raises
    ------
    InputError
        If the frames do not tell their scale, no particle of the recipe fits them, or a setting is fixed that
        only they can tell.
    """

    def done(share: float) -> None:
        if progress is not None:
            progress(f"matching {patterns.path.name}", share)

    known, draft = patterns.geometry, _Draft(recipe, fixed)
    draft.require_free(*OF_THE_FRAMES, *(OF_THE_GEOMETRY if known else ()))
    done(0.0)
    if patterns.centre_yx is None:
        settle_centre(patterns)
    size = min(*patterns.shape, LARGEST_FRAME)
    most = min(patterns.n, MOST_FRAMES, max(1, MOST_PIXELS // size**2))
    indices = np.unique(np.linspace(0, patterns.n - 1, most).astype(int)).tolist()
    read = FrameSet.read(patterns, indices, size=size)
    seen = looks_of(read.counts, read.good, read.centre_yx)
    if not seen.told.any():
        raise InputError(
            f"The scale of {patterns.path} cannot be told: none of {read.n} frames shows a particle's rings; "
            "are these hits, is the centre right, and does the mask leave the inner rings?"
        )
    done(0.2)
    looks = seen.phase / _simulated_phase(recipe)  # so much larger per pixel than the recipe's
    done(0.4)
    if known is None:
        scale = _scale_of_frames(recipe, looks, whole="sample.diameter_nm" not in fixed)
    else:
        scale = _scale_of_geometry(recipe, known, looks)
    scaled = changed(recipe, scale)
    hits = read.totals >= MISS * np.percentile(read.totals[seen.told], COUNTS[0])
    wanted = max(SIMULATED, math.ceil(SEEN * _q_per_pixel(recipe) / _q_per_pixel(scaled)))
    if wanted < size:
        read = FrameSet.read(patterns, indices, size=wanted)
    read = read.chosen(hits)
    draft.learn(lengths_in_pixels(recipe, _pixel_rad(scaled) / _pixel_rad(recipe)))
    draft.learn(scale)
    counts = tuple(np.percentile(read.totals, COUNTS).tolist())
    draft.learn({"beam": {"photons_per_frame": counts}})
    _learn_frame(draft, read, mask_stem, patterns.path)
    if not CONVERTING & set(fixed):
        told = learn_conversion(draft.recipe, read)
        if told is not None:
            gain = tuple(round(gain, 4) for gain in told.gain)
            draft.learn({"readout": {"conversion_gain": gain, "threshold_photons": told.threshold_photons}})
    done(0.7)
    if not SURROUNDING & set(fixed):
        fractions = learn_background(draft.recipe, read)
        if fractions is not None:
            draft.learn({"background": fractions})
    photons = tuple(round(photons_that_give(some, draft.recipe), 1) for some in counts)
    draft.learn({"beam": {"photons_per_frame": photons}})
    done(0.8)
    if not WANDERING & set(fixed):
        wander = learn_wander(draft.recipe, read)
        if wander is not None:
            draft.learn(
                {"beam": {"centre_jitter_pixels": round(wander, 3), "wavefront_tilt_mrad": (0.0, 0.0)}}
            )
    done(1.0)
    return Matched(settings=draft.settings, n_frames=len(indices), n_told=int(seen.told.sum()))


class _Draft:
    """Settings as they are learned one after the other; what is fixed stays as it is in the recipe."""

    def __init__(self, recipe: Recipe, fixed: Collection[str]) -> None:
        self._recipe, self._fixed = recipe, fixed
        self.settings: dict[str, dict[str, Any]] = {}

    def require_free(self, *names: str) -> None:
        """Refuse that what only the frames can tell is fixed."""
        for name in names:
            if name in self._fixed:
                raise InputError(f"{name} comes from the frames that are matched; leave it out.")

    def learn(self, learned: dict[str, dict[str, Any]]) -> None:
        """Take values by section and name, in place of what was learned before."""
        for section, values in learned.items():
            free = {name: value for name, value in values.items() if f"{section}.{name}" not in self._fixed}
            self.settings.setdefault(section, {}).update(free)

    @property
    def recipe(self) -> Recipe:
        """The recipe with all that was learned so far."""
        return changed(self._recipe, self.settings)


def _learn_frame(draft: _Draft, read: FrameSet, mask_stem: Path, path: Path) -> None:
    """Learn size and mask of the frames; the mask is written, unless no particle of the recipe fits them."""
    content = io.BytesIO()
    np.save(content, (~read.good).astype(np.uint8))
    mask_path = mask_stem.with_name(f"{mask_stem.name}-{zlib.crc32(content.getvalue()):08x}.npy")
    is_new = not mask_path.exists()
    write_whole(mask_path, content.getvalue())
    rows, columns = read.good.shape
    frame = {"rows": rows, "columns": columns, "hole_pixels": 0, "gap_rows": 0}
    draft.learn({"detector": frame | {"mask_file": str(mask_path.resolve())}})
    try:
        Experiment(draft.recipe, seed=0)
    except InputError as error:
        if is_new:
            mask_path.unlink()
        raise InputError(
            f"No particle of the recipe fits the rings of {path}; are these single-particle frames, "
            f"and is the centre right? ({error})"
        ) from None


def photons_that_give(counts: float, recipe: Recipe) -> float:
    """Return the photons in a frame that a recipe's detector counts as so many, in the mean.

    Its conversion, and what of the light misses the good pixels once panels are displaced, are in it;
    thresholds cost dim frames more.
    """
    pairs = replace(recipe, sample=replace(recipe.sample, arrival="pairs"))
    experiment = Experiment(pairs, seed=0)
    good = recipe.detector.mask == 0
    stride = max(1, recipe.readout.new_unit_every)  # another copy of the detector for each
    shots = [(index, experiment.draw(index)) for index in range(0, 3 * N_COUNTED * stride, stride)]
    shots = [(index, shot) for index, shot in shots if shot.scene.bodies][:N_COUNTED]
    photons = counts
    for _ in range(3):
        given = 0.0
        for index, shot in shots:
            light = experiment.expect(replace(shot, photons=photons)).photons
            given += float(experiment.read_out(light, index)[good].sum(dtype=float))
        # Where hardly anything is counted, or all is saturated, no number of photons gives the counts.
        photons *= min(max(counts * len(shots) / max(given, 1e-9), 0.25), 4.0)
    return photons


def _scale_of_frames(recipe: Recipe, looks: float, *, whole: bool) -> dict[str, dict[str, Any]]:
    """Return pixels so wide, and particles so large, that they look as large as those seen.

    With `whole` the pixels take a whole ratio where one is near; else all is theirs.
    """
    near = max(round(looks), 1)
    ratio = float(near) if whole and abs(looks / near - 1.0) <= SAME else looks
    return {
        "detector": {"pixel_size_m": recipe.detector.pixel_size_m * ratio},
        "sample": {"diameter_nm": round(recipe.sample.diameter_nm * looks / ratio, 2)},
    }


def _scale_of_geometry(recipe: Recipe, known: Geometry, looks: float) -> dict[str, dict[str, Any]]:
    """Return the geometry of the frames, and particles so large that they look like those seen."""
    detector = {"distance_m": known.distance_m, "pixel_size_m": known.pixel_size_m}
    scale: dict[str, dict[str, Any]] = {
        "beam": {"photon_energy_ev": known.photon_energy_ev},
        "detector": detector,
    }
    there = changed(recipe, scale)
    diameter_nm = recipe.sample.diameter_nm * looks * _q_per_pixel(recipe) / _q_per_pixel(there)
    return scale | {"sample": {"diameter_nm": round(diameter_nm, 2)}}


def _pixel_rad(recipe: Recipe) -> float:
    return recipe.detector.pixel_size_m / recipe.detector.distance_m


def _q_per_pixel(recipe: Recipe) -> float:
    """Momentum transfer from one pixel to the next near the beam, up to a factor."""
    return recipe.beam.photon_energy_ev * _pixel_rad(recipe)


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
    return looks_of(np.stack(frames), detector.mask == 0, detector.middle_yx).phase


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
