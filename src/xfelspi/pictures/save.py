"""Writing a figure, whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xfelspi.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100

_PNG = b"\x89PNG"


def save(figure: Figure, out: Path) -> Path:
    """Write the PNG under another name and rename it, so that it is never half there.

    Raises
    ------
    InputError
        If it cannot be written, or a file that is no picture would be lost.
    """
    require_picture(out)
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


def require_picture(out: Path) -> None:
    """Raise an `InputError` for what is no name of a picture, or where something else would be lost."""
    if not out.name or out.is_dir():
        raise InputError(f"{out} is a folder; name the picture to write, as in {out / 'picture.png'}.")
    if out.exists() and not out.is_file():
        raise InputError(f"{out} is a device or a pipe; choose another name for the picture.")
    if out.is_file() and not _may_go(out):
        raise InputError(f"{out} exists and is no PNG; choose another name for the picture.")


def _may_go(path: Path) -> bool:
    """Tell whether a file is a picture such as we write, or empty."""
    with path.open("rb") as file:
        return file.read(len(_PNG)) in (b"", _PNG)
