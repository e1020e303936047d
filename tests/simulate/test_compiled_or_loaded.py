"""A shot is the same to the last bit, whether its kernels were compiled in this process or loaded."""

import os
import subprocess
import sys

import pytest

SHOTS = """
import hashlib
from xfelspi.simulate import Experiment, load_recipe
experiment = Experiment(load_recipe("lcls-amo"), 5)
found = hashlib.sha256()
for index in range(80):
    frame, truth = experiment.pattern(index)
    found.update(frame.tobytes() + truth.expected_photons.hex().encode())
print(found.hexdigest())
"""


@pytest.mark.slow
def test_kernels_compiled_and_loaded_give_the_same_shots(tmp_path):
    """Inlined by LLVM in one and called in the other, helpers with sums would round differently."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    compiled, loaded = (
        subprocess.run([sys.executable, "-c", SHOTS], env=environment, capture_output=True, check=True).stdout
        for _ in range(2)
    )
    assert any(tmp_path.rglob("*.nbi"))
    assert compiled == loaded
