"""Broken and hostile files: one sentence and exit 2, or an answer; a few here, all by `mutants.py`."""

import subprocess
import sys
from pathlib import Path

import pytest
from hostile import MAKERS, MARK
from typer.testing import CliRunner

from xfelspi.cli import app

A_FEW = {
    "npy_objects": "Python objects",
    "labels_objects": "Python objects",
    "mask_pickle": "not a readable npy file",
    "npz_objects": "data (3,) object",
    "npz_bomb": "would expand from",
    "hdf5_frames_many": "none is written yet",
    "hdf5_frames_large": "more than any detector",
    "hdf5_circle_of_links": "no datasets",
    "hdf5_link_to_a_secret": "a link to /etc/passwd",
    "hdf5_virtual_of_a_secret": "lies in another file, /etc/passwd",
    "hdf5_virtual_of_itself": "made of itself",
    "hdf5_bomb_in_other_chunks": "expands to more",
    "hdf5_many_groups": "no datasets",
    "own_label_unknown": "no label 200",
    "emc_place_beyond": "out of bounds",
    "detector_far_apart": "too far apart",
    "png_bomb": "",
    "tiff_huge": "exceeds limit",
    "csv_null_bytes": "",
    "a_pipe": "a pipe",
}
"""Names of `MAKERS`, and what has to stand in the sentence."""


@pytest.mark.parametrize("name", A_FEW)
def test_one_sentence(tmp_path, name):
    result = CliRunner().invoke(app, ["info", *MAKERS[name](tmp_path)])
    assert not (tmp_path / MARK).exists()
    if result.exit_code == 0:
        assert not A_FEW[name]
        return
    assert result.exit_code == 2, result.exception
    assert result.stderr.count("\n") == 1
    assert A_FEW[name] in result.stderr


@pytest.mark.slow
def test_no_file_harms():
    """All made by hand, and each kind of damage to each format; `mutants.py` says what each has to hold."""
    tool = Path(__file__).with_name("mutants.py")
    count = len(MAKERS) + 66
    assert count >= 200
    done = subprocess.run(
        [sys.executable, tool, "--count", str(count)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{count} files, 0 wrong\n")
