"""Which shots hit anything: a score for each, and a threshold that follows the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import Frames, PatternSet

from .likelihood import hit_scores
from .rings import Rings
from .threshold import Recent, threshold_of

SCORES = ("poisson", "lit")

_MOST_RINGS = 32  # from the beam to the edge: wide enough for photons in each, narrow enough to see a profile
_AT_ONCE = 100  # frames between two looks at the background
_LEARNED_BELOW = 5.0  # σ; what a lower threshold lets pass would be a background ever narrower
_PASSES = 6  # over the first window, which has no background before it

Progress = Callable[[str, float], None]
"""Called with the name of a file and the fraction done."""


@dataclass(frozen=True, kw_only=True)
class HitFinding:
    """How hits are told from misses.

    Attributes
    ----------
    score : {"poisson", "lit"}
        `poisson`: how the photons lie about the beam against how those of recent misses do, see `hit_scores`;
        brightness has no part in it. `lit`: share of good pixels that are lit, over the pulse energy.
    snr : float
        The threshold is μ + snr · σ of recent scores, see `threshold_of`. By the Poisson score, a share
        1 - Φ(snr) of misses is called a hit: 1 in 31,000 with 4.
    window : int
        Shots that are recent. More of them must be misses than hits.
    lit_photons : float
        A pixel with as many is lit.
    keep_misses : float
        Share of the misses that is kept as well, chosen at random: they show what hit finding loses.
    seed : int
        Of that choice.

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    score: str = "poisson"
    snr: float = 4.0
    window: int = 1_000
    lit_photons: float = 1.0
    keep_misses: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.score not in SCORES:
            raise InputError(f"There is no hit score {self.score!r}; choose one of {', '.join(SCORES)}.")
        if not 0 < self.snr < np.inf:
            raise InputError(f"snr is {self.snr:g}; it must be positive: 4 lets one miss in 31,000 pass.")
        if self.window < 20:
            raise InputError(
                f"The window is {self.window} shots; 20 or more are needed to see how they vary."
            )
        if not 0 < self.lit_photons < np.inf:
            raise InputError(f"A pixel is lit from {self.lit_photons:g} photons on; give a positive number.")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"The seed is {self.seed}; it must lie between 0 and 2^63 - 1.")
        if not 0 <= self.keep_misses <= 1:
            raise InputError(f"The share of misses to keep is {self.keep_misses:g}; it lies between 0 and 1.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Hits:
    """What was found in a file.

    Attributes
    ----------
    score, threshold : (n,) float64
        Of every shot.
    hit : (n,) bool
        Whether its score is above.
    kept_as_miss : (n,) bool
        Misses that are kept by chance.
    n_nan, n_negative : int
        Pixels that were NaN or infinite, and below 0; they counted as 0.
    """

    score: np.ndarray
    threshold: np.ndarray
    hit: np.ndarray
    kept_as_miss: np.ndarray
    n_nan: int
    n_negative: int


def find_hits(
    patterns: PatternSet,
    finding: HitFinding | None = None,
    pulse_energies: np.ndarray | None = None,
    progress: Progress | None = None,
) -> Hits:
    """Score every shot of a file, and tell hits from misses.

    The background is the sum of recent misses, ring by ring. The first window of shots is judged by its own
    misses, found by and by; all later ones by the misses before them. Frames are read once, some at a time.

    Parameters
    ----------
    patterns : PatternSet
        Shots in the order in which they were taken.
    finding : HitFinding, optional
        How.
    pulse_energies : (n,) float, optional
        Of every shot, in any unit, for the share of lit pixels; without them all pulses are taken as equal.
    progress : callable, optional
        Told after every part.

    Raises
    ------
    InputError
        If a pulse energy is not positive, there is not one for each shot, or the file is damaged.
    """
    finding = finding or HitFinding()
    energies = _relative(pulse_energies, patterns)
    judge = _Judge(finding, ~patterns.mask, patterns.beam_yx)
    score, threshold = np.empty(patterns.n), np.empty(patterns.n)
    n_nan = n_negative = 0
    for start, stop in _parts(patterns.n, finding.window):
        seen = []
        for frames in _frames(patterns, start, stop):
            seen.append(judge.see(frames))
            n_nan += frames.n_nan
            n_negative += frames.n_negative
        score[start:stop], threshold[start:stop] = judge(np.concatenate(seen), energies[start:stop])
        if progress is not None:
            progress(patterns.path.name, stop / patterns.n)
    hit = score > threshold
    lucky = np.random.default_rng(finding.seed).random(patterns.n) < finding.keep_misses
    return Hits(
        score=score,
        threshold=threshold,
        hit=hit,
        kept_as_miss=lucky & ~hit,
        n_nan=n_nan,
        n_negative=n_negative,
    )


class _Judge:
    """Scores and thresholds of shots in their order, by what came before them."""

    def __init__(self, finding: HitFinding, good: np.ndarray, centre_yx: tuple[float, float]) -> None:
        self._finding = finding
        width = max(1.0, min(good.shape) / 2 / _MOST_RINGS)
        self._rings = Rings(good, centre_yx, width)
        self._good = good
        self._misses = Recent(finding.window)
        self._learned_below = max(finding.snr, _LEARNED_BELOW)
        self._scores = Recent(finding.window)

    def see(self, frames: Frames) -> np.ndarray:
        """Return what is remembered of frames: (k, n) photons in rings, or (k, 1) share of lit pixels."""
        if self._finding.score == "poisson":
            return self._rings.sums(frames.counts)
        lit = (frames.counts >= self._finding.lit_photons) & self._good
        return lit.sum(axis=(1, 2))[:, None] / np.count_nonzero(self._good)

    def __call__(self, seen: np.ndarray, energies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return scores and thresholds of the next shots, (k,) each, and remember them."""
        seen = seen / energies[:, None] if self._finding.score == "lit" else seen
        if not self._misses.rows.size:
            self._begin(seen)
        scores = self._score(seen, self._misses.rows)
        self._scores.add(scores)
        threshold = self._threshold(self._scores.rows, self._finding.snr)
        self._misses.add(seen[scores <= self._threshold(self._scores.rows, self._learned_below)])
        return scores, np.full(len(scores), threshold)

    def _begin(self, seen: np.ndarray) -> None:
        """Find the misses among the first shots: the darker half, then all that are like the rest."""
        light = seen.sum(axis=1)
        misses = seen[light <= np.median(light)]
        for _ in range(_PASSES):
            scores = self._score(seen, misses)
            misses = seen[scores <= self._threshold(scores, self._learned_below)]
        self._misses.add(misses)

    def _score(self, seen: np.ndarray, misses: np.ndarray) -> np.ndarray:
        if self._finding.score == "lit":
            return seen[:, 0]
        return hit_scores(seen, misses.sum(axis=0) + 1e-3)

    def _threshold(self, scores: np.ndarray, snr: float) -> float:
        if self._finding.score == "poisson":
            return max(snr, threshold_of(scores, snr))  # Poisson's noise alone has μ = 0 and σ = 1
        n_good = np.count_nonzero(self._good)
        return threshold_of(scores, snr, max(1.0, n_good * float(np.median(scores))) ** 0.5 / n_good)


def _relative(pulse_energies: np.ndarray | None, patterns: PatternSet) -> np.ndarray:
    if pulse_energies is None:
        return np.ones(patterns.n)
    energies = np.asarray(pulse_energies, float)
    if energies.shape != (patterns.n,):
        raise InputError(
            f"There are {energies.size} pulse energies for {patterns.n} shots of {patterns.path}; give "
            "one each."
        )
    if not (np.isfinite(energies) & (energies > 0)).all():
        raise InputError("Some pulse energies are not positive numbers; leave those shots out, or give none.")
    return energies / energies.mean()


def _parts(n: int, window: int) -> Iterator[tuple[int, int]]:
    """Yield the first window, then parts no longer than it: each has a threshold, of shots up to its end."""
    yield 0, min(window, n)
    step = min(_AT_ONCE, window)
    for start in range(window, n, step):
        yield start, min(start + step, n)


def _frames(patterns: PatternSet, start: int, stop: int) -> Iterator[Frames]:
    for begin in range(start, stop, _AT_ONCE):
        yield patterns.frames(begin, min(begin + _AT_ONCE, stop))
