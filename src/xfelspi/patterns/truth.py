"""What was really in the beam: the truth of one shot, and the fields it has on disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LABELS = ("single", "multiple", "contaminated", "droplet", "blank")
"""The classes; on disk a label is its index in this tuple."""


@dataclass(frozen=True)
class TruthField:
    """One column of the truth: what it is called, measured in and means.

    `item` is the shape of one value; a field that is `per_particle` has one value for each particle.
    """

    name: str
    dtype: str
    unit: str
    description: str
    item: tuple[int, ...] = ()
    per_particle: bool = False


TRUTH_FIELDS = (
    TruthField("label", "u1", "1", "class of the shot, an index into the attribute 'names'"),
    TruthField("n_particles", "u2", "1", "number of particles drawn"),
    TruthField("shape", "S", "1", "shape of the particles: a catalogue name, or the stem of a mesh file"),
    TruthField("runner_up_fraction", "f8", "1", "photons of the second brightest particle over those of all"),
    TruthField("separation_nm", "f8", "nm", "transverse distance of the second brightest from the brightest"),
    TruthField("foreign_fraction", "f8", "1", "electrons of foreign matter over those of the particles"),
    TruthField("expected_photons", "f8", "photons", "expected photons on good pixels, background included"),
    TruthField(
        "background_photons",
        "f8",
        "photons",
        "of the background, halo about the middle, before it fluctuates",
    ),
    TruthField("pulse_energy_ratio", "f8", "1", "pulse energy over its mean"),
    TruthField("centre_offset_pixels", "f8", "pixels", "y, x shift of the beam from the middle", (2,)),
    TruthField("diameter_nm", "f8", "nm", "twice the largest distance of surface from centroid", (), True),
    TruthField("position_nm", "f8", "nm", "x left looking downstream, y up, z along the beam", (3,), True),
    TruthField("orientation", "f8", "1", "quaternion w, x, y, z, body frame to lab frame", (4,), True),
    TruthField("fluence_per_um2", "f8", "photons/um^2", "fluence on the particle", (), True),
    TruthField("photons", "f8", "photons", "expected photons of the particle alone, good pixels", (), True),
)
"""The truth on disk, in order; per-particle fields are padded with NaN to the most particles of the file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShotTruth:
    """One shot, k particles; a blank has k = 0.

    Attributes
    ----------
    label : str
        One of `LABELS`.
    shape : str
        Catalogue name, or the stem of the mesh file.
    diameter_nm : (k,) float64
        Twice the largest distance of the surface from the centroid.
    position_nm : (k, 3) float64
        x, y, z; z along the beam, y up, x left looking downstream.
    orientation : (k, 4) float64
        Quaternion (w, x, y, z), body frame to lab frame.
    fluence_per_um2 : (k,) float64
        Photons per square micrometre on each particle.
    photons : (k,) float64
        Expected photons of each particle alone on good pixels.
    runner_up_fraction : float
        Photons of the second brightest over those of all; 0 with fewer than two particles.
    separation_nm : float
        Transverse distance of the second brightest from the brightest; NaN with fewer than two.
    foreign_fraction : float
        Electrons of foreign matter over those of the particles; NaN without particles.
    expected_photons : float
        All expected photons on good pixels.
    background_photons : float
        Of which background.
    centre_offset_pixels : (2,) float64
        y, x shift of the beam centre from the middle of the detector.
    pulse_energy_ratio : float
        Pulse energy over its mean.
    """

    label: str
    shape: str
    diameter_nm: np.ndarray
    position_nm: np.ndarray
    orientation: np.ndarray
    fluence_per_um2: np.ndarray
    photons: np.ndarray
    runner_up_fraction: float
    separation_nm: float
    expected_photons: float
    background_photons: float
    centre_offset_pixels: np.ndarray
    pulse_energy_ratio: float
    foreign_fraction: float = 0.0

    @property
    def n_particles(self) -> int:
        """Number of particles drawn."""
        return len(self.diameter_nm)


def clear_multiples(truth: dict[str, np.ndarray]) -> np.ndarray:
    """Multiples that anyone could tell from a single: (n,) bool.

    The runner-up gives a tenth of the photons or more, and lies between 0.75 diameters (of the
    largest particle of the shot) and 1.2 um from the brightest, across the beam.

    Examples
    --------
    >>> pair = np.array([[69.0, 69.0]])
    >>> columns = {"label": np.array([1]), "runner_up_fraction": np.array([0.3]), "diameter_nm": pair}
    >>> bool(clear_multiples(columns | {"separation_nm": np.array([200.0])})[0])
    True
    >>> bool(clear_multiples(columns | {"separation_nm": np.array([1300.0])})[0])
    False
    """
    # A blank's row is all NaN: fmax ignores NaN, and 0 stands for "no particle".
    diameter_nm = np.fmax.reduce(truth["diameter_nm"], axis=1, initial=0.0)
    separation_nm = truth["separation_nm"]
    return (
        (truth["label"] == LABELS.index("multiple"))
        & (truth["runner_up_fraction"] >= 0.1)
        & (separation_nm >= 0.75 * diameter_nm)
        & (separation_nm <= 1_200.0)
    )


def hidden_multiples(truth: dict[str, np.ndarray]) -> np.ndarray:
    """Multiples that are not clear: (n,) bool. Nobody could tell the worst of them from singles.

    Examples
    --------
    >>> pair = np.array([[69.0, 69.0]])
    >>> columns = {"label": np.array([1]), "runner_up_fraction": np.array([0.3]), "diameter_nm": pair}
    >>> bool(hidden_multiples(columns | {"separation_nm": np.array([20.0])})[0])
    True
    """
    return (truth["label"] == LABELS.index("multiple")) & ~clear_multiples(truth)
