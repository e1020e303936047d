"""Commands killed at random moments: does the same command then finish, and is the result the same.

Every command is run undisturbed, then again and again from the start: killed with SIGKILL at a moment drawn
evenly over the time that its work takes, looked at, and given once more, to its end. After a kill all that
stands under a final name must be whole and the input as it was; after the end the result must be that of the
undisturbed run, and nothing else left in the folder. The moments come from a seed; what happens at them is
the machine's. Commands are forked from here, where all is imported: no kill is lost on imports.

    python -m benchmarks.soak build/soak --kills 50
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

TOLERANCE = 1e-4
"""Largest difference of a number from the undisturbed run's, relative to the largest of its kind, or to 1."""

UNFINISHED = (".part", ".tmp", ".lock")
"""Endings of what a killed command may leave; not under any final name."""

_SMALL = ("--set", "detector.rows=64", "--set", "detector.columns=64")
_SIMULATED = {"small.h5": ("torus", "80"), "run.cxi": ("soccer", "400"), "shots.h5": ("cube", "40")}
_STUDY = """
recipe = "benchmark"
n_train = 40
n_test = 40
epochs = 1
confirm = []
leave_out = []
[settings]
detector.rows = 64
detector.columns = 64
[[rung]]
name = "ideal"
adds = []
[[rung]]
name = "full"
adds = {terms}
[quick]
n_train = 40
n_test = 40
epochs = 1
"""


@dataclass(frozen=True)
class Trial:
    """A command to kill: what it is given, and what it must not change.

    `arguments` are run in a folder in which `inputs` lie as copies; `may_change` are inputs that the command
    itself changes, whose frames must stay.
    """

    arguments: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()


TRIALS: dict[str, Trial] = {
    "simulate": Trial(
        ("simulate", "--recipe", "benchmark", "--shape", "torus", "-n", "200", *_SMALL, "--out", "out")
    ),
    "train": Trial(
        ("train", "--data", "small.h5", "--epochs", "2", "--name", "quick", "--out", "out"), ("small.h5",)
    ),
    "study": Trial(
        ("study", "fidelity", "--study", "study.toml", "--measured", "shots.h5", "--out", "out"),
        ("study.toml", "shots.h5"),
    ),
    "classify": Trial(
        (
            "classify",
            "run.cxi",
            "--model",
            "model.safetensors",
            "--out",
            "out/run",
            "--kept-to",
            "out/kept.cxi",
            "--update",
        ),
        ("run.cxi", "model.safetensors", "model.json"),
        ("run.cxi",),
    ),
    "convert": Trial(("convert", "run.cxi", "out/all.emc", "--to", "emc"), ("run.cxi",)),
    "convert-back": Trial(("convert", "all.emc", "out/all.cxi"), ("all.emc", "all_det.h5")),
}


@dataclass
class Outcome:
    """What came of a trial: kills that hit running work, and what was wrong."""

    seconds: float = 0.0
    kills: int = 0
    missed: int = 0
    wrong: list[str] = field(default_factory=list)


def prepare(names: Sequence[str], inputs: Path) -> None:
    """Make the inputs that are not there yet, and import what commands need."""
    import xfelspi.classify
    import xfelspi.cli.convert
    import xfelspi.studies  # noqa: F401

    inputs.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (inputs / name).exists():
            continue
        if name in _SIMULATED:
            shape, n = _SIMULATED[name]
            simulate = ("simulate", "--recipe", "benchmark", "--shape", shape, "-n", n, *_SMALL)
            _finish((*simulate, "--out", "."), inputs)
            (inputs / f"{shape}.h5").rename(inputs / name)
        elif name.startswith("model"):
            prepare(["small.h5"], inputs)
            _finish((*TRIALS["train"].arguments[:-1], "."), inputs)
            for ending in (".safetensors", ".json"):
                (inputs / f"quick{ending}").rename(inputs / f"model{ending}")
        elif name == "all.emc":
            prepare(["run.cxi"], inputs)
            _finish(("convert", "run.cxi", name), inputs)
        elif name == "study.toml":
            from xfelspi.simulate import TERMS

            (inputs / name).write_text(_STUDY.format(terms=json.dumps(list(TERMS))))


def soak(name: str, folder: Path, kills: int, rng: random.Random, say: Callable[[str], None]) -> Outcome:
    """Kill one command that often, each time from the start; say how it goes."""
    trial, inputs, outcome = TRIALS[name], folder / "inputs", Outcome()
    prepare(trial.inputs, inputs)
    place = folder / name / "run"  # always the same, for results may name it
    _lay_out(trial, inputs, place)
    _finish(trial.arguments, place)  # makes what is kept between runs, such as tables
    _lay_out(trial, inputs, place)
    start = time.perf_counter()
    _finish(trial.arguments, place)
    outcome.seconds = time.perf_counter() - start
    wanted = _content(place)
    while outcome.kills < kills and outcome.missed < 10 * kills:
        _lay_out(trial, inputs, place)
        before = {other: _digest(place / other) for other in trial.inputs}
        frames = {other: _frames(place / other) for other in trial.may_change}
        moment, with_workers = rng.uniform(0.0, outcome.seconds), rng.random() < 0.5
        running = Running.start(trial.arguments, place)
        time.sleep(moment)
        ran = not running.ended()
        running.kill(with_workers)
        if not ran:  # it was faster this time
            outcome.missed += 1
            outcome.seconds = moment
            continue
        outcome.kills += 1
        wrong = [f"{path} is not whole: {said}" for path, said in _broken(place).items()]
        for other, digest in before.items():
            if other not in trial.may_change and _digest(place / other) != digest:
                wrong.append(f"the input {other} changed")
        try:
            _finish(trial.arguments, place)
        except RuntimeError as error:
            wrong.append(str(error))
        running.kill(with_workers=True)
        wrong += _differences(wanted, _content(place))
        wrong += [
            f"the frames of {other} changed" for other in frames if _frames(place / other) != frames[other]
        ]
        wrong += [f"{path} is left" for path in _leftovers(place)]
        outcome.wrong += [f"{name}, kill {outcome.kills} after {moment:.3f} s: {what}" for what in wrong]
        found = "; ".join(wrong) or "as it should be"
        say(f"{name}: kill {outcome.kills} of {kills} after {moment:.2f} s, {found}")
    return outcome


def _lay_out(trial: Trial, inputs: Path, place: Path) -> None:
    """Make the folder anew, with nothing but the inputs in it."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in trial.inputs:
        shutil.copy2(inputs / name, place / name)
    (place / "out").mkdir()


@dataclass
class Running:
    """A command in a process and session of its own."""

    process: int
    code: int | None = None

    @classmethod
    def start(cls, arguments: tuple[str, ...], folder: Path) -> Running:
        """Run `xfel` in a folder; what it says goes to log.txt above that."""
        sys.stdout.flush()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # NumPy's idle threads are no danger to a fork
            process = os.fork()
        return cls(process) if process else _become(arguments, folder)

    def ended(self, wait: bool = False) -> bool:
        """Tell whether it has ended; wait for it if that is wanted."""
        if self.code is None:
            process, status = os.waitpid(self.process, 0 if wait else os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if process else None
        return self.code is not None

    def kill(self, with_workers: bool) -> None:
        """Kill the process alone, as the kernel does when memory runs out, or all of its session."""
        with suppress(ProcessLookupError):
            if with_workers:
                os.killpg(self.process, signal.SIGKILL)
            elif not self.ended():
                os.kill(self.process, signal.SIGKILL)
        self.ended(wait=True)


def _become(arguments: tuple[str, ...], folder: Path) -> NoReturn:
    """Be the command, to the end of this process."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        sys.stdout = sys.stderr = (folder.parent / "log.txt").open("w")
        os.environ["XFELSPI_STATE"] = str(folder / "out" / "state")
        _work(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _work(arguments: tuple[str, ...]) -> None:
    import torch

    import xfelspi.classify.learning
    import xfelspi.classify.predict
    from xfelspi.cli import main as xfel

    for module in (xfelspi.classify.learning, xfelspi.classify.predict):
        # Chosen by timing, precision differs between runs, killed or not.
        module.fastest = lambda *_, **__: torch.float32  # type: ignore[attr-defined]
    sys.argv = ["xfel", *arguments]
    xfel()


def _finish(arguments: tuple[str, ...], folder: Path) -> None:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        If it did not succeed.
    """
    running = Running.start(arguments, folder)
    running.ended(wait=True)
    if running.code:
        said = (folder.parent / "log.txt").read_text().strip().splitlines()
        raise RuntimeError(
            f"xfel {' '.join(arguments)} ended with {running.code}: {said[-1] if said else ''}"
        )


def _files(folder: Path) -> list[Path]:
    """Files under their final names."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(path.name.endswith(ending) for ending in UNFINISHED)
    ]


def _leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.endswith(UNFINISHED)]


def _broken(folder: Path) -> dict[str, str]:
    """Read every file that has a final name to its end; what cannot be read, and why."""
    broken = {}
    for path in _files(folder):
        try:
            _read(path)
        except Exception as error:  # whatever the reader makes of it
            broken[str(path.relative_to(folder))] = f"{type(error).__name__}: {error}"
    return broken


def _content(folder: Path) -> dict[str, Any]:
    """All that the command wrote, by file and name."""
    return {str(path.relative_to(folder)): _read(path) for path in _files(folder)}


def _read(path: Path) -> Any:
    if path.suffix in (".h5", ".cxi"):
        return _datasets(path)
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return load_file(path)
    if path.suffix == ".json":
        return json.loads(path.read_text("utf-8"))
    if path.suffix == ".emc":
        from xfelspi.patterns import PatternSet

        with PatternSet.open(path) as patterns:
            patterns.raw(0, patterns.n)
        return path.read_bytes()
    if path.suffix == ".csv":
        header, *rows = path.read_text("utf-8").splitlines()
        return {header: np.array([[float(cell) for cell in row.split(",")] for row in rows])}
    return path.read_bytes() if path.suffix in (".png", ".toml", ".npy") else path.read_text("utf-8")


def _datasets(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(path, "r") as file:

        def note(name: str, item: h5py.HLObject) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = item[()]

        file.visititems(note)
    return found


_OF_THE_RUN = (
    "date",
    "time",
    "seconds",
    "command",
    "conversion",
    "sha256",
    "identity",
    "html",
    "jsonl",
    "version",
)


def _differences(wanted: Any, found: Any, name: str = "") -> list[str]:
    """Say where two results differ, but for when and how they were made; numbers may by `TOLERANCE`."""
    if any(part in name.rpartition("/")[2] for part in _OF_THE_RUN):
        return []
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        if wanted.keys() != found.keys():
            return [f"{name} has {sorted(found.keys() ^ wanted.keys())[:3]} or lacks them"]
        return [said for key in wanted for said in _differences(wanted[key], found[key], f"{name}/{key}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [said for pair in zip(wanted, found, strict=True) for said in _differences(*pair, name)]
    if isinstance(wanted, float | np.ndarray) and np.asarray(wanted).dtype.kind == "f":
        one, other = np.asarray(wanted, float), np.asarray(found, float)
        scale = np.max(np.abs(one), initial=1.0, where=np.isfinite(one))
        if one.shape == other.shape and np.allclose(
            one, other, rtol=0, atol=TOLERANCE * scale, equal_nan=True
        ):
            return []
        return [f"{name} differs"]
    return [] if np.array_equal(wanted, found) else [f"{name} differs"]


def _frames(path: Path) -> str:
    return hashlib.sha256(_datasets(path)["entry_1/instrument_1/detector_1/data"].tobytes()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Kill every command in turn until the number of kills is reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to work")
    parser.add_argument("--kills", type=int, default=50, help="over all commands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="some of them, as in simulate,convert")
    chosen = parser.parse_args()
    names = chosen.only.split(",") if chosen.only else list(TRIALS)
    shares = Counter(names[index % len(names)] for index in range(chosen.kills))
    rng = random.Random(chosen.seed)
    outcomes = {
        name: soak(name, chosen.folder.resolve(), kills, rng, lambda line: print(line, flush=True))
        for name, kills in shares.items()
    }
    for name, outcome in outcomes.items():
        print(
            f"{name:<14}{outcome.kills:4} kills, at most {outcome.seconds:.1f} s after it began; "
            f"{len(outcome.wrong)} wrong"
        )
    wrong = [what for outcome in outcomes.values() for what in outcome.wrong]
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
