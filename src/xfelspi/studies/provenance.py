"""What a result came from beside its declaration: the call, versions and machine."""

from __future__ import annotations

import contextlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xfelspi import __version__
from xfelspi.classify.compute import cores, gpu_name


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How the findings of a study came to be.

    Attributes
    ----------
    study : str
        Its name or file.
    quick : bool
        Whether only a look was taken.
    command : str
        What was typed.
    seconds : float
        Of this call; steps that were there already are not in it.
    versions : dict
        Of what decides the result.
    machine : str
        Where it ran.
    """

    study: str
    quick: bool
    command: str
    seconds: float
    versions: dict[str, str]
    machine: str

    @classmethod
    def here(cls, study: str, quick: bool, command: str, seconds: float) -> Provenance:
        """Return that of a call that ends now, in this process."""
        return cls(
            study=study,
            quick=quick,
            command=command,
            seconds=seconds,
            versions=versions(),
            machine=machine(),
        )

    @property
    def words(self) -> str:
        """How long it took, where, with what."""
        software = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{self.seconds / 60:.1f} minutes for this call. {self.machine}; {software}."


def versions() -> dict[str, str]:
    """Return versions of what decides a result."""
    import torch

    return {
        "xfel": __version__,
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__),
    }


def machine() -> str:
    """Say what processor this is, how many cores of it this process may use, and what GPU if one is used.

    Virtual machines name a processor by its maker alone; family and vector width then tell which it is.
    """
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        told = dict(re.findall(r"^(.*?)\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE))
        name = told.get("model name", name)
        if "cpu family" in told:
            width = "AVX-512" if "avx512f" in told.get("flags", "").split() else "no AVX-512"
            name += f" (family {told['cpu family']} model {told.get('model', '?')}, {width})"
    gpu = gpu_name()
    many = "" if cores() == 1 else "s"
    return f"{name}, {cores()} core{many}" + (f", {gpu}" if gpu else "")
