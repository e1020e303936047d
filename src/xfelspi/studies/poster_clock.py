"""One measurement of speed and memory, in a process of its own.

Memory of a process only ever grows, and what ran before it would count: so each number of images, sorted in
each way, is a process that does nothing else. It begins with a few images, so that libraries are loaded and
kernels compiled; then the clock starts, at the frames in the file, and stops at what sorts them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xfelspi.classify import Predictor, clusters_of, diffusion_map, load_model, pattern_vectors
from xfelspi.classify.clusters import MOST
from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet

MAP = "diffusion map"
"""In place of a model: vectors of the pixels, the map, and its clusters."""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What one process took.

    Attributes
    ----------
    n : int
        Images.
    seconds : float
        From the frames in the file to what sorts them.
    peak_bytes, start_bytes : int
        The most memory that was the process's own, and when the clock started.
    """

    n: int
    seconds: float
    peak_bytes: int
    start_bytes: int


def clock(way: str, file: Path, warm: Path) -> Timed:
    """Measure in a new process.

    Parameters
    ----------
    way : str
        `MAP`, or the file of a model.
    file, warm : Path
        Patterns to sort, all of them; a few to begin with.

    Raises
    ------
    InputError
        If the process fails.
    """
    command = [sys.executable, "-c", _PROGRAM, way, str(file), str(warm)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise InputError(f"The speed on {file.name} could not be measured ({last}); is there enough memory?")
    return Timed(**json.loads(done.stdout))


def memory_bytes() -> tuple[int, int]:
    """Return the memory that is this process's own now, and the most it was."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        said = {name: text for name, _, text in (line.partition(":") for line in lines)}
        now, most = (int(said[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    except (OSError, KeyError):  # no such place: all that is left is the most
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        now = most
    return now, most


def _sorter(way: str) -> Callable[[PatternSet], Any]:
    if way != MAP:
        return Predictor(load_model(way))

    def by_map(patterns: PatternSet) -> Any:
        vectors = pattern_vectors(patterns, "pixels")
        return clusters_of(diffusion_map(vectors).coordinates, min(MOST, patterns.n))

    return by_map


def main(way: str, file: str, warm: str) -> None:
    """Measure, and print it as JSON."""
    sort = _sorter(way)
    with PatternSet.open(warm) as patterns:
        sort(patterns)
    start_bytes, _ = memory_bytes()
    with PatternSet.open(file) as patterns:
        n = patterns.n
        start = time.perf_counter()
        sort(patterns)
        seconds = time.perf_counter() - start
    _, peak_bytes = memory_bytes()
    found = {"n": n, "seconds": seconds, "peak_bytes": peak_bytes, "start_bytes": start_bytes}
    sys.stdout.write(json.dumps(found))


_PROGRAM = f"import sys; from {__name__} import main; main(*sys.argv[1:])"
