"""The model that comes with the package."""

from pathlib import Path

import xfelspi
from xfelspi.errors import InputError


def default_model() -> Path:
    """Return where it lies.

    Raises
    ------
    InputError
        If this installation has none.
    """
    path = Path(xfelspi.__file__).parent / "models" / "default.safetensors"
    if not path.exists():
        raise InputError("There is no default model in this installation; give a model from xfel train.")
    return path
