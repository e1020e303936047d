import numpy as np
import pytest
import torch
from toy_shots import QUICK, write_simulated

from xfelspi.classify import load_model, train


@pytest.fixture(scope="session", autouse=True)
def _one_precision():
    """Tests compare weights: the precision must not depend on what else the machine does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xfelspi.classify.learning.fastest", lambda *_, **__: torch.float32)
        yield


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory):
    """A simulated file of 240 toy shots; tests only read it."""
    return write_simulated(tmp_path_factory.mktemp("toy") / "torus.h5", 240)


@pytest.fixture(scope="session")
def toy_model_path(toy_file):
    """A small model trained on it; tests only read it."""
    return train([toy_file], QUICK, out=toy_file.parent / "runs", name="toy", command="typed")


@pytest.fixture
def toy_model(toy_model_path):
    return load_model(toy_model_path)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
