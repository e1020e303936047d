"""Chance: a stream of random numbers of its own for every shot and every door.

What one door draws never moves what another draws, so a term that is switched on leaves the rest of the
shot as it was.
"""

import threading

import numpy as np

DRAW, READ_OUT, PAIR, SURROUND, BODY, COMPANY = 1, 2, 3, 4, 5, 6
"""The doors: beam and scene; read-out; which of a pair comes first; light beside the particles; what a
particle is made of; what travels with it."""

UNIT = 10
"""A door that opens once per copy of a detector: what was made differently in it."""
BEAM, DRIFT, RUN = 7, 8, 9
"""Further doors: where the beam points; knots of its slow drift; what stays as it is for a whole run."""

_ALL = 2**64 - 1

_mine = threading.local()


def hash64(*words: int) -> int:
    """64 bits from (seed, door, index): SplitMix64's finalizer over each in turn."""
    state = 0
    for word in words:
        state = (state ^ word) + 0x9E3779B97F4A7C15 & _ALL
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _ALL
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _ALL
        state ^= state >> 31
    return state


def stream(seed: int, door: int, index: int) -> np.random.Generator:
    """Return `Generator(Philox(key=hash64(seed, door, index)))` at its start, in a tenth of the time.

    There is one generator per thread and door, set anew by the next call: draw from it, do not keep it.
    """
    generators = _mine.__dict__.setdefault("generators", {})
    if door not in generators:
        generator = np.random.Generator(np.random.Philox(key=0))
        generators[door] = generator, generator.bit_generator.state
    generator, start = generators[door]
    start["state"]["key"][0] = hash64(seed, door, index)
    generator.bit_generator.state = start
    return generator
