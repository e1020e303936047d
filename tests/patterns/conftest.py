import pytest
from toy_patterns import write


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory):
    """A finished file of toy patterns; tests only read it."""
    return write(tmp_path_factory.mktemp("toy") / "torus.h5")
