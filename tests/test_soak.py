"""A short soak: commands killed at random moments finish when given again, with the same result."""

import random

import numpy as np
import pytest
from benchmarks.soak import TRIALS, _differences, soak


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simulate", "convert", "convert-back"])
def test_killed_at_random_moments(name, tmp_path):
    said = []
    outcome = soak(name, tmp_path, 2, random.Random(name), said.append)
    assert outcome.wrong == [], "\n".join(said)
    assert outcome.kills == 2


def test_every_command_that_writes_is_tried():
    assert {trial.arguments[0] for trial in TRIALS.values()} == {
        "simulate",
        "train",
        "study",
        "classify",
        "convert",
    }


def test_a_difference_is_seen():
    one = {"run.h5": {"data": np.arange(6), "weights": np.linspace(0, 50, 5), "process_1/date": "today"}}
    same = {"run.h5": one["run.h5"] | {"weights": np.linspace(0, 50, 5) + 1e-3, "process_1/date": "now"}}
    assert _differences(one, same) == []
    for other in ({"data": np.arange(7)}, {"weights": np.linspace(0, 51, 5)}, {"more": 1}):
        assert _differences(one, {"run.h5": one["run.h5"] | other})
