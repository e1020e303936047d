"""The diffusion map as its number of patterns grows: seconds and memory, on both kinds of features.

    python -m benchmarks.embedding build/embedding
    python -m benchmarks.embedding build/embedding --write docs/embedding.md
    python -m benchmarks.embedding build/embedding -n 1000 -n 3000

Every map is made by a process of its own; patterns are read from the disk. Files stay in the folder given.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from xfelspi.classify import clusters_of, diffusion_map
from xfelspi.classify.vectors import FEATURES
from xfelspi.patterns import AlreadyComplete, PatternSet
from xfelspi.simulate import load_recipe, simulate_to_file
from xfelspi.studies.embedding import embed

from .page import machine, publish

NUMBERS = (1_000, 3_000, 7_214, 20_000, 50_000)
"""Patterns; 7,214 are those of the published comparison."""

NOTES = """\
Patterns of the `benchmark` recipe, brought to 128 × 128 pixels. *Vectors*: reading and preparing; *map*:
nearest neighbours, bandwidth and eigenvectors; *clusters*: 20 of them. Memory is the most that the process
held, libraries included.
"""


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where patterns go")
    parser.add_argument("-n", type=int, action="append", metavar="N", help="patterns; may be repeated")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    parser.add_argument("--one", choices=FEATURES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(patterns_of(asked.folder, asked.n[0]), asked.one)))
        return
    rows = ["| features | patterns | vectors / s | map / s | clusters / s | all / s | memory / MB |"]
    rows.append("|---" * 7 + "|")
    for features in FEATURES:
        for n in asked.n or NUMBERS:
            patterns_of(asked.folder, n)
            found = in_own_process(asked.folder, n, features)
            spent = [found[name] for name in ("vectors", "map", "clusters")]
            cells = [*(f"{seconds:.1f}" for seconds in spent), f"**{sum(spent):.1f}**", f"{found['mb']:.0f}"]
            rows.append(f"| {features} | {n:,} | {' | '.join(cells)} |")
            print(rows[-1], file=sys.stderr, flush=True)
    publish("embedding", "\n".join([*rows, "", NOTES, machine()]), asked.write)


def patterns_of(folder: Path, n: int) -> Path:
    """Simulate a file unless it is there."""
    path = folder / f"benchmark-{n}.h5"
    try:
        return simulate_to_file(path, load_recipe("benchmark"), n, seed=1)
    except AlreadyComplete:
        return path


def in_own_process(folder: Path, n: int, features: str) -> dict[str, float]:
    """Measure where nothing else has used memory before."""
    command = [sys.executable, "-m", "benchmarks.embedding", str(folder), "-n", str(n), "--one", features]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(path: Path, features: str) -> dict[str, float]:
    """Seconds of each step with kernels compiled, and the most memory that it took."""
    rng = np.random.default_rng(0)
    clusters_of(diffusion_map(rng.normal(size=(200, 8)), k=20).coordinates, 5)
    with PatternSet.open(path) as patterns:
        seconds = embed(patterns, path.parent / f"{path.stem}-{features}", features=features).seconds
    return seconds | {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    main()
