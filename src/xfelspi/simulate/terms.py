"""The terms that make a shot realistic, by name; each can be switched off, back to `ideal`."""

import dataclasses
from collections.abc import Collection

from xfelspi.errors import InputError

from .recipe import Recipe, load_recipe

TERMS: dict[str, tuple[str, ...]] = {
    "distortion": ("body.stretch",),
    "cores": ("body.core_probability",),
    "hydration": ("body.hydration_nm",),
    "ripple": ("body.ripple",),
    "sizes": ("company.size_ratio",),
    "contact": ("company.contact_probability",),
    "residue": ("company.contaminated", "company.trace_probability"),
    "droplets": ("company.droplet",),
    "blank-shots": ("company.blank",),
    "centre-jitter": ("beam.centre_jitter_pixels",),
    "background": (
        "background.flat_fraction",
        "background.halo_fraction",
        "background.flat_photons_per_pixel",
        "background.halo_photons",
    ),
    "field": ("fluctuation.rms",),
    "panels": (
        "readout.panel_gain_rms",
        "readout.panel_offset_photons",
        "readout.panel_offset_jitter_photons",
    ),
    "panel-shift": ("readout.panel_shift_pixels",),
    "common-mode": ("readout.common_mode_photons",),
    "read-noise": ("detector.read_noise_photons",),
    "charge-sharing": ("readout.charge_cloud_pixels",),
    "photon-conversion": ("readout.threshold_photons", "readout.conversion_gain"),
    "saturation": ("detector.saturation_photons", "readout.blooming"),
    "bad-pixels": ("readout.hot_fraction", "readout.dead_fraction"),
    "shadow": ("readout.shadow_width_pixels",),
    "energy-drift": ("beam.energy_drift",),
    "pointing-jitter": ("beam.pointing_jitter_um",),
    "focus-wings": ("beam.wing_fraction",),
    "wavefront-tilt": ("beam.wavefront_tilt_mrad",),
    "coherence": ("beam.coherence_length_um",),
    "gas": ("background.gas_fraction", "background.gas_mbar_cm"),
    "apertures": ("background.aperture_fraction", "background.aperture_photons"),
    "incoherent": ("background.incoherent_fraction",),
    "streak": ("background.streak_probability",),
    "background-amplitude": ("background.amplitude_spread",),
    "background-centre": ("background.centre_spread_pixels",),
    "measured-background": ("background.file",),
    "blobs": ("fluctuation.additive_fraction",),
}
"""Term -> the settings that are it, as ``section.name``."""


def without(recipe: Recipe, terms: Collection[str]) -> Recipe:
    """Return the recipe with some terms switched off: their settings become those of `ideal`.

    Parameters
    ----------
    recipe : Recipe
        Any.
    terms : collection of str
        Keys of `TERMS`.

    Raises
    ------
    InputError
        If a term is unknown.

    Examples
    --------
    >>> without(load_recipe("lcls-amo"), ["field"]).fluctuation.rms
    0.0
    """
    ideal = load_recipe("ideal")
    for term in terms:
        if term not in TERMS:
            raise InputError(f"There is no term {term!r}; the terms are {', '.join(TERMS)}.")
        for setting in TERMS[term]:
            section, name = setting.split(".")
            off = getattr(getattr(ideal, section), name)
            changed = dataclasses.replace(getattr(recipe, section), **{name: off})
            recipe = dataclasses.replace(recipe, **{section: changed})
    return recipe
