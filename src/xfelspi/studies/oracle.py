"""The physical limit: an oracle that knows both scenes, and only says from which of them a frame came.

A multiple hit is told from a single one by its fringes. Beside a brightest particle of amplitude A₁ the
second adds 2 Re A₁A₂* to |A₁|²; over Poisson noise of variance |A₁|² its squared signal-to-noise is

    Σ (2 Re A₁A₂*)² / |A₁|² = Σ 4 |A₂|² cos² φ ≈ 2 Σ |A₂|² = 2 εN,

twice the photons of the second particle, whatever its shape: ε is its share of the N photons. So while the
second is faint, its fringes are wider than a pixel and the background is weak.

The oracle is the likelihood ratio of the Poisson counts, which no classifier can beat on the same question
(Neyman & Pearson 1933, Phil. Trans. A 231, 289). It compares the true scene with the brightest particle
alone, in its true place and orientation, scaled to the same total of photons; it knows background and field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from xfelspi.errors import InputError
from xfelspi.simulate import Detector, Experiment, ReadOut, Recipe, Scene

_FLOOR = 1e-9  # photons in a pixel: no count is quite impossible, and single precision knows no less


class Evidence(NamedTuple):
    """Mean and standard deviation of ln L(multiple) - ln L(single), if either is true."""

    single: float
    single_sd: float
    multiple: float
    multiple_sd: float


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One multiple hit, and the single that it could be taken for.

    Attributes
    ----------
    evidence : Evidence
        Of any counts.
    of_multiple, of_single : float
        ln L(multiple) - ln L(single) of one frame of each.
    """

    evidence: Evidence
    of_multiple: float
    of_single: float

    def kept(self, fnr: float) -> float:
        """Return the chance that the oracle takes the multiple for single.

        Parameters
        ----------
        fnr : float
            Share of the singles that it may lose. The sum over thousands of photons is taken as normal.
        """
        from scipy.special import ndtr, ndtri

        threshold = self.evidence.single + ndtri(1.0 - fnr) * self.evidence.single_sd
        if self.evidence.multiple_sd == 0.0:
            return 1.0 - fnr  # one scene is the other
        return float(ndtr((threshold - self.evidence.multiple) / self.evidence.multiple_sd))


def counting(recipe: Recipe) -> Recipe:
    """Return the recipe with a detector that counts photons and does nothing else: what the oracle knows."""
    plain = Detector()
    detector = replace(
        recipe.detector,
        read_noise_photons=plain.read_noise_photons,
        saturation_photons=plain.saturation_photons,
    )
    return replace(recipe, detector=detector, readout=ReadOut())


def contests(recipe: Recipe, seed: int, indices: Sequence[int]) -> list[Contest]:
    """Let multiple hits of a run stand against their brightest particles alone.

    Parameters
    ----------
    recipe : Recipe
        Of the run; of its detector only the counting is taken, see `counting`.
    seed : int
        Of the run.
    indices : sequence of int
        Shots with several particles.
    """
    experiment = Experiment(counting(recipe), seed)
    return [_contest(experiment, index) for index in indices]


def evidence(multiple: np.ndarray, single: np.ndarray) -> Evidence:
    """Return mean and standard deviation of the log-likelihood ratio of Poisson counts.

    Parameters
    ----------
    multiple, single : (n,) float64
        Expected photons of the two scenes, all above 0.

    Examples
    --------
    Two patterns that differ little are as far apart as their squared signal-to-noise, here 1:

    >>> found = evidence(np.full(100, 101.0), np.full(100, 100.0))
    >>> [round(value, 2) for value in found]
    [-0.5, 1.0, 0.5, 1.0]
    """
    log_ratio = np.log(multiple / single)
    offset = float((multiple - single).sum())
    means = [float((expected * log_ratio).sum()) - offset for expected in (single, multiple)]
    spreads = [math.sqrt(float((expected * log_ratio**2).sum())) for expected in (single, multiple)]
    return Evidence(means[0], spreads[0], means[1], spreads[1])


def log_likelihood_ratio(counts: np.ndarray, multiple: np.ndarray, single: np.ndarray) -> float:
    """Return ln L(multiple) - ln L(single) of Poisson counts (n,)."""
    return float((counts * np.log(multiple / single)).sum() - (multiple - single).sum())


def rule(second_photons: np.ndarray, fnr: float) -> np.ndarray:
    """Return the share of multiples kept if the squared signal-to-noise is 2 εN.

    Parameters
    ----------
    second_photons : (n,) float64
        εN of each.
    fnr : float
        Share of singles that may be lost.

    Examples
    --------
    >>> rule(np.array([0.0, 8.0, 50.0]), 0.01).round(3).tolist()
    [0.99, 0.047, 0.0]
    """
    from scipy.special import ndtr, ndtri

    return ndtr(ndtri(1.0 - fnr) - np.sqrt(2.0 * second_photons))


def _contest(experiment: Experiment, index: int) -> Contest:
    shot = experiment.draw(index)
    if len(shot.scene.particles) < 2:
        raise InputError(f"Shot {index} is no multiple hit; the oracle compares those with singles.")
    truly = experiment.expect(shot)
    brightest = shot.scene.particles[int(np.argmax(truly.own))]
    alone = experiment.expect(replace(shot, scene=Scene((brightest,))))
    good = experiment.recipe.detector.mask == 0
    multiple, single = (
        np.maximum(expected.photons[good].astype(float), _FLOOR) for expected in (truly, alone)
    )
    of_multiple, of_single = (
        log_likelihood_ratio(experiment.read_out(expected.photons, index)[good], multiple, single)
        for expected in (truly, alone)
    )
    return Contest(evidence=evidence(multiple, single), of_multiple=of_multiple, of_single=of_single)
