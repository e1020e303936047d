"""What libraries raise at a file that is not what it says it is, and the sentence made of it."""

from __future__ import annotations

import csv
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from xfelspi.errors import InputError

DAMAGE = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    EOFError,
    csv.Error,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def damage_told(problem: str, remedy: str = "copy or simulate it again") -> Iterator[None]:
    """Say `problem`, what the library said, and what to do, where anything of `DAMAGE` is raised.

    Examples
    --------
    >>> with damage_told("run.h5 is damaged"):
    ...     raise ValueError("bad heap  magic.")
    Traceback (most recent call last):
    xfelspi.errors.InputError: run.h5 is damaged (bad heap magic); copy or simulate it again.
    """
    try:
        yield
    except DAMAGE as error:
        said = " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
        raise InputError(f"{problem} ({said}); {remedy}.") from None
