"""What a result came from beside its declaration: versions and machine."""

from __future__ import annotations

import contextlib
import platform
from pathlib import Path

import numpy as np

from xfelspi import __version__
from xfelspi.classify.compute import cores, gpu_name


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
    """Say what processor this is, how many cores of it there are to use, and what GPU if one is used."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    gpu = gpu_name()
    return f"{name}, {cores()} cores" + (f", {gpu}" if gpu else "")
