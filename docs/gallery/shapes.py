"""Draw every shape and some of the random family: density along the beam, and one pattern.

Run it from the top of the repository: python docs/gallery/shapes.py
"""

import math
import sys
from pathlib import Path

import numpy as np

from xfelspi.shapes import SHAPES
from xfelspi.simulate import Experiment, Particle, load_recipe

BRIGHT = ("beam.photons_per_frame=[1e5, 1e5]", "sample.diameter_spread=0.0")
PER_ROW = 5
FAMILY_ROWS = 2
FIELD = 2.4
"""Width of the drawn density over the particle's radius."""

PIXELS = 96


def projection(particle: Particle) -> np.ndarray:
    """Electrons per area along the beam, (PIXELS, PIXELS): the transform of F in the plane q_z = 0.

    A Gaussian of half a pixel takes away the ringing of edges.
    """
    step = 2.0 * math.pi / (FIELD * particle.diameter_nm / 2.0)
    axis = np.fft.ifftshift(np.arange(PIXELS) - PIXELS // 2) * step
    q = np.stack([*np.meshgrid(axis, axis), np.zeros((PIXELS, PIXELS))], axis=-1)
    in_body = q @ particle.to_lab
    wave = particle.electrons_per_nm3 * particle.form.exact(in_body, particle.diameter_nm)
    for layer in particle.layers:
        size_nm = particle.diameter_nm * layer.size
        wave = wave + layer.electrons_per_nm3 * particle.form.exact(in_body, size_nm)
    blur = FIELD * particle.diameter_nm / 4.0 / PIXELS
    wave = wave * np.exp(-((q * q).sum(axis=-1)) * blur**2 / 2.0)
    return np.fft.fftshift(np.fft.ifft2(wave).real)


def singles(shape: str, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return density and pattern of the first `n` single hits of a shape."""
    experiment = Experiment(load_recipe("benchmark", [*BRIGHT, f"sample.shape={shape}"]), seed=5)
    shots = (i for i in range(4 * n + 4) if len(experiment.draw(i).scene.particles) == 1)
    chosen = [next(shots) for _ in range(n)]
    return [(projection(experiment.draw(i).scene.particles[0]), experiment.pattern(i)[0]) for i in chosen]


def main(folder: Path, shapes: list[str] | None = None, family_rows: int = FAMILY_ROWS) -> Path:
    """Draw the sheet into a folder and return its path."""
    from matplotlib.figure import Figure
    from PIL import Image

    pictures = [(name, *singles(name, 1)[0]) for name in shapes or list(SHAPES)]
    pictures += [("", np.empty((0, 0)), np.empty((0, 0)))] * (-len(pictures) % PER_ROW)
    if family_rows:
        pictures += [("random", *pair) for pair in singles("random", family_rows * PER_ROW)]
    rows = len(pictures) // PER_ROW
    figure = Figure(figsize=(2.3 * PER_ROW, 1.35 * rows))
    axes = figure.subplots(rows, 2 * PER_ROW, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for i, (name, density, frame) in enumerate(pictures):
        if not name:
            continue
        left, right = axes[i // PER_ROW, 2 * (i % PER_ROW) :][:2]
        left.imshow(density, cmap="gray", vmin=0.0)
        left.set_title(name, fontsize=7, pad=2)
        middle = [slice(n // 5, n - n // 5) for n in frame.shape]
        right.imshow(np.log1p(frame[*middle]), cmap="inferno", vmin=0.0, vmax=6.5)
    figure.tight_layout(pad=0.3)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "shapes.png"
    figure.savefig(path, dpi=100)
    with Image.open(path) as image:  # photon noise does not compress; 64 colours do
        image.convert("RGB").quantize(64).save(path, optimize=True)
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
