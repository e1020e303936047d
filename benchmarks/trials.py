"""What the bench of cues tries, declared in TOML: one change of the training or the prediction a trial."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xfelspi.classify import Augmentation, Inputs, TrainConfig
from xfelspi.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One candidate.

    Attributes
    ----------
    name, what : str
        How it is asked for, and what the table says.
    train : dict
        Changes to `TrainConfig`; `inputs` is a table of its own.
    augmentation : dict or None
        Changes to `Augmentation`; None leaves what goes with the network.
    turns : bool
        Whether to average over turns and flips.
    members : int
        Models that are asked together.
    """

    name: str
    what: str
    train: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] | None = None
    turns: bool = False
    members: int = 1

    def configs(self, epochs: int, seed: int) -> list[TrainConfig]:
        """Return how its models are trained; no two seeds of the trial share one."""
        settings = {name: _with_tuples(value) for name, value in self.train.items()}
        settings["inputs"] = Inputs(**settings.get("inputs", {}))
        if self.augmentation is not None:
            settings["augmentation"] = Augmentation(**self.augmentation)
        seeds = range(seed * self.members, (seed + 1) * self.members)
        return [TrainConfig(epochs=epochs, seed=each, **settings) for each in seeds]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """All trials, and what they are trained and tested on.

    Attributes
    ----------
    recipe : str
        Of all patterns.
    n_train, epochs : int
        The budget of every training.
    n_check, n_test : int
        Patterns of the training set's kind that set the thresholds, and patterns of each shape tested.
    train : dict of str to sequence of str
        For each training set, how its recipe differs.
    test : sequence of str
        Shapes tested.
    trial : sequence of Trial
        The first is what the others are changes of.
    """

    recipe: str
    n_train: int
    epochs: int
    n_check: int
    n_test: int
    train: dict[str, list[str]]
    test: list[str]
    trial: list[Trial]


def read_bench(path: Path) -> Bench:
    """Read a declaration and build every setting once, so that a slip shows before hours of training.

    Raises
    ------
    InputError
        If the file cannot be read, a key is unknown or missing, or a value does not serve.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        bench = Bench(**values | {"trial": [Trial(**trial) for trial in values["trial"]]})
        for trial in bench.trial:
            for config in trial.configs(bench.epochs, 0):
                config.architecture()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} declares no bench ({error}); mend it after benchmarks/cues.toml.") from None
    names = [trial.name for trial in bench.trial]
    if len(set(names)) < len(names):
        raise InputError(f"{path} names a trial twice; give each a name of its own.")
    return bench


def as_plain(declared: Bench | Trial) -> dict[str, Any]:
    """Return plain values, as JSON holds them."""
    return dataclasses.asdict(declared)


def _with_tuples(value: Any) -> Any:
    """TOML knows lists, settings are tuples."""
    if isinstance(value, dict):
        return {name: _with_tuples(each) for name, each in value.items()}
    return tuple(value) if isinstance(value, list) else value
