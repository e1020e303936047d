"""A file sorted: what hits, networks, size and company say; and whether a model knows such particles."""

from .scale import Scale, at_scale, scale_of
from .shots import Sorted, Sorting, sort_shots

__all__ = ["Scale", "Sorted", "Sorting", "at_scale", "scale_of", "sort_shots"]
