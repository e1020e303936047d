"""The model that comes with the package."""

from pathlib import Path

from xfelspi.errors import InputError

_MODEL = Path(__file__).parents[1] / "models" / "default.safetensors"


def default_model() -> Path:
    """Return where it lies.

    Raises
    ------
    InputError
        If this installation has none.
    """
    if not _MODEL.exists():
        raise InputError("There is no default model in this installation; give a model from xfel train.")
    return _MODEL
