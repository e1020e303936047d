"""The sample: a population of particles, and the scene of one shot drawn from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from xfelspi.errors import InputError

from .materials import electron_density
from .table import FormFactor

SIZE_CUT = 4.0
"""Diameters are drawn within this many standard deviations of the mean."""


@dataclass(frozen=True)
class Particle:
    """One particle in the beam.

    Parameters
    ----------
    form : FormFactor
        Its shape.
    diameter_nm : float
        Twice the largest distance of its surface from its centroid.
    electrons_per_nm3 : float
        Electron density, uniform.
    position_nm : (float, float, float)
        Centroid (x, y, z) from the middle of the focus; z along the beam.
    orientation : (float, float, float, float)
        Unit quaternion (w, x, y, z) that turns the body frame into the lab frame.
    relative_fluence : float
        What the particle's place adds to the focus profile, as a factor.
    """

    form: FormFactor
    diameter_nm: float
    electrons_per_nm3: float
    position_nm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    relative_fluence: float = 1.0


@dataclass(frozen=True)
class Scene:
    """What one pulse met; without particles the shot is a blank."""

    particles: tuple[Particle, ...] = ()


def rotation_matrix(quaternion: Sequence[float]) -> np.ndarray:
    """Rotation (3, 3) of a unit quaternion (w, x, y, z): lab = matrix @ body.

    Examples
    --------
    A quarter turn about z takes the body's x axis to the lab's y axis:

    >>> import numpy as np
    >>> half = np.sqrt(0.5)
    >>> np.abs(rotation_matrix((half, 0, 0, half)) @ [1, 0, 0]).round(12).tolist()
    [0.0, 1.0, 0.0]
    """
    w, x, y, z = quaternion
    return np.array(
        (
            (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
            (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
            (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
        )
    )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The population of scenes.

    Parameters
    ----------
    shape : str
        A shape of the catalogue, or the path of a mesh file.
    proportions : dict of str to float
        Further settings of the shape, such as ``tube_to_mean`` of a torus.
    diameter_nm, diameter_spread : float
        Mean diameter, and its relative standard deviation (normal, cut at four).
    material : str
        What the particle is made of; see `xfelspi.simulate.materials`.
    electrons_per_nm3 : float or None
        Electron density, when it is not the material's.
    arrival : {"pairs", "natural"}
        "pairs": of two consecutive patterns one holds a single particle and one several, in drawn order.
        "natural": the number of particles is Poisson distributed, blanks included.
    mean_particles : float
        Mean number of particles in a natural shot.
    multiplicity : tuple of float
        Relative weights of 2, 3, 4 … particles in a pair's multiple hit.
    farthest_step : float
        Each next particle lies at a distance of 1 to this many diameters (log-uniform) from a random
        earlier one, in a uniformly random direction; particles never overlap.
    relative_fluence : (float, float)
        Range of the log-uniform factor on each particle's fluence, beside the focus profile.
    """

    shape: str = "icosahedron"
    proportions: dict[str, float] = field(default_factory=dict)
    diameter_nm: float = 69.0
    diameter_spread: float = 0.05
    material: str = "protein"
    electrons_per_nm3: float | None = None
    arrival: Literal["pairs", "natural"] = "pairs"
    mean_particles: float = 1.0
    multiplicity: tuple[float, ...] = (0.6, 0.3, 0.1)
    farthest_step: float = 8.0
    relative_fluence: tuple[float, float] = (1.0, 1.0)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if not 0.1 <= self.diameter_nm <= 1e6:
            raise InputError(
                f"sample.diameter_nm is {self.diameter_nm:g}; it must lie between 0.1 and 1e6 nm."
            )
        if not 0.0 <= self.diameter_spread <= 0.2:
            raise InputError(
                f"sample.diameter_spread is {self.diameter_spread:g}; as a fraction of the mean "
                "it must lie between 0 and 0.2."
            )
        if self.electrons_per_nm3 is None:
            electron_density(self.material)
        elif not 1e-3 <= self.electrons_per_nm3 <= 1e4:
            raise InputError(
                f"sample.electrons_per_nm3 is {self.electrons_per_nm3:g}; it must lie between "
                "0.001 and 1e4 (protein has 436)."
            )
        if not 0.0 <= self.mean_particles <= 20.0:
            raise InputError(
                f"sample.mean_particles is {self.mean_particles:g}; it must lie between 0 and 20."
            )
        weights = self.multiplicity
        if not 1 <= len(weights) <= 15 or not min(weights) >= 0.0 or not 1e-6 <= sum(weights) <= 1e6:
            raise InputError(
                f"sample.multiplicity is {list(weights)}; give up to 15 weights for 2, 3, 4 … particles, "
                "none negative, that add up to between 1e-6 and 1e6."
            )
        if not 1.0 < self.farthest_step <= 1e3:
            raise InputError(
                f"sample.farthest_step is {self.farthest_step:g}; it must lie above 1 "
                "and up to 1000 diameters."
            )
        low, high = self.relative_fluence
        if not 1e-6 <= low <= high <= 1e3:
            raise InputError(
                f"sample.relative_fluence is {low:g} to {high:g}; "
                "give a range between 1e-6 and 1000, low end first."
            )

    @property
    def density(self) -> float:
        """Electrons per nm³."""
        if self.electrons_per_nm3 is not None:
            return self.electrons_per_nm3
        return electron_density(self.material)

    @property
    def largest_diameter_nm(self) -> float:
        """The largest diameter that can be drawn."""
        return self.diameter_nm * (1.0 + SIZE_CUT * self.diameter_spread)

    def draw_number(self, rng: np.random.Generator, single: bool) -> int:
        """Return how many particles a shot holds; `single` is the pair's decision for this shot."""
        if self.arrival == "natural":
            return int(rng.poisson(self.mean_particles))
        if single:
            return 1
        pick = rng.random() * sum(self.multiplicity)
        number = 2
        for weight in self.multiplicity[:-1]:
            pick -= weight
            if pick < 0.0:
                break
            number += 1
        return number

    def draw(
        self, rng: np.random.Generator, form: FormFactor, number: int, place_nm: tuple[float, float, float]
    ) -> Scene:
        """One scene of `number` particles, the first of them at `place_nm`."""
        if number == 0:
            return Scene()
        diameters = [self._draw_diameter(rng) for _ in range(number)]
        turns = rng.standard_normal((number, 4))
        turns /= np.sqrt((turns * turns).sum(axis=1))[:, None]
        places = self._draw_places(rng, number, max(diameters), place_nm)
        low, high = self.relative_fluence
        fluences = low * (high / low) ** rng.random(number)
        density = self.density
        return Scene(
            tuple(
                Particle(form, diameter, density, place, tuple(turn), fluence)
                for diameter, place, turn, fluence in zip(
                    diameters, places, turns.tolist(), fluences.tolist(), strict=True
                )
            )
        )

    def _draw_diameter(self, rng: np.random.Generator) -> float:
        while True:
            deviation = rng.standard_normal()
            if abs(deviation) <= SIZE_CUT:
                return self.diameter_nm * (1.0 + self.diameter_spread * deviation)

    def _draw_places(
        self, rng: np.random.Generator, number: int, nearest_nm: float, first: tuple[float, float, float]
    ) -> list[tuple[float, float, float]]:
        places = [first]
        while len(places) < number:
            start = places[int(rng.integers(len(places)))]
            step = nearest_nm * self.farthest_step ** rng.random()
            along = 2.0 * rng.random() - 1.0
            angle = 2.0 * math.pi * rng.random()
            across = math.sqrt(1.0 - along * along)
            place = (
                start[0] + step * across * math.cos(angle),
                start[1] + step * across * math.sin(angle),
                start[2] + step * along,
            )
            if all(math.dist(place, other) >= nearest_nm for other in places):
                places.append(place)
        return places
