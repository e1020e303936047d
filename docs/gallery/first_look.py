"""Draw README's picture: single and multiple hits of three shapes.

Run it from the top of the repository: python docs/gallery/first_look.py
"""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.image import imread, imsave

from xfelspi.patterns import PatternSet
from xfelspi.pictures import contact_sheet
from xfelspi.simulate import load_recipe, simulate_to_file

SHAPES = ("icosahedron", "soccer", "torus")


def main() -> None:
    """Simulate a few patterns of each shape and draw two singles and two multiples of each."""
    strips = []
    settings = ["beam.photons_per_frame=[3e4, 1e5]"]
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            recipe = load_recipe("benchmark", [*settings, f"sample.shape={shape}"])
            path = simulate_to_file(Path(folder) / f"{shape}.h5", recipe, 16, seed=3)
            with PatternSet.open(path) as patterns:
                singles = [i for i in range(patterns.n) if patterns.labels[i] == 1]
                clear = [i for i in range(patterns.n) if patterns.clear[i]]
                chosen = [*singles[:2], *clear[:2]]
                strip = contact_sheet(
                    patterns, path.with_suffix(".png"), indices=chosen, columns=4, title=shape
                )
            strips.append(imread(strip))
    imsave(Path(__file__).with_name("first-look.png"), np.concatenate(strips))


if __name__ == "__main__":
    main()
