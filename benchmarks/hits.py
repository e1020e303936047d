"""Hit finding on simulated runs whose truth is known, and pairs told from singles by the autocorrelation."""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from xfelspi.classify.intervals import auc, wilson
from xfelspi.hits import COMPANY, SCORES, HitFinding, find_hits, measure
from xfelspi.patterns import LABELS, PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file

from .page import machine, publish

SHAPES = ("sphere", "icosahedron", "cube", "octahedron", "tetrahedron", "torus")
BRIGHT = ((0, 100), (100, 300), (300, 1_000), (1_000, 1e9))
RUNS = {
    "even background": [
        "background.amplitude_spread=0",
        "background.streak_probability=0",
        "beam.energy_drift=0",
    ],
    "as it is": [],
}


def main() -> None:
    """Simulate, find, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=20_000, help="shots of each run; a tenth of it for pairs")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [row for name, changes in RUNS.items() for row in hits(Path(folder), name, changes, asked.n)]
        told = [
            company(Path(folder), recipe, shape, asked.n // 10)
            for recipe in ("benchmark", "lcls-amo")
            for shape in SHAPES
        ]
    head = "| background, score | blanks called hits | " + " | ".join(_range(*ends) for ends in BRIGHT) + " |"
    about = (
        f"{asked.n:,} natural `lcls-amo` shots a run, one in ten with a particle, fluence down to a "
        "thousandth of the middle's. Hits found by photons above the background; thresholds as "
        "`xfel hits` has them (snr 4). The even background has no streaks, no drift and no spread of its "
        "amplitudes, but still moves by a pixel."
    )
    publish("hits", "\n".join([head, "|---" * 6 + "|", *found, "", about, machine()]), asked.write)
    head = f"| recipe, shape | AUC, clear multiples | singles above {COMPANY:g} | clear multiples below |"
    publish("company", "\n".join([head, "|---|---|---|---|", *told, "", machine()]), asked.write)


def hits(folder: Path, name: str, changes: list[str], n: int) -> list[str]:
    """Rows of one run: both scores."""
    natural = ['sample.arrival="natural"', "sample.mean_particles=0.1", "beam.smallest_fluence_ratio=0.001"]
    path = folder / f"{name.replace(' ', '-')}.h5"
    simulate_to_file(path, load_recipe("lcls-amo", [*natural, *changes]), n, 1)
    rows = []
    with PatternSet.open(path) as patterns:
        truth = patterns.truth
        assert truth is not None
        blank = truth["label"] == LABELS.index("blank")
        photons = truth["expected_photons"] - truth["background_photons"]
        for score in SCORES:
            hit = find_hits(patterns, HitFinding(score=score)).hit
            found = [share(hit, ~blank & (photons > low) & (photons <= high)) for low, high in BRIGHT]
            rows.append(f"| {name}, {score} | {share(hit, blank)} | {' | '.join(found)} |")
    return rows


def company(folder: Path, recipe: str, shape: str, n: int) -> str:
    """Row of one shape: singles against clear multiples by the autocorrelation."""
    path = folder / f"{recipe}-{shape}.h5"
    simulate_to_file(path, load_recipe(recipe, [f'sample.shape="{shape}"']), n, 2)
    with PatternSet.open(path) as patterns:
        score = measure(patterns).company
        known = np.isfinite(score)
        single, clear = (np.asarray(patterns.labels) == 1) & known, np.asarray(patterns.clear) & known
    area = auc(score[clear], score[single])
    lost, kept = share(score > COMPANY, single), share(score <= COMPANY, clear)
    return f"| {recipe}, {shape} | {area:.4f} | {lost} | {kept} |"


def share(chosen: np.ndarray, among: np.ndarray) -> str:
    """Text of a share with its interval of 95 %."""
    k, n = int((chosen & among).sum()), int(among.sum())
    if not n:
        return "–"
    low, high = wilson(k, n)
    return f"**{100 * k / n:.2f} %** ({100 * low:.2f}–{100 * high:.2f})"


def _range(low: float, high: float) -> str:
    return f"{low:g} to {high:g} photons" if high < 1e9 else f"more than {low:g}"


if __name__ == "__main__":
    main()
