"""Broken and hostile files against the real command: python tests/patterns/mutants.py --seed 7 --count 500.

Every file is opened in a child process of its own, by `xfel info` and then by reading all its frames. It has
to end within 10 s with 0 or 2, on less than 2 GB, with one sentence if it is 2; no code out of it may run.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from hostile import MAKERS, MARK
from toy_formats import WRITERS, png, square_detector
from toy_patterns import write as write_own
from typer.testing import CliRunner

from xfelspi.cli import app, main
from xfelspi.patterns import PatternSet

MOST_BYTES = 2 << 30
MOST_SECONDS = 10  # of the processor: others may keep it busy
_GIVE_UP_SECONDS = 60  # of the clock, for what waits for ever
_AT_ONCE = 64


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `wrong` says what must not be, None if all is well."""

    name: str
    code: int
    said: str
    seconds: float
    peak_bytes: int
    wrong: str | None


def mutants(seed: int, count: int) -> Iterator[tuple[str, Path, list[str]]]:
    """Yield `count` names, folders, arguments: those made by hand, then damage by chance of all formats."""
    with tempfile.TemporaryDirectory() as root:
        for number, (name, maker) in enumerate(list(MAKERS.items())[:count]):
            folder = Path(root) / str(number)
            folder.mkdir()
            yield name, folder, maker(folder)
            shutil.rmtree(folder)
        good = Path(root) / "good"
        good.mkdir()
        contents = {name: write(good / file).read_bytes() for name, (write, file) in _SOURCES.items()}
        for number in range(len(MAKERS), count):
            rng = np.random.default_rng((seed, number))
            name = list(contents)[number % len(contents)]
            how = list(_DAMAGE)[number // len(contents) % len(_DAMAGE)]
            folder = Path(root) / str(number)
            folder.mkdir()
            path = folder / _SOURCES[name][1]
            path.write_bytes(_DAMAGE[how](bytearray(contents[name]), rng))
            arguments = [str(path)]
            if name.startswith("detector"):
                arguments = [str(WRITERS["EMC"][0](folder / "a.emc")), "--detector", str(path)]
            yield f"{name}, {how} ({number})", folder, arguments
            shutil.rmtree(folder)


def warm_up() -> None:
    """Open one good file of each format here, so that no child has to import what that takes."""
    with tempfile.TemporaryDirectory() as root:
        for write, file in WRITERS.values():
            assert CliRunner().invoke(app, ["info", str(write(Path(root) / file))]).exit_code == 0


def judge(name: str, folder: Path, arguments: list[str]) -> Outcome:
    """Open one file in a child and say how it went."""
    output = folder / "said"
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        _open_and_leave(arguments, output)
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if time.monotonic() - start > _GIVE_UP_SECONDS:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
    seconds = usage.ru_utime + usage.ru_stime
    code = os.waitstatus_to_exitcode(status)
    said = output.read_text("utf-8", errors="replace") if output.exists() else ""
    peak = usage.ru_maxrss * 1024
    return Outcome(name, code, said, seconds, peak, _wrong(code, said, seconds, peak, folder))


def _open_and_leave(arguments: list[str], output: Path) -> None:
    """Be the command, with its voice in a file; a limit of memory ends what would take the machine down."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MOST_BYTES + (1 << 30),) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        to = os.open(output, os.O_WRONLY | os.O_CREAT)
        os.dup2(to, 1)
        os.dup2(to, 2)
        sys.stdout, sys.stderr = (os.fdopen(n, "w", closefd=False) for n in (1, 2))
        code = _command(arguments)
        if code == 0:
            _read_all(arguments)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _command(arguments: list[str]) -> int:
    sys.argv = ["xfel", "info", *arguments]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _read_all(arguments: list[str]) -> None:
    """Read every frame, in blocks, as classify does; that some are damaged is a fine answer."""
    from xfelspi.errors import InputError

    path, *options = arguments
    given = {option[2:]: value for option, value in pairwise(options) if option[:2] == "--"}
    given.pop("follow-links", None)
    try:
        with PatternSet.open(path, follow_links="--follow-links" in options, **given) as patterns:
            for start in range(0, patterns.n, _AT_ONCE):
                patterns.frames(start, start + _AT_ONCE)
            _ = patterns.ids, patterns.labels
    except InputError:
        pass


def _wrong(code: int, said: str, seconds: float, peak: int, folder: Path) -> str | None:
    if (folder / MARK).exists():
        return "code out of the file was run"
    if seconds > MOST_SECONDS or code == -signal.SIGKILL:
        return f"took more than {MOST_SECONDS} s"
    if code not in (0, 2):
        return f"ended with {code}"
    if peak > MOST_BYTES:
        return f"took {peak / 2**30:.1f} GiB"
    if "Traceback" in said or "Unable to allocate" in said:
        return "a traceback, or memory asked for that is not there"
    if code == 2 and (said.count("\n") != 1 or not said.startswith("xfel: ") or not said.endswith(".\n")):
        return "not one sentence"
    return None


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


_SOURCES = {name: source for name, source in WRITERS.items() if name != "TIFF or PNG files"} | {
    "xfel": (write_own, "own.h5"),
    "PNG": (png, "a.png"),
    "detector in HDF5": (square_detector, "d.h5"),
    "detector in text": (square_detector, "d.dat"),
}


def _cut(data: bytearray, rng: np.random.Generator) -> bytes:
    return bytes(data[: rng.integers(len(data))])


def _flip(data: bytearray, rng: np.random.Generator, within: float = 1.0) -> bytes:
    for _ in range(int(2 ** rng.uniform(0, 7))):
        place = int(rng.integers(max(1, int(len(data) * within))))
        data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _overwrite(data: bytearray, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    length = int(2 ** rng.uniform(0, 10))
    data[start : start + length] = rng.bytes(length) if rng.random() < 0.5 else b"\xff" * length
    return bytes(data)


def _numbers(data: bytearray, rng: np.random.Generator) -> bytes:
    """Turn whole numbers near the start, where lengths and counts mostly stand, huge, negative or zero."""
    for _ in range(4):
        place = 4 * int(rng.integers(min(len(data), 2048) // 4))
        data[place : place + 4] = int(rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])).to_bytes(
            4, "little"
        )
    return bytes(data)


def _insert(data: bytearray, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data)))
    return bytes(data[:place] + rng.bytes(int(rng.integers(1, 64))) + data[place:])


_DAMAGE = {
    "cut": _cut,
    "bits flipped": _flip,
    "bits flipped at the start": lambda data, rng: _flip(data, rng, 0.1),
    "overwritten": _overwrite,
    "numbers changed": _numbers,
    "inserted": _insert,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    warm_up()
    failed = total = 0
    for mutant in mutants(chosen.seed, chosen.count):
        outcome = judge(*mutant)
        total += 1
        failed += outcome.wrong is not None
        if chosen.verbose or outcome.wrong is not None:
            size = f"{outcome.seconds:5.2f} s {outcome.peak_bytes / 2**20:5.0f} MiB"
            print(
                f"{outcome.wrong or outcome.code!s:24} {size} {outcome.name}: {outcome.said.strip()[-600:]}"
            )
    print(f"{total} files, {failed} wrong")
    sys.exit(failed > 0)
