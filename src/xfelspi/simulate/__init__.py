"""Draw shots from a recipe, diffract, read out, write."""

from .background import Background
from .beam import Beam, Pulse
from .blanks import Blanks, read_blanks
from .body import Body
from .company import Company
from .detector import Detector
from .diffract import Light, scattered_light
from .fluctuation import Fluctuation
from .form_factor import form_factor
from .particle import Layer, Particle
from .readout import ReadOut, Unit, file_mask, read_out, unit_of
from .recipe import Recipe, load_recipe, recipe_from_dict, recipe_names
from .run import Experiment, simulate_to_file
from .scene import Forms, Sample, Scene
from .shot import Expectation, Shot, draw_shot, expected_photons, read_out_key
from .streaming import StreamedPatterns
from .surround import Surround
from .table import FormFactor, form_factor_of
from .terms import TERMS, without

__all__ = [
    "TERMS",
    "Background",
    "Beam",
    "Blanks",
    "Body",
    "Company",
    "Detector",
    "Expectation",
    "Experiment",
    "Fluctuation",
    "FormFactor",
    "Forms",
    "Layer",
    "Light",
    "Particle",
    "Pulse",
    "ReadOut",
    "Recipe",
    "Sample",
    "Scene",
    "Shot",
    "StreamedPatterns",
    "Surround",
    "Unit",
    "draw_shot",
    "expected_photons",
    "file_mask",
    "form_factor",
    "form_factor_of",
    "load_recipe",
    "read_blanks",
    "read_out",
    "read_out_key",
    "recipe_from_dict",
    "recipe_names",
    "scattered_light",
    "simulate_to_file",
    "unit_of",
    "without",
]
