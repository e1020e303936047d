"""A training between two epochs on disk: one safetensors file, the rest of the state as JSON in its head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from xfelspi.errors import InputError
from xfelspi.patterns import write_whole

FORMAT = "xfelspi training 1"

Groups = dict[str, dict[str, Tensor]]


def write_checkpoint(path: Path, state: dict[str, Any], groups: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write groups of named tensors and a JSON-able state, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    tensors = {
        f"{group}/{name}": tensor.detach().cpu().contiguous()
        for group, named in groups.items()
        for name, tensor in named.items()
    }
    write_whole(path, save(tensors, {"format": FORMAT, "state": json.dumps(state)}))


def read_checkpoint(path: Path) -> tuple[dict[str, Any], Groups]:
    """Undo `write_checkpoint`.

    Raises
    ------
    InputError
        If the file is not a checkpoint.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ValueError(f"its format is {metadata.get('format')}")
            state = json.loads(metadata["state"])
            groups: Groups = {}
            for key in file.keys():  # noqa: SIM118  # not a dict
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a checkpoint ({error}); remove it to start anew.") from None
    return state, groups
