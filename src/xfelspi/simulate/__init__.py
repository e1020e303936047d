"""Draw shots from a recipe, diffract, read out, write."""

from .beam import Beam, Pulse
from .detector import Detector
from .diffract import Light, scattered_light
from .form_factor import form_factor
from .recipe import Recipe, load_recipe, recipe_from_dict, recipe_names
from .run import Experiment, simulate_to_file
from .scene import Particle, Sample, Scene
from .shot import Expectation, Shot, draw_shot, expected_photons, read_out_key
from .streaming import StreamedPatterns
from .surround import Background, Fluctuation
from .table import FormFactor, form_factor_of
from .terms import TERMS, without

__all__ = [
    "TERMS",
    "Background",
    "Beam",
    "Detector",
    "Expectation",
    "Experiment",
    "Fluctuation",
    "FormFactor",
    "Light",
    "Particle",
    "Pulse",
    "Recipe",
    "Sample",
    "Scene",
    "Shot",
    "StreamedPatterns",
    "draw_shot",
    "expected_photons",
    "form_factor",
    "form_factor_of",
    "load_recipe",
    "read_out_key",
    "recipe_from_dict",
    "recipe_names",
    "scattered_light",
    "simulate_to_file",
    "without",
]
