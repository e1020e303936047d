"""The sample: a population of particles, and the scene of one shot drawn from it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from xfelspi.errors import InputError

from .body import Body
from .company import CONTAMINATED
from .materials import electron_density
from .particle import Layer, Particle
from .table import FormFactor

SIZE_CUT = 4.0
"""Diameters are drawn within this many standard deviations of the mean."""


RANDOM = "random"
"""Name of the random family, beside the catalogue's: a new solid every shot."""


@dataclass(frozen=True)
class Scene:
    """What one pulse met.

    Parameters
    ----------
    particles : tuple of Particle
        Of the sample.
    foreign : tuple of Particle
        Residue, satellites and droplets. With neither the shot is a blank.
    """

    particles: tuple[Particle, ...] = ()
    foreign: tuple[Particle, ...] = ()

    @property
    def bodies(self) -> tuple[Particle, ...]:
        """All that scatters, the sample's particles first."""
        return self.particles + self.foreign

    @property
    def foreign_fraction(self) -> float:
        """Foreign electrons over the particles' own; NaN without particles."""
        own = sum(particle.electrons for particle in self.particles)
        return sum(piece.electrons for piece in self.foreign) / own if own else math.nan

    @property
    def label(self) -> str:
        """The class, in the words of `xfelspi.patterns.LABELS`."""
        if len(self.particles) > 1:
            return "multiple"
        if not self.particles:
            return "droplet" if self.foreign else "blank"
        if self.foreign and self.foreign_fraction > CONTAMINATED:
            return "contaminated"
        return "single"


@dataclass(frozen=True)
class Forms:
    """Form factors that a recipe's scenes are made of.

    Parameters
    ----------
    family : tuple of FormFactor
        The sample's shape, or the shapes that each shot takes one of.
    spheres : FormFactor or None
        For foreign matter and droplets, where the recipe has any.
    """

    family: tuple[FormFactor, ...]
    spheres: FormFactor | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The population of scenes.

    Parameters
    ----------
    shape : str
        A shape of the catalogue, the path of a mesh file, or "random" for the family of `Body`.
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
        self,
        rng: np.random.Generator,
        forms: Forms,
        number: int,
        place_nm: tuple[float, float, float],
        body: Body | None = None,
        body_rng: np.random.Generator | None = None,
        contacts: Sequence[bool] = (),
        ratios: Sequence[float] = (),
    ) -> tuple[Particle, ...]:
        """Return `number` particles, the first of them at `place_nm`.

        Parameters
        ----------
        rng : Generator
            The shot's stream.
        forms : Forms
            The shapes.
        number : int
            Of particles.
        place_nm : (float, float, float)
            Of the first.
        body, body_rng : Body and Generator, optional
            What the particles depart from their shape by; without them they do not.
        contacts : sequence of bool, optional
            Which of the further particles touch an earlier one.
        ratios : sequence of float, optional
            Factors on the diameters of the further particles.
        """
        if number == 0:
            return ()
        diameters = [self._draw_diameter(rng) for _ in range(number)]
        for i, ratio in enumerate(ratios[: number - 1], start=1):
            diameters[i] *= ratio
        turns = rng.standard_normal((number, 4))
        turns /= np.sqrt((turns * turns).sum(axis=1))[:, None]
        orientations = [(w, x, y, z) for w, x, y, z in turns.tolist()]
        form, density, common = forms.family[0], self.density, None
        made: list[tuple[float, np.ndarray | None, tuple[Layer, ...]]] = [(density, None, ())] * number
        if body is not None and body_rng is not None:
            if len(forms.family) > 1:
                form = forms.family[int(body_rng.integers(len(forms.family)))]
            if self.shape == RANDOM:
                common = body.draw_kind(body_rng, form)
            made = [body.draw(body_rng, form, diameter, density, common) for diameter in diameters]
        bodies = list(zip(diameters, orientations, made, strict=True))

        def reach_nm(i: int, way: tuple[float, float, float]) -> float:
            diameter, turn, (inside, stretch, layers) = bodies[i]
            body = Particle(form, diameter, inside, orientation=turn, stretch=stretch, layers=layers)
            return body.reach_nm(way)

        places = self._draw_places(rng, number, max(diameters), place_nm, contacts, reach_nm)
        low, high = self.relative_fluence
        fluences = (low * (high / low) ** rng.random(number)).tolist()
        return tuple(
            Particle(form, diameter, inside, place, turn, fluence, stretch, layers)
            for (diameter, turn, (inside, stretch, layers)), place, fluence in zip(
                bodies, places, fluences, strict=True
            )
        )

    def _draw_diameter(self, rng: np.random.Generator) -> float:
        while True:
            deviation = rng.standard_normal()
            if abs(deviation) <= SIZE_CUT:
                return self.diameter_nm * (1.0 + self.diameter_spread * deviation)

    def _draw_places(
        self,
        rng: np.random.Generator,
        n: int,
        nearest_nm: float,
        first: tuple[float, float, float],
        contacts: Sequence[bool],
        reach_nm: Callable[[int, tuple[float, float, float]], float],
    ) -> list[tuple[float, float, float]]:
        places = [first]
        while len(places) < n:
            number = len(places)
            near = int(rng.integers(number))
            step = nearest_nm * self.farthest_step ** rng.random()
            along = 2.0 * rng.random() - 1.0
            angle = 2.0 * math.pi * rng.random()
            across = math.sqrt(1.0 - along * along)
            way = (across * math.cos(angle), across * math.sin(angle), along)
            touching = number <= len(contacts) and contacts[number - 1]
            if touching:  # planes across the way, each resting on its body, fall together
                step = _side_by_side_nm(near, number, way, reach_nm)
            start = places[near]
            place = (start[0] + step * way[0], start[1] + step * way[1], start[2] + step * way[2])
            for i, other in enumerate(places):
                apart = math.dist(place, other)
                if touching and i != near:  # flat bodies may be nearer than a diameter, side by side
                    x, y, z = ((a - b) / apart for a, b in zip(place, other, strict=True))
                    least = _side_by_side_nm(i, number, (x, y, z), reach_nm)
                else:
                    least = 0.0 if touching else nearest_nm
                if apart < least:
                    break
            else:
                places.append(place)
        return places


def _side_by_side_nm(
    i: int,
    j: int,
    way: tuple[float, float, float],
    reach_nm: Callable[[int, tuple[float, float, float]], float],
) -> float:
    """Distance along `way`, from body i to body j, at which a plane across it touches both."""
    return reach_nm(i, way) + reach_nm(j, (-way[0], -way[1], -way[2]))
