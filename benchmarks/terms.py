"""CPU milliseconds per pattern of the realistic recipe, and what each term takes of them."""

import os
import time
from statistics import median

from threadpoolctl import threadpool_limits

from xfelspi.patterns import compress_frame
from xfelspi.simulate import TERMS, Experiment, load_recipe, without

from .page import machine, page_asked_for, publish

PATTERNS, ROUNDS = 400, 5

NOTES = f"""\
CPU milliseconds per compressed pattern of 256 × 256 pixels on one core, medians of {ROUNDS} rounds over
the same {PATTERNS} shots in which all take turns. *Taken*: how much less time the recipe takes without the
term; below 0.03 it is noise. `measured-background` needs a measured file and is off.
"""


def cpu_ms(experiment: Experiment) -> float:
    """CPU milliseconds to draw, diffract, read out and compress one pattern."""
    start = time.process_time()
    for index in range(PATTERNS):
        compress_frame(experiment.pattern(index)[0])
    return 1e3 * (time.process_time() - start) / PATTERNS


def main() -> None:
    """Measure, print, and write if asked to."""
    page = page_asked_for(__doc__)
    full = load_recipe("lcls-amo")
    experiments = {"all": Experiment(full, seed=1), "none": Experiment(without(full, TERMS), seed=1)}
    experiments |= {term: Experiment(without(full, [term]), seed=1) for term in TERMS}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    times: dict[str, list[float]] = {name: [] for name in experiments}
    with threadpool_limits(1):
        for round_number in range(1 + ROUNDS):
            for name, experiment in experiments.items():
                taken = cpu_ms(experiment)
                if round_number > 0:  # the first compiles and fills caches
                    times[name].append(taken)
    ms = {name: median(values) for name, values in times.items()}
    rows = ["| `lcls-amo` | ms | taken |", "|---|---|---|"]
    rows += [f"| all terms | **{ms['all']:.2f}** | |", f"| no term | {ms['none']:.2f} | |"]
    rows += [f"| without `{term}` | {ms[term]:.2f} | {ms['all'] - ms[term]:.2f} |" for term in TERMS]
    publish("terms", "\n".join([*rows, "", NOTES, machine()]), page)


if __name__ == "__main__":
    main()
