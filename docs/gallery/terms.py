"""Draw what every term of the simulator does: the same shot without and with it.

Run it from the top of the repository: python docs/gallery/terms.py
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from xfelspi.simulate import TERMS, Experiment, Recipe, load_recipe, without

SHOTS = 3
SEARCHED = 60
"""Shots among which those that a term changes most are drawn."""

SEEN_WELL = {
    "beam.photons_per_frame": "[1e5, 1e5]",
    "background.flat_fraction": "0.03",
    "background.halo_fraction": "0.1",
    "background.gas_fraction": "0.1",
    "background.aperture_fraction": "0.1",
    "background.incoherent_fraction": "0.3",
    "background.streak_probability": "0.5",
    "background.streak_fraction": "0.1",
    "background.amplitude_spread": "1.0",
    "background.centre_spread_pixels": "6.0",
    "body.stretch": "0.25",
    "body.ripple": "0.4",
    "body.ripple_probability": "1.0",
    "body.hydration_nm": "4.0",
    "company.foreign_fraction": "[0.3, 1.0]",
    "company.droplet": "0.3",
    "company.blank": "0.3",
    "fluctuation.rms": "0.4",
    "fluctuation.additive_fraction": "0.2",
    "detector.saturation_photons": "150",
    "detector.read_noise_photons": "0.3",
    "readout.panel_gain_rms": "0.2",
    "readout.panel_offset_photons": "0.5",
    "readout.panel_offset_jitter_photons": "0.5",
    "readout.panel_shift_pixels": "3.0",
    "readout.common_mode_photons": "0.5",
    "readout.charge_cloud_pixels": "0.5",
    "readout.conversion_gain": "[0.5, 0.5]",
    "readout.blooming": "1.0",
    "readout.hot_fraction": "0.01",
    "readout.dead_fraction": "0.01",
    "readout.known_fraction": "0.0",
    "readout.shadow_width_pixels": "20.0",
    "readout.shadow_tip_pixels": "15.0",
    "readout.new_unit_every": "0",
    "beam.coherence_length_um": "0.1",
    "beam.wavefront_tilt_mrad": "[4.0, 4.0]",
    "beam.pointing_jitter_um": "2.0",
    "beam.energy_drift": "0.5",
}
"""Settings stronger than in the recipe, so that the eye finds the term."""

BESIDE = {
    "background-amplitude": ("background",),
    "background-centre": ("background",),
}
"""Terms that show only where another is on."""


def pair(full: Recipe, term: str) -> tuple[Experiment, Experiment]:
    """Return the experiment without any term but those the term needs, and with it."""
    if term == "energy-drift":  # it moves photon numbers, which are not to be fixed then
        full = replace(full, beam=replace(full.beam, photons_per_frame=None))
    beside = BESIDE.get(term, ())
    off = [other for other in TERMS if other not in beside]
    on = [other for other in off if other != term]
    return Experiment(without(full, off), seed=1), Experiment(without(full, on), seed=1)


def most_changed(plain: Experiment, term: Experiment) -> list[int]:
    """Return the shots that differ most by the mean difference of their roots."""
    changes = np.array(
        [np.abs(np.sqrt(plain.pattern(i)[0]) - np.sqrt(term.pattern(i)[0])).mean() for i in range(SEARCHED)]
    )
    order = np.argsort(-changes, kind="stable")[:SHOTS]
    return sorted(order.tolist())


def main(folder: Path, terms: list[str] | None = None) -> Path:
    """Draw the sheet into a folder and return its path."""
    from matplotlib.figure import Figure
    from PIL import Image

    full = load_recipe("lcls-amo", [f"{name}={value}" for name, value in SEEN_WELL.items()])
    # A measured background needs a measured file; what there is none of cannot be drawn.
    chosen = [t for t in (terms or list(TERMS)) if t != "measured-background"]
    per_row = 2
    rows = math.ceil(len(chosen) / per_row)
    figure = Figure(figsize=(per_row * SHOTS * 2 * 1.15, rows * 1.6))
    axes = figure.subplots(rows, per_row * SHOTS * 2, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for i, term in enumerate(chosen):
        plain, termed = pair(full, term)
        shots = most_changed(plain, termed)
        for j, shot in enumerate(shots):
            for k, experiment in enumerate((plain, termed)):
                frame, truth = experiment.pattern(shot)
                axis = axes[i // per_row, (i % per_row) * SHOTS * 2 + 2 * j + k]
                middle = [slice(n // 4, n - n // 4) for n in frame.shape]
                axis.imshow(np.log1p(frame[*middle]), cmap="inferno", vmin=0.0, vmax=6.5)
                title = f"{term if k else 'off'}\n{truth.label}"
                axis.set_title(title, fontsize=6, pad=2)
    figure.tight_layout(pad=0.3)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terms.png"
    figure.savefig(path, dpi=100)
    with Image.open(path) as image:  # photon noise does not compress; 64 colours do
        image.convert("RGB").quantize(64).save(path, optimize=True)
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
