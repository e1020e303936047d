"""Writing a figure, whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xfelspi.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100


def save(figure: Figure, out: Path) -> Path:
    """Write the PNG under another name and rename it, so that it is never half there."""
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(part, format="png", facecolor=figure.get_facecolor())
        part.replace(out)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise InputError(f"Cannot write {out} ({error.strerror}); choose another place.") from None
    return out
