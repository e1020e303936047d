"""EMC written by us, read by Dragonfly's own reader.

Dragonfly builds only with the headers of GSL and HDF5. Its reader is plain Python in the middle of a Cython
file, though: where the package is not installed but its source is at hand, that class is taken from there and
run as it stands (pip download --no-deps --no-binary dragonfly-spi dragonfly-spi; XFELSPI_PEERS names the
folder).
"""

import os
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from toy_patterns import MASK, SHAPE, N, frame

from xfelspi.patterns import PatternSet, convert


def reader_of_source(archive):
    """The class EMCReader out of the source of dragonfly-spi."""
    with tarfile.open(archive) as source:
        (name,) = [name for name in source.getnames() if name.endswith("/dragonfly/emcfile.pyx")]
        text = source.extractfile(name).read().decode()
    begin, end = text.index("class EMCReader()"), text.index("class EMCWriter()")
    namespace = {"np": np, "h5py": h5py, "sys": sys}
    exec(compile(text[begin:end], name, "exec"), namespace)
    return namespace["EMCReader"]


@pytest.fixture(scope="module")
def dragonfly():
    """EMCReader of Dragonfly, and what makes its detector from a file."""
    try:
        from dragonfly import Detector, EMCReader
    except ImportError:
        folder = os.environ.get("XFELSPI_PEERS")
        archives = sorted(Path(folder).glob("dragonfly_spi-*.tar.gz")) if folder else []
        if not archives:
            pytest.skip("no Dragonfly: neither installed, nor its source in the folder XFELSPI_PEERS")
        return reader_of_source(archives[-1]), columns_of
    return EMCReader, Detector


def columns_of(path):
    """As much of a detector as a reader of raw frames asks for: the pixels."""
    with h5py.File(path) as file:
        return SimpleNamespace(x=file["qx"][:], raw_mask=file["mask"][:])


@pytest.mark.dragonfly
@pytest.mark.parametrize("name", ["a.emc", "photons.emc.h5"])
def test_dragonfly_reads_what_we_write(dragonfly, toy_file, tmp_path, name):
    reader, detector = dragonfly
    with PatternSet.open(toy_file) as patterns:
        written = convert(patterns, tmp_path / name)
    det = detector(str(written.beside[0]))
    np.testing.assert_array_equal(det.raw_mask, np.where(MASK.ravel() != 0, 2, 0))
    emc = reader(str(tmp_path / name), det)
    assert emc.num_frames == N
    for index in range(N):
        np.testing.assert_array_equal(emc.get_frame(index, raw=True).reshape(SHAPE), frame(index))
    summed = sum(frame(index).astype(int) for index in range(N))
    np.testing.assert_array_equal(emc.get_powder(raw=True).reshape(SHAPE), summed)
