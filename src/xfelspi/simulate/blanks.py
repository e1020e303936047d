"""Measured blanks: frames without a particle, as the light beside the particles of simulated shots."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import LABELS, PatternSet

from .background import Background
from .beam import Beam
from .detector import Detector

MOST_BLANKS = 512
"""Frames that are kept, evenly out of a longer file: 128 MiB at 256 x 256."""

TOLERANCE = 0.02
"""Relative difference of pixel angle and photon energy up to which a blank fits."""


@dataclass(frozen=True, eq=False)
class Blanks:
    """Blanks brought to a detector, smoothed.

    Parameters
    ----------
    frames : (n, rows, columns) float32
        Mean photons per pixel, as well as a frame tells.
    totals : (n,) float64
        Their sums over good pixels.
    sha256 : str
        Of the counts they were made from.
    """

    frames: np.ndarray
    totals: np.ndarray
    sha256: str


def read_blanks(background: Background, beam: Beam, detector: Detector) -> Blanks | None:
    """Read the blanks that a recipe names; None where it names none.

    A counted frame is no expectation: it has photon noise of its own, and drawing photons once more would
    give it twice. So each is smoothed by a Gaussian of `background.file_smoothing_pixels` σ, over good pixels
    alone, which leaves 1 / 4πσ² of its noise (0.9 % for 3) and keeps what changes from shot to shot on
    larger scales: the total, the centre, streaks. Finer structure is lost with the noise, and belongs to
    the detector's own terms. Beyond the measured frame's edge there is nothing to add.

    Raises
    ------
    InputError
        If the file cannot be read, is of another geometry, or has labels of which none says blank; or if
        the recipe fixes the photons per frame and does not say which fraction the blanks have.
    """
    if not background.file:
        return None
    if beam.photons_per_frame is not None and background.file_fraction == 0.0:
        raise InputError(
            f"background.file is {background.file}, but background.file_fraction is 0: since "
            "beam.photons_per_frame fixes the photons, say which fraction of them the blanks have."
        )
    with PatternSet.open(background.file) as patterns:
        _require_fit(patterns, beam, detector)
        shift = [round(m - c) for m, c in zip(detector.middle_yx, patterns.beam_yx, strict=True)]
        counts = np.stack(
            [_fit(patterns.frames(i, i + 1).counts[0], shift, detector) for i in _chosen(patterns)]
        )
        good = _fit(~patterns.mask, shift, detector)
    if not good.any():
        raise InputError(f"{background.file} and the detector have no pixel in common around the beam.")
    counts *= good
    frames = _smooth(counts, good, background.file_smoothing_pixels)
    totals = (frames * detector.good).sum(axis=(1, 2), dtype=np.float64)
    if not totals.max() > 0.0:
        raise InputError(f"The blanks in {background.file} hold no photons on the detector's good pixels.")
    return Blanks(frames, totals, hashlib.sha256(counts.tobytes()).hexdigest())


def _require_fit(patterns: PatternSet, beam: Beam, detector: Detector) -> None:
    """Refuse another geometry; a file that says nothing of its geometry is taken to be of this one."""
    there = patterns.geometry
    if there is None:
        return
    angle, ours = (1e6 * g.pixel_size_m / g.distance_m for g in (there, detector))
    energy = there.photon_energy_ev
    near = math.isclose(angle, ours, rel_tol=TOLERANCE)
    if not near or not math.isclose(energy, beam.photon_energy_ev, rel_tol=TOLERANCE):
        raise InputError(
            f"{patterns.path} was measured at {energy:g} eV with pixels of {angle:.4g} µrad, the recipe has "
            f"{beam.photon_energy_ev:g} eV and {ours:.4g} µrad: blanks are not rescaled; take some of the "
            "same geometry."
        )


def _chosen(patterns: PatternSet) -> np.ndarray:
    """Return the indices of the blanks: those that the truth calls so, or all of a file without truth."""
    found = np.arange(patterns.n)
    if patterns.truth is not None:
        found = np.flatnonzero(patterns.truth["label"] == LABELS.index("blank"))
        if not found.size:
            raise InputError(f"None of the {patterns.n} patterns in {patterns.path} is labelled blank.")
    if found.size > MOST_BLANKS:
        found = found[np.arange(MOST_BLANKS) * found.size // MOST_BLANKS]
    return found


def _fit(frame: np.ndarray, shift: list[int], detector: Detector) -> np.ndarray:
    """Crop or pad with nothing, so that `frame` moved by whole pixels covers the detector."""
    out = np.zeros(detector.shape, dtype=np.float32)
    target, source = [], []
    for move, there, here in zip(shift, frame.shape, detector.shape, strict=True):
        start, stop = max(move, 0), min(there + move, here)
        target.append(slice(start, max(start, stop)))
        source.append(slice(start - move, max(start, stop) - move))
    out[tuple(target)] = frame[tuple(source)]
    return out


def _smooth(counts: np.ndarray, good: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """Average over good pixels, Gaussian weights: holes are filled from around them, edges not darkened."""
    from scipy.ndimage import gaussian_filter

    if sigma_pixels == 0.0:
        return counts
    filled = {"sigma": sigma_pixels, "mode": "constant", "truncate": 3.0}
    weight = gaussian_filter(good, **filled)
    within = weight > 1e-3
    inverse = np.where(within, 1.0 / np.where(within, weight, 1.0), 0.0).astype(np.float32)
    return np.stack([gaussian_filter(frame, **filled) * inverse for frame in counts])
