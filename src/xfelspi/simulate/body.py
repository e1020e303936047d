"""The body of a particle: how far it departs from its shape, and where its density is not even."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xfelspi.errors import InputError

from .particle import Layer, rotation_matrix, stretched
from .table import FormFactor

FAMILY = ("cube", "octahedron", "tetrahedron", "star", "blob")
"""Shapes that the random family is stretched from: none near a soccer ball or a torus; see docs/shapes.md."""


@dataclass(frozen=True)
class Kind:
    """What all particles of a shot of the random family share.

    Parameters
    ----------
    stretch : (3, 3) float64
        Affine distortion.
    core : (float, float) or None
        Size of a core over the body's, and its density over the body's; None for none.
    """

    stretch: np.ndarray
    core: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Body:
    """How bodies depart from homogeneous copies of one shape.

    Parameters
    ----------
    family : tuple of str
        Shapes of which each shot takes one, for all its particles, when `sample.shape` is "random".
    family_blobs : int
        Different blobs that "blob" in the family stands for; they have seeds from 1 on, so the catalogue's
        own, of seed 0, is none of them.
    family_stretch : float
        Standard deviation of the logarithm of each axis of the affine distortion that then all particles of
        a shot share: a new solid every shot.
    family_core_probability : float
        Of a core that then all particles of a shot share; `core_probability` is for each on its own.
    stretch : float
        The same for each particle on its own: imperfect and aggregated particles (LCLS and European XFEL
        samples of one kind show non-equilibrium shapes: Ayyer et al. 2024, arXiv:2401.04896).
    core_probability : float
        Of a core of another density, the shape's own copy inside; an empty one makes a capsid. Shapes whose
        centroid does not see all of the surface, such as the torus, stay without.
    core_size : (float, float)
        Range of its size over the body's.
    core_density : (float, float)
        Range of its density over the body's; 0 is empty.
    hydration_nm : float
        Mean of the thickness of a layer of water around the body, exponentially distributed up to three times
        that. In a vacuum a particle keeps some of the solvent it came with. The layer ends in the body's
        surface at another size: it has this thickness where the body reaches farthest, and over the surface
        3V / SR of it (volume, surface, half the diameter): 0.8 for an icosahedron, 0.33 for a tetrahedron.
    hydration_electrons_per_nm3 : float
        Density of the layer: water at the surface of protein is some 10 % denser than 334 per nm³ (Svergun
        et al. 1998, PNAS 95, 2267).
    ripple : float
        Rms of a smooth variation of density over the mean, a cosine wave through the body.
    ripple_probability : float
        Of a particle having one.
    ripple_length : (float, float)
        Range of its wavelength in diameters.
    """

    family: tuple[str, ...] = FAMILY
    family_blobs: int = 3
    family_stretch: float = 0.3
    family_core_probability: float = 0.7
    stretch: float = 0.0
    core_probability: float = 0.0
    core_size: tuple[float, float] = (0.5, 0.9)
    core_density: tuple[float, float] = (0.0, 0.7)
    hydration_nm: float = 0.0
    hydration_electrons_per_nm3: float = 367.0
    ripple: float = 0.0
    ripple_probability: float = 1.0
    ripple_length: tuple[float, float] = (0.5, 2.0)

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if not self.family:
            raise InputError("body.family is empty; name one shape or more.")
        if not 1 <= self.family_blobs <= 16:
            raise InputError(
                f"body.family_blobs is {self.family_blobs}; it must lie between 1 and 16 "
                "(each has a table of its own)."
            )
        for name, high in (
            ("family_stretch", 0.5),
            ("family_core_probability", 1.0),
            ("stretch", 0.5),
            ("core_probability", 1.0),
            ("ripple_probability", 1.0),
            ("hydration_nm", 100.0),
            ("hydration_electrons_per_nm3", 1e4),
            ("ripple", 0.7),
        ):
            if not 0.0 <= getattr(self, name) <= high:
                raise InputError(
                    f"body.{name} is {getattr(self, name):g}; it must lie between 0 and {high:g}."
                )
        for name, least, most in (
            ("core_size", 0.1, 0.99),
            ("core_density", 0.0, 5.0),
            ("ripple_length", 0.2, 10.0),
        ):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise InputError(
                    f"body.{name} is {low:g} to {high:g}; "
                    f"give a range between {least:g} and {most:g}, low end first."
                )

    @property
    def is_plain(self) -> bool:
        """Whether every body is a homogeneous copy of one shape."""
        return not (self.stretch or self.core_probability or self.hydration_nm or self.ripple)

    @property
    def heaviest(self) -> float:
        """Bound on a body's electrons over those of its homogeneous copy."""
        return 1.0 + max(0.0, self.core_density[1] - 1.0) * self.core_size[1] ** 3

    @property
    def largest_wave(self) -> float:
        """Largest |κ| · radius of a ripple."""
        return math.pi / self.ripple_length[0] if self.ripple else 0.0

    @property
    def thickest_nm(self) -> float:
        """The thickest hydration layer that can be drawn."""
        return 3.0 * self.hydration_nm

    def family_members(self) -> list[tuple[str, dict[str, float]]]:
        """Return shape and proportions of every member of the random family."""
        members: list[tuple[str, dict[str, float]]] = []
        for shape in self.family:
            seeds = range(1, self.family_blobs + 1) if shape == "blob" else ()
            members += [(shape, {"seed": float(seed)}) for seed in seeds] or [(shape, {})]
        return members

    def draw_kind(self, rng: np.random.Generator, form: FormFactor) -> Kind:
        """Return what one shot makes of a member of the random family."""
        stretch = self.draw_stretch(rng, self.family_stretch)
        has_core, *core = rng.random(3).tolist()
        if has_core < self.family_core_probability and form.solid.is_star_shaped:
            return Kind(stretch, self._core(core))
        return Kind(stretch)

    def draw_stretch(self, rng: np.random.Generator, deviation: float) -> np.ndarray:
        """Return exp(S), (3, 3) symmetric, with S of three normal eigenvalues along random axes."""
        quaternion = rng.standard_normal(4)
        axes = rotation_matrix((quaternion / math.sqrt(quaternion @ quaternion)).tolist())
        return (axes * np.exp(deviation * rng.standard_normal(3))) @ axes.T

    def draw(
        self,
        rng: np.random.Generator,
        form: FormFactor,
        diameter_nm: float,
        density: float,
        common: Kind | None = None,
    ) -> tuple[float, np.ndarray | None, tuple[Layer, ...]]:
        """Return the density of one body, its stretch and its layers.

        Every term takes its numbers whether it is on or off, so that none moves what another draws.

        Parameters
        ----------
        rng : Generator
            The body's stream.
        form : FormFactor
            Of its shape.
        diameter_nm, density : float
            Of the body; in electrons/nm³.
        common : Kind, optional
            What all particles of the shot share.
        """
        stretch, core = (None, None) if common is None else (common.stretch, common.core)
        own = self.draw_stretch(rng, self.stretch)
        thickness_nm = min(self.hydration_nm * rng.standard_exponential(), self.thickest_nm)
        has_core, core_size, core_density, has_ripple, length, turn = rng.random(6).tolist()
        direction = rng.standard_normal(3)
        if self.stretch:
            stretch = own if stretch is None else own @ stretch
        if stretch is not None:
            stretch = stretched(form, stretch)
        layers: list[Layer] = []
        inside = density
        if self.hydration_nm and form.solid.is_star_shaped:
            water = min(self.hydration_electrons_per_nm3, density)
            layers.append(Layer(1.0 + 2.0 * thickness_nm / diameter_nm, water))
            inside -= water
        if core is None and form.solid.is_star_shaped and has_core < self.core_probability:
            core = self._core((core_size, core_density))
        parts = [(1.0, density)]
        if core is not None:
            parts.append((core[0], (core[1] - 1.0) * density))
            layers.append(Layer(*parts[1]))
        if self.ripple and has_ripple < self.ripple_probability:
            direction *= 2.0 * math.pi / math.sqrt(direction @ direction)
            x, y, z = (direction / (diameter_nm * _between(self.ripple_length, length))).tolist()
            wave, phase = math.sqrt(2.0) * self.ripple, 2.0 * math.pi * turn
            layers += [Layer(size, wave * excess, (x, y, z), phase) for size, excess in parts]
        return inside, stretch, tuple(layers)

    def _core(self, at: Sequence[float]) -> tuple[float, float]:
        return _between(self.core_size, at[0]), _between(self.core_density, at[1])


def _between(ends: Sequence[float], at: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * at
