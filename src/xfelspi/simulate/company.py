"""What a particle may come with, or be mistaken for: foreign matter, droplets, clusters, blanks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xfelspi.errors import InputError

from .materials import electron_density
from .particle import Particle
from .table import FormFactor

CONTAMINATED = 0.05
"""Foreign electrons over the particle's own from which on a shot is `contaminated`."""

TRACE = (0.002, CONTAMINATED)
"""Range of foreign electrons over the particle's own that leave it a single."""

LONGEST_ROD = 1.5
"""Length of a rod over the diameter of the particle beside it, at most: a larger one is thicker instead."""

Negative = Literal["multiple", "contaminated", "droplet", "blank"]


@dataclass(frozen=True, kw_only=True)
class Company:
    """What is in the beam beside clean particles.

    Parameters
    ----------
    contaminated : float
        Share of the negatives in pairs that are one particle with foreign matter; in natural shots, share of
        the particles that carry it.
    droplet : float
        Share of the negatives that are a droplet of solvent alone; in natural shots, the chance of one.
    blank : float
        Share of the negatives without anything. Natural shots have blanks by themselves.
    foreign_fraction : (float, float)
        Range of foreign electrons over the particle's own, log-uniform; above 0.05, what makes a particle
        contaminated.
    trace_probability : float
        Of foreign matter below that on any other particle: nature does not know our labels.
    foreign_material : str
        Non-volatile residue of the buffer, which lets 40 nm particles look like 35 to 300 nm (Daurer et al.
        2017, IUCrJ 4, 251).
    satellite_share : float
        Of foreign pieces that fly beside the particle; the others sit on its surface as caps.
    satellite_reach : float
        Largest distance of a satellite's centre from the surface, in diameters.
    rod_share : float
        Of foreign pieces that are rods, ellipsoids of revolution: splinters and streaks of the jet.
    rod_aspect : (float, float)
        Range of their length over their width.
    droplet_nm : (float, float)
        Range of droplets' diameters, log-uniform.
    droplet_material : str
        What they are of.
    contact_probability : float
        Of each further particle of a multiple hit touching an earlier one: clusters.
    size_ratio : (float, float)
        Range of the log-uniform factor on each further particle's diameter: pairs of different sizes.
    """

    contaminated: float = 0.0
    droplet: float = 0.0
    blank: float = 0.0
    foreign_fraction: tuple[float, float] = (0.06, 1.0)
    trace_probability: float = 0.0
    foreign_material: str = "sucrose"
    satellite_share: float = 0.3
    satellite_reach: float = 2.0
    rod_share: float = 0.15
    rod_aspect: tuple[float, float] = (2.0, 4.0)
    droplet_nm: tuple[float, float] = (35.0, 150.0)
    droplet_material: str = "water"
    contact_probability: float = 0.0
    size_ratio: tuple[float, float] = (1.0, 1.0)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        shares = ("contaminated", "droplet", "blank")
        for name in (
            *shares,
            "trace_probability",
            "satellite_share",
            "rod_share",
            "contact_probability",
        ):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"company.{name} is {getattr(self, name):g}; it must lie between 0 and 1.")
        total = sum(getattr(self, name) for name in shares)
        if not total <= 1.0:
            raise InputError(
                f"company.contaminated, droplet and blank add up to {total:g}; as shares of the negatives "
                "they may add up to 1."
            )
        if not 0.0 <= self.satellite_reach <= 20.0:
            raise InputError(
                f"company.satellite_reach is {self.satellite_reach:g}; it must lie between 0 and 20."
            )
        for name, least, most in (
            ("foreign_fraction", CONTAMINATED + 1e-3, 10.0),
            ("rod_aspect", 1.0, 10.0),
            ("droplet_nm", 0.1, 1e6),
            ("size_ratio", 0.1, 10.0),
        ):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise InputError(
                    f"company.{name} is {low:g} to {high:g}; "
                    f"give a range between {least:g} and {most:g}, low end first."
                )
        electron_density(self.foreign_material)
        electron_density(self.droplet_material)

    @property
    def leaves_nothing_to_chance(self) -> bool:
        """Whether shots hold clean particles of one size alone, apart from each other."""
        return not (self.needs_spheres or self.blank or self.contact_probability) and self.size_ratio == (
            1,
            1,
        )

    @property
    def needs_spheres(self) -> bool:
        """Whether there may be bodies that are not the sample's."""
        return self.contaminated > 0.0 or self.droplet > 0.0 or self.trace_probability > 0.0

    def largest_foreign_nm(self, diameter_nm: float, density: float) -> float:
        """Return the diameter of the largest foreign body that can be drawn beside a particle."""
        largest = 0.0
        if self.contaminated or self.trace_probability:
            most = self.foreign_fraction[1] if self.contaminated else CONTAMINATED
            ratio = most * density / electron_density(self.foreign_material)
            largest = diameter_nm * max(ratio ** (1.0 / 3.0), LONGEST_ROD if self.rod_share else 0.0)
        return max(largest, self.droplet_nm[1]) if self.droplet else largest

    def draw_negative(self, rng: np.random.Generator) -> Negative:
        """Return what the pattern of a pair shows that is not a single hit."""
        pick = rng.random()
        for kind in ("contaminated", "droplet", "blank"):
            pick -= getattr(self, kind)
            if pick < 0.0:
                return kind
        return "multiple"

    def draw_cluster(self, rng: np.random.Generator, number: int) -> tuple[list[bool], list[float]]:
        """Return which of the further particles touch an earlier one, and the factors on their diameters."""
        low, high = self.size_ratio
        drawn = rng.random((max(number - 1, 0), 2)).tolist()
        contacts = [touch < self.contact_probability for touch, _ in drawn]
        return contacts, [low * (high / low) ** size for _, size in drawn]

    def draw_fraction(self, rng: np.random.Generator, contaminated: bool | None) -> float:
        """Return a particle's foreign electrons over its own; None leaves it to chance what it is."""
        dirty, trace, at = rng.random(3).tolist()
        if contaminated or (contaminated is None and dirty < self.contaminated):
            low, high = self.foreign_fraction
        elif trace < self.trace_probability:
            low, high = TRACE
        else:
            return 0.0
        return low * (high / low) ** at

    def draw_pieces(
        self,
        rng: np.random.Generator,
        spheres: FormFactor,
        hosts: Sequence[Particle],
        contaminated: bool | None,
    ) -> list[Particle]:
        """Return what particles carry; None leaves it to chance which of them are contaminated."""
        pieces = []
        for host in hosts:
            fraction = self.draw_fraction(rng, contaminated)
            uniform, normal = (
                rng.random(4).tolist(),
                rng.standard_normal(7),
            )  # taken in any case, see `chance`
            if fraction > 0.0:
                pieces.append(self._piece(uniform, normal, spheres, host, fraction))
        return pieces

    def _piece(
        self,
        uniform: Sequence[float],
        normal: np.ndarray,
        spheres: FormFactor,
        host: Particle,
        fraction: float,
    ) -> Particle:
        """Return a foreign body on or near its host, with a fraction of the host's electrons."""
        density = electron_density(self.foreign_material)
        volume = fraction * host.electrons / density
        is_rod, is_satellite = uniform[0] < self.rod_share, uniform[1] < self.satellite_share
        aspect = self.rod_aspect[0] + (self.rod_aspect[1] - self.rod_aspect[0]) * uniform[2]
        diameter, stretch = (6.0 / math.pi * volume) ** (1.0 / 3.0), None
        if is_rod:
            longest = LONGEST_ROD * host.diameter_nm / diameter
            aspect = max(1.0, min(aspect, longest**1.5))
            diameter *= aspect ** (2.0 / 3.0)
            stretch = np.diag([1.0 / aspect, 1.0 / aspect, 1.0])
        turn, direction = normal[:4] / np.linalg.norm(normal[:4]), normal[4:] / np.linalg.norm(normal[4:])
        away = uniform[3] * self.satellite_reach * host.diameter_nm
        piece = Particle(
            spheres,
            diameter,
            density,
            orientation=tuple(turn.tolist()),
            relative_fluence=host.relative_fluence,
            stretch=stretch,
        )
        # A cap is sunk in by half of its own thickness; where both overlap, both densities count.
        reach = piece.reach_nm(direction)
        distance = host.reach_nm(direction) + (reach + away if is_satellite else 0.5 * reach)
        x, y, z = (np.array(host.position_nm) + distance * direction).tolist()
        return Particle(
            spheres, diameter, density, (x, y, z), piece.orientation, host.relative_fluence, stretch
        )

    def draw_droplet(
        self,
        rng: np.random.Generator,
        spheres: FormFactor,
        place_nm: tuple[float, float, float],
        relative_fluence: tuple[float, float],
        particles: Sequence[Particle] = (),
        farthest_step: float = 1.0,
    ) -> Particle:
        """Return a sphere of solvent at a place, or, where particles are, clear of all of them.

        Parameters
        ----------
        rng, spheres : Generator, FormFactor
            The stream; of balls.
        place_nm : (float, float, float)
            Where it is when it is alone.
        relative_fluence : (float, float)
            Range of the log-uniform factor on its fluence: the focus that particles meet.
        particles : sequence of Particle
            Beside which it flies, 1 to `farthest_step` times as far from one of them as touching it.
        """
        (low, high), (dim, bright) = self.droplet_nm, relative_fluence
        diameter = low * (high / low) ** float(rng.random())
        fluence = dim * (bright / dim) ** float(rng.random())
        while particles:
            host = particles[int(rng.integers(len(particles)))]
            away = (host.outer_diameter_nm + diameter) / 2.0 * farthest_step ** float(rng.random())
            way = rng.standard_normal(3)
            x, y, z = (np.array(host.position_nm) + away / math.sqrt(way @ way) * way).tolist()
            place_nm = (x, y, z)
            if all(
                math.dist(place_nm, other.position_nm)
                >= (other.outer_diameter_nm + diameter) / 2.0 * (1 - 1e-9)
                for other in particles
            ):
                break
        return Particle(
            spheres,
            diameter,
            electron_density(self.droplet_material),
            place_nm,
            relative_fluence=fluence,
        )
