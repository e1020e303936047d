"""The doctor sees what is wrong, and nothing where nothing is."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.studies import health

SAME = ["/venv/lib/libgomp-1.so", "/venv/torch/libgomp-2.so"]


@pytest.mark.parametrize(
    ("problems", "words"),
    [
        (health._openmp_problems(False, SAME), "without OpenMP"),
        (health._openmp_problems(True, [*SAME, "/opt/conda/libiomp5.so"]), "libiomp5.so and libgomp-1.so"),
        (health._command_problems(None, ["cctbx"]), "cctbx installs"),
        (health._command_problems("/somewhere/else/xfel", []), "another environment"),
        (health._version_problems("1.1", "1.0"), "version 1.1"),
        (health._room_problems(1.5, {}), "1.5 GB of memory"),
        (health._room_problems(None, {"/data": 0.2}), "/data has 0.20 GB"),
        (health._hdf5_problems({"HDF5_USE_FILE_LOCKING": "TRUE"}), "unset it"),
    ],
)
def test_trouble_is_a_sentence(problems, words):
    (sentence,) = problems
    assert words in sentence
    assert sentence.endswith(".")


def test_no_trouble_is_no_sentence():
    assert not list(health._openmp_problems(True, SAME))
    assert not list(health._command_problems(None, []))
    assert not list(health._version_problems("1.0", "1.0"))
    assert not list(health._version_problems("1.0", None))
    assert not list(health._room_problems(16.0, {"/data": 30.0}))
    assert not list(health._hdf5_problems({"HDF5_USE_FILE_LOCKING": "FALSE"}))


def test_a_folder_that_cannot_be_locked_or_written_is_said(tmp_path, monkeypatch):
    assert not list(health._lock_problems(tmp_path))

    def without_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(health, "fcntl", SimpleNamespace(flock=without_locks, LOCK_EX=2, LOCK_NB=4))
    (sentence,) = health._lock_problems(tmp_path)
    assert "No locks available" in sentence


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["Something is wrong."], 1)])
def test_the_command_says_all_and_ends_with_the_verdict(tmp_path, monkeypatch, problems, code):
    for name in ("openmp", "command", "version", "room", "cache", "lock", "hdf5"):
        found = problems if name == "room" else []
        monkeypatch.setattr(health, f"_{name}_problems", lambda *_, found=found: found)
    plain, as_json = (CliRunner().invoke(app, ["doctor", str(tmp_path), *more]) for more in ([], ["--json"]))
    assert (plain.exit_code, as_json.exit_code) == (code, code), plain.output
    assert plain.output.splitlines()[-1] == ("1 problem, see above." if problems else "All is well.")
    page = json.loads(as_json.output)
    assert page["problems"] == problems
    assert {"xfel", "torch", "HDF5"} <= page["facts"]["versions"].keys()
    assert page["facts"]["precision"] in ("float32", "bfloat16")


def test_no_folder_is_one_sentence(tmp_path):
    result = CliRunner().invoke(app, ["doctor", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "is no folder" in result.output
