"""Electron densities of what particles are made of."""

from functools import lru_cache

from xfelspi.errors import InputError

AVOGADRO_PER_NM3 = 602.214_076
"""Electrons per nm³ for one mole of electrons per cm³."""

ELEMENTS = {
    "H": (1, 1.008),
    "C": (6, 12.011),
    "N": (7, 14.007),
    "O": (8, 15.999),
    "S": (16, 32.06),
}
"""Atomic number and standard atomic weight (IUPAC 2021)."""

MATERIALS: dict[str, tuple[float, dict[str, int]]] = {
    "protein": (1.35, {"H": 86, "C": 52, "N": 13, "O": 15, "S": 1}),  # Bergh et al. 2008, Q. Rev. Biophys. 41
    "water": (1.0, {"H": 2, "O": 1}),
    "sucrose": (1.587, {"C": 12, "H": 22, "O": 11}),
    "polystyrene": (1.05, {"C": 8, "H": 8}),
}
"""Mass density in g/cm³ and composition."""


@lru_cache
def electron_density(material: str) -> float:
    """Electrons per nm³: ρ N_A Σ Z / Σ A, all electrons counted as free.

    For light elements above their edges this equals 2π δ / (r_e λ²) of the refractive index within a few
    per cent. Below an edge the electrons bound there scatter little: gold at 1.6 keV, below its M edges,
    acts with far fewer than its 79. Set `sample.electrons_per_nm3` from tabulated f₁ for such particles.

    Raises
    ------
    InputError
        If the material is not tabulated.

    Examples
    --------
    >>> round(electron_density("water"), 1)
    334.3
    """
    if material not in MATERIALS:
        raise InputError(
            f"There is no material called {material!r}; choose one of {', '.join(MATERIALS)}, "
            "or set sample.electrons_per_nm3."
        )
    density, composition = MATERIALS[material]
    electrons = sum(count * ELEMENTS[element][0] for element, count in composition.items())
    mass = sum(count * ELEMENTS[element][1] for element, count in composition.items())
    return density * AVOGADRO_PER_NM3 * electrons / mass
