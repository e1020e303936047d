"""Simulate single-particle diffraction from an X-ray laser, and sort single hits from the rest."""

__version__ = "0.1.0"
