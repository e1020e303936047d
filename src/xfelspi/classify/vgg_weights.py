"""The weights of VGG16: from a file, whoever wrote it, or fetched once from torchvision's address."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from xfelspi.cache import cache_folder
from xfelspi.errors import InputError

from .data import Progress
from .vgg import Vgg16

ADDRESS = "https://download.pytorch.org/models/vgg16-397923af.pth"
VARIABLE = "XFELSPI_VGG16"
"""Names a file of weights, for whoever gives no path."""

CONVENTIONS = ("bgr", "rgb")
_PIECE = 1 << 20  # bytes fetched at once
_PATIENCE_S = 30.0
_GET = (
    f"get {ADDRESS}, or a .safetensors with the same names whose metadata says `input`: BGR or RGB, and give "
    f"it with --weights or in {VARIABLE}"
)


class WeightsMissing(InputError):
    """The weights that something was made with are not here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Vgg16Weights:
    """Weights, and what image they are for.

    Attributes
    ----------
    tensors : dict of str to Tensor
        float32, by torchvision's names: `features.*`, and `classifier.*` where the file has them.
    convention : {"bgr", "rgb"}
        `bgr`: blue, green, red from 0 to 255, less ImageNet's mean, as Caffe takes them. `rgb`: red, green,
        blue from 0 to 1, less the mean, over the deviation, as torchvision does.
    sha256 : str
        Of the file.
    path : Path
        Where it lies.
    """

    tensors: dict[str, Tensor]
    convention: str
    sha256: str
    path: Path

    @property
    def whole(self) -> bool:
        """Tell whether the layers on top of the convolutions are there."""
        return any(name.startswith("classifier.") for name in self.tensors)

    def network(self, *, whole: bool = False) -> Vgg16:
        """Return a network with these weights, ready to be used.

        Raises
        ------
        InputError
            If the layers on top are asked for and the file has none.
        """
        if whole and not self.whole:
            raise InputError(f"{self.path} has VGG16's convolutions alone, without fc6 and fc7; {_GET}.")
        with torch.device("meta"):  # no weights of its own to begin with
            network = Vgg16(whole=whole)
        network.load_state_dict({name: self.tensors[name] for name in network.state_dict()}, assign=True)
        return network.eval().requires_grad_(False)


def load_vgg16(
    path: str | os.PathLike[str] | None = None, *, progress: Progress | None = None
) -> Vgg16Weights:
    """Read VGG16's weights; without a path those that `XFELSPI_VGG16` names, else torchvision's.

    Those of torchvision are fetched once (528 MB) into the user's cache.

    Parameters
    ----------
    path : path, optional
        A .safetensors whose metadata says in `input` whether it takes BGR or RGB, or torchvision's .pth.
        float16 is taken to float32.
    progress : callable, optional
        Told how far the fetching is.

    Raises
    ------
    InputError
        If there are none, the file is damaged, or it does not hold VGG16.
    """
    chosen = path or os.environ.get(VARIABLE) or None
    if chosen is None:
        chosen = fetched()
        if not chosen.exists():
            fetch(ADDRESS, chosen, progress)
    return _read(Path(chosen))


def find_vgg16(sha256: str, noted: str) -> Vgg16Weights:
    """Find the very weights that a model was made with: where `XFELSPI_VGG16` says, where noted, or fetched.

    Raises
    ------
    WeightsMissing
        If they are in none of these places.
    """
    named = os.environ.get(VARIABLE)
    for place in (named, noted, fetched()):
        if place and Path(place).is_file() and sha256_of(Path(place)) == sha256:
            return _read(Path(place))
    raise WeightsMissing(
        f"The model needs the VGG16 weights it was trained on (SHA-256 {sha256[:12]}…), which are not at "
        f"{named or noted}; say in {VARIABLE} where they are."
    )


def fetched() -> Path:
    """Return where fetched weights lie, or would."""
    return cache_folder() / ADDRESS.rpartition("/")[2]


def fetch(address: str, path: Path, progress: Progress | None = None) -> None:
    """Fetch a file whose name ends in the beginning of its SHA-256, as torchvision's do; whole or not at all.

    Raises
    ------
    InputError
        If it cannot be had or written, or is not the file.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    part: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            urlopen(address, timeout=_PATIENCE_S) as reply,
            tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file,
        ):
            part = Path(file.name)
            digest, done = hashlib.sha256(), 0
            total = int(reply.headers.get("Content-Length") or 0)
            while piece := reply.read(_PIECE):
                file.write(piece)
                digest.update(piece)
                done += len(piece)
                if progress is not None and total:
                    progress("fetching VGG16", done / total)
        wanted = Path(address).stem.rpartition("-")[2]
        if not digest.hexdigest().startswith(wanted):
            raise InputError(f"What {address} gave is not the file that its name promises; {_GET}.")
        part.replace(path)
    except (OSError, HTTPException) as error:  # urllib's own errors are of the first kind
        if isinstance(error, HTTPError):
            error.close()
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise InputError(f"VGG16's weights cannot be fetched ({reason}); {_GET}.") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Hash a file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"VGG16's weights {path} cannot be read ({error.strerror}); {_GET}.") from None


@cache
def _expected() -> Mapping[str, torch.Size]:
    """Shapes by name, as torchvision has them."""
    with torch.device("meta"):
        return {name: tensor.shape for name, tensor in Vgg16().state_dict().items()}


def _read(path: Path) -> Vgg16Weights:
    sha256 = sha256_of(path)
    try:
        tensors, convention = _safetensors(path) if path.suffix == ".safetensors" else (_pth(path), "rgb")
    except InputError:
        raise
    except Exception:  # whatever damaged bytes make the readers stumble over
        raise InputError(f"{path} is damaged, or no file of weights; {_GET}.") from None
    _require_vgg16(path, tensors)
    floats = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    return Vgg16Weights(tensors=floats, convention=convention, sha256=sha256, path=path)


def _safetensors(path: Path) -> tuple[dict[str, Tensor], str]:
    with safe_open(path, "pt") as file:
        said = (file.metadata() or {}).get("input", "").lower()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    told = [convention for convention in CONVENTIONS if said.startswith(convention)]
    if not told:
        raise InputError(
            f"{path} does not say what images its weights take; write metadata with `input` beginning with "
            "BGR (0 to 255, less the mean, Caffe's) or RGB (normalised, torchvision's)."
        )
    return tensors, told[0]


def _pth(path: Path) -> dict[str, Tensor]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path} does not hold a table of weights; {_GET}.")
    return dict(state)


def _require_vgg16(path: Path, tensors: Mapping[str, Tensor]) -> None:
    expected = _expected()
    has_top = any(name.startswith("classifier.") for name in tensors)
    needed = {name for name in expected if has_top or name.startswith("features.")}
    missing = needed - tensors.keys()
    for names, what in ((missing, "lacks"), (tensors.keys() - expected.keys(), "has, beside VGG16's,")):
        if names:
            raise InputError(f"{path} {what} {min(names)}, so it does not hold VGG16's weights; {_GET}.")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name] or not tensor.is_floating_point():
            raise InputError(
                f"In {path}, {name} is {tuple(tensor.shape)} of {tensor.dtype} and VGG16's is "
                f"{tuple(expected[name])} of floats; {_GET}."
            )
