"""How large a particle looks: the sphere whose rings fit a frame best, whatever its brightness."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .rings import Rings

INNER_PIXELS = 4.0
"""Rings nearer to the centre are left out: holes, saturation and the direct beam spoil them."""

PHASES = np.geomspace(0.03, 1.2, 640)
"""Tried phases per pixel of the wave from the particle's edge, in rad; between them a parabola is laid."""

LEAST_ERROR = 0.01
"""Relative error beside the others: what a beam centre known to a pixel does, and the sphere itself."""

WEDGES = 4
"""Double wedges that are fitted on their own: what their sizes differ by, the body is no sphere by."""

PEDESTALS = np.geomspace(1e-6, 1e-1, 11)
"""Tried flat backgrounds over the sphere's intensity in the middle."""


class EdgePhases(NamedTuple):
    """Phases of the waves from the edge, and how well they are known."""

    phase: np.ndarray
    """(n,) float64, rad per pixel; NaN for a frame without photons beyond `INNER_PIXELS`."""
    relative_error: np.ndarray
    """(n,) float64, one standard deviation over the phase."""

    @property
    def bounded(self) -> np.ndarray:
        """Which phases lie between those tried, not at an end of them: (n,) bool."""
        return (self.phase > PHASES[1]) & (self.phase < PHASES[-2])


class SphereFit:
    """Fits spheres to frames of one detector.

    Parameters
    ----------
    good : (ny, nx) bool
        Pixels that were measured.
    centre_yx : (float, float)
        Where the beam crosses the frames, in pixels.
    pixel_rad : float
        Pixel size over distance, where it is known: at wide angles q grows slower than the radius, and less
        light falls into a pixel.
    """

    def __init__(self, good: np.ndarray, centre_yx: tuple[float, float], pixel_rad: float = 0.0) -> None:
        self._rings = Rings(good, centre_yx, inner=INNER_PIXELS, wedges=WEDGES)
        radius, angle = self._rings.radius, np.arctan(self._rings.radius * pixel_rad)  # 2θ
        bent = 2.0 * np.sin(angle / 2.0) / pixel_rad if pixel_rad else radius  # q = 2k sin θ
        arg = PHASES[:, None] * bent
        shape = (3.0 * (np.sin(arg) - arg * np.cos(arg)) / arg**3) ** 2
        shape *= np.cos(angle) ** 3 * (1.0 + np.cos(angle) ** 2) / 2.0  # solid angle; polarization, around
        expected = self._rings.area * (shape[:, None, :] + PEDESTALS[:, None])
        chance = expected / expected.sum(axis=-1, keepdims=True)
        self._log_chance = np.log(chance).reshape(PHASES.size * PEDESTALS.size, self._rings.n).T.copy()

    def __call__(self, counts: np.ndarray) -> EdgePhases:
        """Phase per pixel, in rad, of the wave from the edge of the sphere that fits each frame best.

        The photons n_r in rings of a pixel follow a_r [s(φ r) + b], a_r the ring's good pixels, s(x) = [3
        (sin x - x cos x) / x³]² (Rayleigh 1911) and b a pedestal; φ and b maximize their multinomial
        likelihood, in which the brightness has no part. A sphere of diameter D shows φ = π D (pixel size) /
        (λ distance); other bodies look like the sphere of about their volume. Fringes of several particles
        lie under the same envelope, so that multiple hits tell the size as well.

        The error has two parts, beside `LEAST_ERROR`. The photons' comes from the curvature of the
        likelihood. The other is how much the sizes seen in `WEDGES` directions differ, beyond what photons
        do to them: a body that is no sphere across the beam is none along it, and that extent is not seen.

        Parameters
        ----------
        counts : (n, ny, nx)
            Frames.
        """
        of_wedges = self._rings.wedge_sums(counts)
        photons = of_wedges.sum(axis=1)
        phase, of_photons = self._fit(photons)
        seen = [self._fit(self._completed(of_wedges[:, i], photons, i))[0] for i in range(WEDGES)]
        spread = np.var(seen, axis=0, ddof=1) / phase**2
        beyond_photons = np.maximum(spread - WEDGES * of_photons**2, 0.0)  # a wedge has its share of them
        error = np.sqrt(of_photons**2 + beyond_photons + LEAST_ERROR**2)
        lit = photons.sum(axis=1) > 0.0
        return EdgePhases(np.where(lit, phase, np.nan), np.where(lit, error, np.nan))

    def _completed(self, seen: np.ndarray, photons: np.ndarray, wedge: int) -> np.ndarray:
        """Photons of whole rings as one wedge sees them; rings that it lacks as all wedges do, (n, rings)."""
        area = self._rings.wedge_area[wedge]
        return np.where(area > 0, seen * (self._rings.area / np.maximum(area, 1.0)), photons)

    def _fit(self, photons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the likeliest phase and the relative error that photons alone leave, (n,) each."""
        at = (photons @ self._log_chance).reshape(len(photons), PHASES.size, PEDESTALS.size)
        likelihood = at.max(axis=2)
        best = np.clip(likelihood.argmax(axis=1), 1, PHASES.size - 2)
        frame, step = np.arange(len(photons)), np.log(PHASES[1] / PHASES[0])
        before, here, after = (likelihood[frame, best + k] for k in (-1, 0, 1))
        bend = np.minimum(before - 2.0 * here + after, -1e-9)
        shift = np.clip(0.5 * (before - after) / bend, -1.0, 1.0)
        return PHASES[best] * np.exp(shift * step), step / np.sqrt(-bend)
