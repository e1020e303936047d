"""Where output goes: beside what is read, and never over it."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.cli.options import beside


def xfel(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def frames(path):
    np.save(path, np.random.default_rng(0).poisson(0.3, (4, 32, 32)).astype(np.uint16))
    return path


def test_brackets_in_a_name_are_no_pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[2024] beam").mkdir()
    file = frames(tmp_path / "[2024] beam" / "run[1].npy")
    assert beside(file, ".png") == file.with_suffix(".png")
    assert beside(tmp_path / "[2024]*" / "*.tif", "") == tmp_path


def test_a_name_without_an_ending_is_a_stem_as_it_is(tmp_path):
    (tmp_path / "run0042").touch()
    assert beside(tmp_path / "run0042", "") == tmp_path / "run0042"
    assert beside(tmp_path / "run0042.png", ".png") == tmp_path / "run0042-sheet.png"


@pytest.mark.parametrize("read", ["pictures", "pictures/*.png", "pictures/1.png"])
def test_pictures_that_are_read_are_not_drawn_over(tmp_path, monkeypatch, read):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for index in range(3):
        Image.fromarray(np.full((32, 32), index, np.uint16)).save(tmp_path / "pictures" / f"{index}.png")
    before = (tmp_path / "pictures" / "1.png").read_bytes()
    refused = xfel("show", read, "--out", "pictures/1.png")
    assert refused.exit_code == 2
    assert "choose another --out" in " ".join(refused.output.split())
    assert (tmp_path / "pictures" / "1.png").read_bytes() == before


def test_a_name_that_is_not_utf_8_is_one_sentence(tmp_path):
    file = frames(tmp_path / "run.npy").rename(os.fsdecode(os.fsencode(tmp_path) + b"/run\xe4.npy"))
    for command in (("info",), ("hits",), ("classify",)):
        refused = xfel(*command, file)
        assert refused.exit_code == 2
        assert "is not UTF-8" in " ".join(refused.output.split())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full to print to")
@pytest.mark.parametrize("command", ["info", "--help"])
def test_what_is_printed_to_a_full_disk_is_one_sentence(tmp_path, command):
    arguments = [command] if command == "--help" else [command, str(frames(tmp_path / "run.npy"))]
    with open("/dev/full", "w") as full:
        run = [sys.executable, "-c", "from xfelspi.cli import main; main()", *arguments]
        done = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["show", "convert", "plan"])
def test_what_is_no_file_is_not_replaced(tmp_path, command):
    """A device would become a file for whoever may write there; a pipe stands for it."""
    run = frames(tmp_path / "run.npy")
    os.mkfifo(pipe := tmp_path / "pipe.cxi")
    arguments = {
        "show": ("show", run, "--out", pipe),
        "convert": ("convert", run, pipe, "--overwrite"),
        "plan": ("plan", "-n", 8, "--out", pipe),
    }[command]
    refused = xfel(*arguments)
    assert refused.exit_code == 2, refused.output
    assert pipe.is_fifo()


def test_names_that_differ_behind_a_dot_have_outputs_of_their_own(tmp_path):
    assert beside(tmp_path / "shot.0001", "").name == "shot.0001"
    assert beside(tmp_path / "run.0042.cxi", ".png").name == "run.0042.png"
