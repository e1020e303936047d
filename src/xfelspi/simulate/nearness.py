"""How far two bodies are from each other, by the light they scatter over all orientations."""

import numpy as np

from .particle import Particle

GUINIER = np.linspace(1.0, 8.0, 71)
"""Momentum transfers in units of 1 / radius of gyration: from the first speckle to the third or fourth."""


def nearness_profile(body: Particle, directions: int = 300) -> np.ndarray:
    """Light of a body averaged over all orientations, ⟨|F(q)|²⟩ / |F(0)|², at `GUINIER` over its own radius.

    The radius of gyration R_g is the profile's own, 1 - q² R_g² / 3 near the centre (Guinier 1939), so that
    size and density drop out. Waves of density are left out.

    Parameters
    ----------
    body : Particle
        With its stretch and layers; its place and orientation do not matter.
    directions : int
        Of a Fibonacci lattice on the half sphere; the other half follows from Friedel's law.

    Returns
    -------
    profile : (71,) float64
    """
    height = (np.arange(directions) + 0.5) / directions
    angle = np.arange(directions) * np.pi * (3.0 - np.sqrt(5.0))
    across = np.sqrt(1.0 - height**2)
    ways = np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)
    small = 0.05 / body.diameter_nm
    forward = float(_intensity(body, np.zeros((1, 3)))[0])
    fall = 1.0 - float(_intensity(body, small * ways).mean()) / forward
    gyration_nm = np.sqrt(3.0 * fall) / small
    q = GUINIER[:, None, None] / gyration_nm * ways
    return _intensity(body, q).mean(axis=1) / forward


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the root mean square of (a - b) / (a + b) of two profiles: 0 for the same, at most 1.

    Two bodies of one form and any size differ by 0; bodies that differ much cannot be of similar form. The
    reverse does not hold.
    """
    return float(np.sqrt(np.mean(((first - second) / (first + second)) ** 2)))


def _intensity(body: Particle, q: np.ndarray) -> np.ndarray:
    shells = [(1.0, body.electrons_per_nm3)]
    shells += [(layer.size, layer.electrons_per_nm3) for layer in body.layers if not any(layer.wave_per_nm)]
    in_body = q if body.stretch is None else q @ body.stretch
    waves = [density * body.form.exact(in_body, body.diameter_nm * size) for size, density in shells]
    return np.abs(np.sum(waves, axis=0)) ** 2
