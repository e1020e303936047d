"""A kill at any moment costs a block, never the run, and never shows in the result."""

import errno
import os
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import h5py
import pytest
from toy_patterns import BLOCK_SIZE, RUN, N, append, content, write, writer

from xfelspi.errors import InputError
from xfelspi.patterns import AlreadyComplete, PatternSet
from xfelspi.patterns.journal import Journal

HERE = Path(__file__).parent


def run_and_die(code: str, path: Path) -> None:
    """Run code in another process that kills itself; `path` is its argument."""
    prelude = "import os, signal, sys; from toy_patterns import *\npath = Path(sys.argv[1])\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + code, str(path)],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def begun(path: Path, *blocks: int) -> Path:
    with writer(path) as patterns:
        for block in blocks:
            append(patterns, block)
    return part_of(path)


def test_killed_in_the_middle_of_a_record(tmp_path, toy_file):
    path = tmp_path / "torus.h5"
    code = """
patterns = writer(path)
append(patterns, 3)
append(patterns, 0)
write_all = patterns._journal._append
def die_half_way(data):
    patterns._journal._file.seek(patterns._journal._end)
    patterns._journal._file.write(data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
patterns._journal._append = die_half_way
append(patterns, 1)
"""
    run_and_die(code, path)
    assert not path.exists()
    with writer(path) as patterns:
        assert patterns.missing_blocks == [1, 2, 4]
    write(path)
    assert content(path) == content(toy_file)
    assert os.listdir(tmp_path) == ["torus.h5"]


def test_killed_while_the_file_is_put_together(tmp_path, toy_file):
    path = tmp_path / "torus.h5"
    code = """
import xfelspi.patterns.writer as module
patterns = writer(path)
for block in list(patterns.missing_blocks):
    append(patterns, block)
write_block = module.write_block
def die(room, start, block):
    if start >= 10:
        os.kill(os.getpid(), signal.SIGKILL)
    write_block(room, start, block)
module.write_block = die
patterns.finish()
"""
    run_and_die(code, path)
    assert not path.exists()
    with writer(path) as patterns:
        assert patterns.missing_blocks == []
        patterns.finish()
    assert content(path) == content(toy_file)
    assert os.listdir(tmp_path) == ["torus.h5"]


def test_killed_after_the_rename(tmp_path):
    path = tmp_path / "torus.h5"
    begun(path, 0, 1, 2, 3, 4)
    journal = part_of(path).read_bytes()
    write(path)
    part_of(path).write_bytes(journal)
    with pytest.raises(AlreadyComplete):
        writer(path)
    assert os.listdir(tmp_path) == ["torus.h5"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_workers_that_outlive_a_killed_parent_do_not_keep_the_lock(tmp_path):
    path = tmp_path / "torus.h5"
    code = """
import time
patterns = writer(path)
append(patterns, 2)
child = os.fork()
if child == 0:
    (path.parent / "pid").write_text(str(os.getpid()))
    for descriptor in (1, 2):
        os.close(descriptor)
    time.sleep(60)
while not (path.parent / "pid").exists() or not (path.parent / "pid").read_text():
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
    run_and_die(code, path)
    try:
        with writer(path) as patterns:
            assert patterns.missing_blocks == [0, 1, 3, 4]
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("cut", [1, 7, 500])
def test_torn_tail_is_cut_off(tmp_path, toy_file, cut):
    path = tmp_path / "torus.h5"
    part = begun(path, 0, 1)
    os.truncate(part, part.stat().st_size - cut)
    with writer(path) as patterns:
        assert patterns.missing_blocks == [1, 2, 3, 4]
    write(path)
    assert content(path) == content(toy_file)


def test_corrupt_record_is_done_again_and_its_neighbours_kept(tmp_path, toy_file):
    path = tmp_path / "torus.h5"
    part = begun(path, 0)
    middle = part.stat().st_size + 200  # well inside the payload of block 1
    begun(path, 1, 2)
    data = bytearray(part.read_bytes())
    data[middle] ^= 0x40
    part.write_bytes(data)
    with writer(path) as patterns:
        assert patterns.missing_blocks == [1, 3, 4]
    write(path)
    assert content(path) == content(toy_file)


def test_corrupt_head_ends_the_journal(tmp_path):
    path = tmp_path / "torus.h5"
    part = begun(path, 0)
    head = part.stat().st_size
    begun(path, 1, 2)
    data = bytearray(part.read_bytes())
    data[head + 5] ^= 0x01
    part.write_bytes(data)
    with writer(path) as patterns:
        assert patterns.missing_blocks == [1, 2, 3, 4]
    assert part.stat().st_size == head


def test_torn_header_starts_anew(tmp_path):
    path = tmp_path / "torus.h5"
    part = begun(path, 0)
    os.truncate(part, 40)
    with writer(path) as patterns:
        assert patterns.missing_blocks == [0, 1, 2, 3, 4]


def test_order_of_blocks_does_not_show(tmp_path, toy_file):
    path = tmp_path / "torus.h5"
    begun(path, 4, 2, 0, 3, 1)
    write(path)
    assert content(path) == content(toy_file)


def test_leaving_on_an_error_keeps_the_journal_and_frees_the_lock(tmp_path):
    path = tmp_path / "torus.h5"

    def interrupted():
        with writer(path) as patterns:
            append(patterns, 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with writer(path) as patterns:
        assert patterns.missing_blocks == [1, 2, 3, 4]


def test_leaving_before_the_first_block_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), writer(tmp_path / "torus.h5"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_second_process_is_refused(tmp_path):
    path = tmp_path / "torus.h5"
    with writer(path), pytest.raises(InputError, match=r"Another process is writing .*torus\.h5;"):
        writer(path)


def test_a_file_system_without_locks_still_works(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert write(tmp_path / "torus.h5").exists()


def test_complete_file_is_not_touched(tmp_path):
    path = write(tmp_path / "torus.h5")
    before = path.read_bytes()
    with pytest.raises(AlreadyComplete, match="already complete") as caught:
        writer(path, run=RUN | {"command": "another way to say it"})
    assert caught.value.path == path
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["torus.h5"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 8}, "its seed is 7 where 8 is asked for"),
        ({"shape": "soccer"}, 'its shape is "torus" where "soccer" is asked for'),
        ({"recipe": {"name": "toy"}}, "its recipe.beam.photon_energy_ev is 1600.0 where none is asked for"),
    ],
)
def test_another_run_is_refused_and_nothing_touched(tmp_path, change, said):
    path = write(tmp_path / "torus.h5")
    before = path.read_bytes()
    with pytest.raises(InputError, match="--overwrite") as caught:
        writer(path, run=RUN | change)
    assert said in str(caught.value)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["torus.h5"]


def test_a_file_that_is_not_ours_is_refused(tmp_path):
    path = tmp_path / "torus.h5"
    path.write_text("notes")
    with pytest.raises(InputError, match="not written by xfel"):
        writer(path)
    assert path.read_text() == "notes"
    write(path, overwrite=True)
    with PatternSet.open(path) as patterns:
        assert patterns.n == N


def test_overwrite_keeps_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = write(tmp_path / "torus.h5")
    before = path.read_bytes()
    other = RUN | {"seed": 8}
    with writer(path, run=other, overwrite=True) as patterns:
        append(patterns, 0)
    assert path.read_bytes() == before
    with pytest.raises(InputError, match="--overwrite"):
        writer(path, run=other)
    with writer(path, run=other, overwrite=True) as patterns:
        assert patterns.missing_blocks == [1, 2, 3, 4]
    write(path, run=other, overwrite=True)
    with PatternSet.open(path) as patterns:
        assert patterns.run["seed"] == 8


def test_asking_for_a_complete_file_leaves_the_journal_of_another_run(tmp_path):
    path = write(tmp_path / "torus.h5")
    with writer(path, run=RUN | {"seed": 8}, overwrite=True) as patterns:
        append(patterns, 0)
    with pytest.raises(AlreadyComplete):
        writer(path)
    with writer(path, run=RUN | {"seed": 8}, overwrite=True) as patterns:
        assert patterns.missing_blocks == [1, 2, 3, 4]


def test_journal_of_another_run(tmp_path):
    path = tmp_path / "torus.h5"
    part = begun(path, 0)
    before = part.read_bytes()
    with pytest.raises(InputError, match=r"unfinished run, but its seed is 7 where 8.*--overwrite"):
        writer(path, run=RUN | {"seed": 8})
    with pytest.raises(InputError, match="its block_size is 5 where 6"):
        writer(path, block_size=BLOCK_SIZE + 1)
    assert part.read_bytes() == before
    with writer(path, run=RUN | {"seed": 8}, overwrite=True) as patterns:
        assert patterns.missing_blocks == [0, 1, 2, 3, 4]


def test_foreign_file_in_the_journals_place(tmp_path):
    part_of(tmp_path / "torus.h5").write_text("a plan")
    with pytest.raises(InputError, match="not a journal of xfel"):
        writer(tmp_path / "torus.h5", overwrite=True)
    assert part_of(tmp_path / "torus.h5").read_text() == "a plan"


def test_too_small_a_disk_is_refused_first(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9 - 60_000, 60_000))
    with pytest.raises(InputError, match=r"23 patterns need about .* GB .*ask for about 5 patterns"):
        writer(tmp_path / "new" / "torus.h5")
    assert os.listdir(tmp_path) == []
    assert write(tmp_path / "torus.h5", estimated_bytes_per_pattern=1000).exists()


def test_space_already_taken_by_the_journal_is_not_asked_for_again(tmp_path, monkeypatch):
    part = begun(tmp_path / "torus.h5", 0, 1, 2, 3)
    size = part.stat().st_size // 20
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 0, N * size + 3 * size))
    write(tmp_path / "torus.h5", estimated_bytes_per_pattern=size)


def test_disk_full_while_blocks_are_written(tmp_path, monkeypatch, toy_file):
    path = tmp_path / "torus.h5"

    class FullDisk:
        """Takes half of what it is given, then nothing."""

        def __init__(self, file):
            self.file, self.full = file, False

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.full = True
            return self.file.write(data[: len(data) // 2])

    with writer(path) as patterns:
        append(patterns, 0)
        monkeypatch.setattr(patterns._journal, "_file", FullDisk(patterns._journal._file))
        with pytest.raises(InputError, match=r"No space left on device\) with 5 of 23 patterns kept"):
            append(patterns, 1)
    monkeypatch.undo()
    with writer(path) as patterns:
        assert patterns.missing_blocks == [1, 2, 3, 4]
    write(path)
    assert content(path) == content(toy_file)


@pytest.mark.parametrize("limit", [100, 4096, 70_000])
def test_disk_full_while_the_file_is_put_together(tmp_path, toy_file, limit):
    """A real write error below HDF5: the kernel refuses files beyond a limit.

    HDF5 left alone with it crashes the process when its handles are released.
    """
    path = tmp_path / "torus.h5"
    code = f"""
import gc, resource
patterns = writer(path)
for block in list(patterns.missing_blocks):
    append(patterns, block)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from xfelspi.errors import InputError
try:
    patterns.finish()
except InputError as error:
    said = str(error)
gc.collect()
assert "File too large) with 23 of 23 patterns kept" in said, said
os.kill(os.getpid(), signal.SIGKILL)
"""
    run_and_die(code, path)
    assert os.listdir(tmp_path) == ["torus.h5.part"]
    write(path)
    assert content(path) == content(toy_file)


def test_no_permission(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere, so it is only said
    with pytest.raises(InputError, match="No permission to write in"):
        writer(tmp_path / "torus.h5")
    assert os.listdir(tmp_path) == []


def test_journal_that_cannot_be_opened(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("xfelspi.patterns.lock.os.open", refuse)
    with pytest.raises(InputError, match=r"Cannot write .*torus\.h5\.part: Permission denied"):
        writer(tmp_path / "torus.h5")


def test_folder_below_a_file(tmp_path):
    (tmp_path / "sim").write_text("")
    with pytest.raises(InputError, match="sim is a file"):
        writer(tmp_path / "sim" / "deep" / "torus.h5")


def test_output_that_is_a_folder(tmp_path):
    (tmp_path / "torus.h5").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        writer(tmp_path / "torus.h5", overwrite=True)


def test_no_patterns_asked_for(tmp_path):
    with pytest.raises(InputError, match="0 patterns are asked for"):
        writer(tmp_path / "torus.h5", n=0)
    assert os.listdir(tmp_path) == []


def test_record_that_reads_back_damaged(tmp_path):
    path = tmp_path / "torus.h5"
    with writer(path) as patterns:
        for block in list(patterns.missing_blocks):
            append(patterns, block)
        with part_of(path).open("r+b") as file:
            file.seek(-3, os.SEEK_END)
            file.write(b"???")
        with pytest.raises(InputError, match="Input/output error"):
            patterns.finish()
    assert os.listdir(tmp_path) == ["torus.h5.part"]


def test_journal_grows_by_whole_records(tmp_path):
    journal = Journal(tmp_path / "any.part")
    journal.begin({"run": {}})
    journal.append(3, b"three")
    journal.append(1, b"")
    assert len(journal) == 2
    journal.close()
    again = Journal(tmp_path / "any.part")
    assert again.header == {"run": {}}
    assert list(again.recover()) == [(3, b"three"), (1, b"")]
    assert again.read(3) == b"three"
    again.remove()
    assert os.listdir(tmp_path) == []


def test_files_are_the_same_byte_for_byte_but_for_the_date(tmp_path, toy_file):
    path = write(tmp_path / "torus.h5")
    with h5py.File(path) as one, h5py.File(toy_file) as two:
        dates = one["process_1/date"][()], two["process_1/date"][()]
    assert path.read_bytes().replace(dates[0], dates[1]) == toy_file.read_bytes()
