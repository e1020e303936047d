"""The commands as a user waits for them: start-up, whole runs from command to prompt, memory."""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from threading import Event, Thread

from .page import machine, page_asked_for, publish

LOOK_AGAIN_S = 0.1
"""Between two looks at the memory of a running command."""


@dataclass(frozen=True)
class Run:
    """One command from start to prompt; memory is the most that all its processes held at once."""

    seconds: float
    megabytes: float


def run(*arguments: str, folder: Path) -> Run:
    """Run `xfel` in a folder."""
    command = [str(Path(sys.executable).with_name("xfel")), *arguments]
    most, ended = 0.0, Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(LOOK_AGAIN_S):
            most = max(most, megabytes_of_session(process.pid))

    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True)
    watcher = Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    ended.set()
    watcher.join()
    if code:
        sys.exit(f"xfel {' '.join(arguments)} ended with {code}")
    return Run(seconds, most)


def megabytes_of_session(session: int) -> float:
    """Memory of all processes of a session, shared pages counted once (Linux: Pss)."""
    kilobytes = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name in parentheses: state, parent, process group, session.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                kilobytes += int((folder / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        except (OSError, IndexError):
            continue  # it has just ended
    return kilobytes / 1e3


def simulations(folder: Path) -> list[str]:
    """Rows for whole runs, tables and compiled kernels cached."""
    rows = []
    # Few show what the start costs, many the rate.
    for number, recipe in product((10_000, 50_000), ("lcls-amo", "benchmark")):
        runs = [
            run(*f"simulate --recipe {recipe} -n {number} --out {recipe}-{number}-{i}".split(), folder=folder)
            for i in range(3)
        ]
        seconds = median(each.seconds for each in runs)
        most = max(each.megabytes for each in runs)
        rows.append(
            f"| `xfel simulate --recipe {recipe} -n {number}` "
            f"| {seconds:.1f} s, {number / seconds:.0f} patterns/s | {most:.0f} MB |"
        )
    return rows


def scoring(folder: Path) -> list[str]:
    """Rows for sorting and scoring with the published ResNet(2,2), start-up and reading included."""
    number, data = 50_000, "benchmark-50000-0/icosahedron.h5"
    more = "simulate --recipe benchmark -n 200 --out benchmark --overwrite"
    training = "train --data benchmark --blocks 2,2 --epochs 1 --name published"
    for command in (more, training):
        run(*command.split(), folder=folder)
    rows = []
    for name, command in {
        "classify": f"classify {data} --model runs/published.safetensors",
        "score": f"score --model runs/published.safetensors --data {data}",
    }.items():
        runs = [run(*command.split(), folder=folder) for _ in range(2)]
        seconds = min(each.seconds for each in runs)
        most = max(each.megabytes for each in runs)
        rows.append(
            f"| `xfel {name}` with ResNet(2,2), {number} patterns "
            f"| {seconds:.1f} s, {number / seconds:.0f} patterns/s | {most:.0f} MB |"
        )
    return rows


def starts(folder: Path) -> list[str]:
    """Rows for what a user waits for before anything happens."""
    help_s = median(run("--help", folder=folder).seconds for _ in range(7))
    small = [run("simulate", "-n", "10", "--out", f"small-{i}", folder=folder) for i in range(5)]
    return [
        f"| `xfel --help` | {help_s:.2f} s | |",
        f"| `xfel simulate -n 10` | {median(each.seconds for each in small):.2f} s "
        f"| {max(each.megabytes for each in small):.0f} MB |",
    ]


def main() -> None:
    """Measure, print, and write if asked to."""
    page = page_asked_for(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for recipe in ("lcls-amo", "benchmark"):  # the first run compiles and fills the cache
            run("simulate", "--recipe", recipe, "-n", "10", "--out", recipe, folder=folder)
        rows = [*starts(folder), *simulations(folder), *scoring(folder)]
    header = "| command, caches warm | from command to prompt | memory at most |\n|---|---|---|"
    publish("throughput", "\n".join([header, *rows, "", "Medians.", machine()]), page)


if __name__ == "__main__":
    main()
