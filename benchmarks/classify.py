"""A long run through `xfel classify`: frames a second from command to prompt, and whether memory grows.

The folder given keeps the file, so that a second call goes on where the first one stopped.
"""

import argparse
from pathlib import Path

from .page import machine, publish
from .throughput import run

FRACTIONS = (0.1, 1.0)
"""Of all the frames: memory at the first and the second tells how it grows."""


def main() -> None:
    """Simulate, train for a moment, classify, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where patterns and model go")
    parser.add_argument("-n", type=int, default=100_000, help="frames")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the fastest counts")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    numbers = [round(asked.n * fraction) for fraction in FRACTIONS]
    for name, number in (("learn", 200), *((f"run-{number}", number) for number in numbers)):
        run(*f"simulate --recipe benchmark -n {number} --seed 3 --out {name}".split(), folder=asked.folder)
    training = "train --data learn --blocks 2,2 --epochs 1 --name published"
    run(*training.split(), folder=asked.folder)
    rows = ["| `xfel classify` with ResNet(2,2) | from command to prompt | memory at most |", "|---|---|---|"]
    for number in numbers:
        command = f"classify run-{number}/icosahedron.h5 --model runs/published.safetensors"
        runs = [run(*command.split(), folder=asked.folder) for _ in range(asked.repeat)]
        seconds, most = min(each.seconds for each in runs), max(each.megabytes for each in runs)
        rows.append(
            f"| {number:,} frames | {seconds:.1f} s, {number / seconds:.0f} frames/s | {most:.0f} MB |"
        )
    publish("classify", "\n".join([*rows, "", machine()]), asked.write)


if __name__ == "__main__":
    main()
