"""What `xfel simulate`, `show` and `info` promise to whoever types them."""

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

from xfelspi.cli import app

XFEL = [sys.executable, "-c", "from xfelspi.cli import main; main()"]
SMALL = ["--set", "detector.rows=64", "--set", "detector.columns=64"]
PLAIN = [f for name in ("contaminated", "droplet", "blank") for f in ("--set", f"company.{name}=0")]


def xfel(*arguments):
    """Run a command in this process; returns the result with exit code and output."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def content(path):
    """Everything in a pattern file but when and by which command it was made."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.endswith(("process_1/date", "process_1/command")):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def assert_same_content(a, b):
    a, b = content(a), content(b)
    assert a.keys() == b.keys()
    for name in a:
        assert_array_equal(a[name], b[name], err_msg=name)


def test_simulate_show_and_info(tmp_path):
    result = xfel("simulate", "--shape", "torus", "-n", 12, "--out", tmp_path, *SMALL, *PLAIN)
    assert result.exit_code == 0, result.output
    path = tmp_path / "torus.h5"
    assert str(path) in result.output
    with h5py.File(path) as file:
        frames = file["entry_1/data_1/data"]
        assert frames.shape == (12, 64, 64)
        assert frames.dtype == np.uint16
    assert xfel("show", path, "--index", "0,1").exit_code == 0
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    facts = json.loads(xfel("info", path, "--json").output)
    assert facts["patterns"] == 12
    assert facts["labels"] == {"single": 6, "multiple": 6}
    assert "torus" in xfel("info", path).output


def test_the_same_command_again_is_already_complete(tmp_path):
    command = ("simulate", "-n", 4, "--out", tmp_path, *SMALL)
    xfel(*command)
    before = (tmp_path / "icosahedron.h5").stat()
    again = xfel(*command)
    assert again.exit_code == 0
    assert "already complete" in again.output
    after = (tmp_path / "icosahedron.h5").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)  # looked at, not touched


def test_another_run_touches_nothing_unless_told_to(tmp_path):
    xfel("simulate", "-n", 4, "--out", tmp_path, *SMALL)
    path = tmp_path / "icosahedron.h5"
    before = path.read_bytes()
    refused = xfel("simulate", "-n", 4, "--seed", 1, "--out", tmp_path, *SMALL)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    assert path.read_bytes() == before
    assert xfel("simulate", "-n", 4, "--seed", 1, "--out", tmp_path, "--overwrite", *SMALL).exit_code == 0
    assert path.read_bytes() != before


def test_natural_shots_have_blanks(tmp_path):
    xfel("simulate", "-n", 40, "--natural", "--out", tmp_path, *SMALL)
    labels = json.loads(xfel("info", tmp_path / "icosahedron.h5", "--json").output)["labels"]
    assert labels["blank"] > 0
    assert sum(labels.values()) == 40


def test_measured_frames_are_taken_after_and_what_they_told_is_said(tmp_path):
    half = ["--set", "readout.conversion_gain=[0.5, 0.5]", "--set", "readout.threshold_photons=0.5"]
    bright = ["--set", "beam.photons_per_frame=[2e4, 6e4]", "--set", "detector.pixel_size_m=6e-4"]
    frame = ["--set", "detector.rows=96", "--set", "detector.columns=96"]
    assert xfel("simulate", "-n", 40, "--out", tmp_path / "run", *half, *bright, *frame).exit_code == 0
    run = tmp_path / "run" / "icosahedron.h5"
    result = xfel("simulate", "-n", 4, "--match", run, "--out", tmp_path / "sim")
    assert result.exit_code == 0, result.output
    assert "pixels of 600 um" in result.stderr
    least, _, most = result.stderr.partition(" counts a photon")[0].split()[-3:]
    assert (float(least) + float(most)) / 2 == pytest.approx(0.5, rel=0.2)
    assert "a beam that wanders by" in result.stderr
    own = ["--set", "readout.conversion_gain=[1.0, 1.0]", "--set", "beam.centre_jitter_pixels=2.0"]
    asked = xfel("simulate", "-n", 4, "--match", run, "--out", tmp_path / "own", *own)
    assert "counts as set" in asked.stderr
    assert "wanders" not in asked.stderr
    with h5py.File(tmp_path / "sim" / "icosahedron.h5") as file:
        assert file["entry_1/data_1/data"].shape == (4, 96, 96)


def test_what_is_matched_is_opened_as_said_and_never_replaced(tmp_path):
    assert xfel("simulate", "-n", 12, "--out", tmp_path, *SMALL, *PLAIN).exit_code == 0
    run = tmp_path / "icosahedron.h5"
    before = run.read_bytes()
    refused = xfel("simulate", "-n", 4, "--match", run, "--out", tmp_path, "--overwrite")
    assert refused.exit_code == 2
    assert "choose another --out" in " ".join(refused.output.split())
    assert run.read_bytes() == before
    told = xfel("simulate", "-n", 4, "--match", run, "--adu-per-photon", "2", "--out", tmp_path / "adu")
    assert told.exit_code == 0
    with h5py.File(tmp_path / "adu" / "icosahedron.h5") as half, h5py.File(run) as whole:
        assert half["entry_1/data_1/data"][:].sum() / 4 < 0.8 * whole["entry_1/data_1/data"][:].sum() / 12
    for command in ("simulate", "train"):
        alone = xfel(command, "--centre", "3,3", "--out", tmp_path / "none")
        assert alone.exit_code == 2
        assert "--match; name a file" in " ".join(alone.output.split())


def test_a_mesh_is_a_shape(tmp_path):
    import trimesh

    trimesh.creation.box((1, 2, 3)).export(tmp_path / "brick.stl")
    assert (
        xfel("simulate", "--shape", tmp_path / "brick.stl", "-n", 2, "--out", tmp_path, *SMALL).exit_code == 0
    )
    assert (tmp_path / "brick.h5").exists()


def test_a_killed_run_resumes_to_the_same_file(tmp_path):
    """SIGKILL at several moments; the same command finishes, and the content is that of an unbroken run."""
    arguments = ["simulate", "-n", "1500", *SMALL]
    assert xfel(*arguments, "--out", tmp_path / "whole").exit_code == 0
    out = tmp_path / "broken"
    kills = 0
    for attempt in range(12):
        process = subprocess.Popen([*XFEL, *arguments, "--out", str(out)], stdout=subprocess.DEVNULL)
        part = out / "icosahedron.h5.part"
        deadline = time.monotonic() + 60
        grown = part.stat().st_size if part.exists() else 0
        while process.poll() is None and time.monotonic() < deadline:
            if part.exists() and part.stat().st_size > grown + 20_000 * (attempt + 1):
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                break
            time.sleep(0.002)
        if process.wait() == 0:
            break
        assert not (out / "icosahedron.h5").exists()
        if kills == 3:
            break
    assert kills >= 1
    assert xfel(*arguments, "--out", out).exit_code == 0
    assert_same_content(tmp_path / "whole" / "icosahedron.h5", out / "icosahedron.h5")
    assert [path.name for path in out.iterdir()] == ["icosahedron.h5"]


def test_ctrl_c_keeps_what_is_done(tmp_path):
    command = [*XFEL, "simulate", "-n", "12000", *SMALL, "--out", str(tmp_path)]

    def listen() -> None:  # a shell's jobs in the background are deaf to it, and so are their children
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=listen
    )
    part = tmp_path / "icosahedron.h5.part"
    deadline = time.monotonic() + 300  # kernels may have to be compiled first, beside others that do the same
    while not (part.exists() and part.stat().st_size > 50_000) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert part.exists()
    assert xfel("simulate", "-n", 12000, *SMALL, "--out", tmp_path).exit_code == 0


def test_workers_do_not_decide_patterns(tmp_path):
    from xfelspi.simulate import load_recipe, simulate_to_file

    recipe = load_recipe("lcls-amo", SMALL[1::2])
    for workers in (1, 3):
        simulate_to_file(tmp_path / f"{workers}.h5", recipe, 300, 5, workers=workers)
    assert_same_content(tmp_path / "1.h5", tmp_path / "3.h5")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shape", "teapot"], "no shape called 'teapot'"),
        (["-n", "0"], "0 patterns were asked for"),
        (["-n", "-5"], "-5 patterns were asked for"),
        (["--set", "sample.diameter_nm=4000"], "Shrink it below"),
        (["--set", "sample.diameter_nm=-1"], "sample.diameter_nm is -1"),
        (["--recipe", "no-such"], "no recipe 'no-such'"),
        (["--seed", "-1"], "seed is -1"),
        (["-n", "4000000000"], "free"),
    ],
)
def test_wrong_inputs_are_one_sentence_and_leave_nothing(tmp_path, arguments, words):
    out = tmp_path / "out"
    result = xfel("simulate", "--out", out, *arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert result.output.count("\n") == 1
    assert not out.exists() or not list(out.iterdir())


def test_an_open_mesh_is_refused(tmp_path):
    import trimesh

    body = trimesh.creation.box()
    trimesh.Trimesh(body.vertices, body.faces[1:]).export(tmp_path / "open.stl")
    result = xfel("simulate", "--shape", tmp_path / "open.stl", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "not watertight" in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    result = xfel("simulate", "-n", 2, "--out", tmp_path / "file" / "below")
    assert result.exit_code == 2
    assert "cannot" in result.output.lower() or "nothing can be written" in result.output


@pytest.mark.parametrize("command", ["info", "show"])
@pytest.mark.parametrize("content", [None, b"", b"not hdf5 at all", b"\x89HDF\r\n\x1a\n truncated"])
def test_files_that_are_none(tmp_path, command, content):
    path = tmp_path / "patterns.h5"
    if content is not None:
        path.write_bytes(content)
    result = xfel(command, path)
    assert result.exit_code == 2
    assert "patterns.h5" in result.output
    assert not path.with_suffix(".png").exists()


def test_an_index_beyond_the_file(tmp_path):
    xfel("simulate", "-n", 2, "--out", tmp_path, *SMALL)
    assert xfel("show", tmp_path / "icosahedron.h5", "--index", "7").exit_code == 2
    assert xfel("show", tmp_path / "icosahedron.h5", "--index", "a").exit_code == 2


def test_help_is_quick_and_teaches_by_example():
    """No heavy import before a command runs; every command's help shows one."""
    heavy = ("torch", "numba", "matplotlib", "scipy", "h5py", "pydantic")
    code = f"import sys, xfelspi.cli; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
    commands = [command.name or command.callback.__name__ for command in app.registered_commands]
    for command in commands:
        assert f"xfel {command}" in xfel(command, "--help").output


def test_version():
    from xfelspi import __version__

    assert xfel("--version").output == f"xfel {__version__}\n"
