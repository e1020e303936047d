"""Frames as pictures: a TIFF of one or many pages, a PNG, or a folder of either, through Pillow."""

from __future__ import annotations

import glob
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from xfelspi.errors import InputError

from .npy import starts_with
from .stack import Choices, Stack, require_frame

if TYPE_CHECKING:
    from PIL.Image import Image

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SAMPLE_FORMAT = 339  # a tag of TIFF (6.0, section 19): 1 or nothing for whole numbers without a sign, 2 with
_MISTAKEN = {(2, "uint8"): np.int8, (1, "int32"): np.uint32}  # what Pillow gives, and what it should be
_SUFFIXES = (".png", ".tif", ".tiff")


class PagesStack(Stack):
    """The pages of one picture, a frame each."""

    def __init__(self, path: Path) -> None:
        with _pillow(path):
            self._image = _open(path)
            self.n = getattr(self._image, "n_frames", 1)
        self._path = path
        self.shape = (self._image.height, self._image.width)
        self._turn = Lock()  # a picture stands at one page

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`."""
        frames = []
        for page in range(start, stop):
            with self._turn, _pillow(self._path):
                self._image.seek(page)
                frames.append(_pixels(self._image, self.shape))
        return np.stack(frames)

    def close(self) -> None:
        """Close the file."""
        self._image.close()


class FilesStack(Stack):
    """Pictures of one frame each; their names are the identifiers, folders included where names repeat."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self.n = len(files)
        with _pillow(files[0]), _open(files[0]) as image:
            self.shape = (image.height, image.width)
        names = [file.name for file in files]
        if len(set(names)) < len(names):  # folders that number their frames alike
            common = os.path.commonpath(files)
            names = [str(file.relative_to(common)) for file in files]
        self.ids = np.array(names)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop`."""
        frames = []
        for file in self._files[start:stop]:
            with _pillow(file), _open(file) as image:
                if getattr(image, "n_frames", 1) > 1:
                    raise InputError(f"{file} has several pages; open it by itself.")
                frames.append(_pixels(image, self.shape))
        return np.stack(frames)

    def close(self) -> None:
        """Nothing stays open."""


def recognizes_file(path: Path) -> bool:
    """Tell a PNG or TIFF by its signature."""
    return starts_with(path, *_SIGNATURES)


def recognizes_several(path: Path) -> bool:
    """Tell a folder with pictures in it, or a pattern such as "frames/*.tif"."""
    return any(_files(path)) if path.is_dir() else not path.exists() and glob.has_magic(str(path))


def open_file(path: Path, _: Choices) -> PagesStack:
    """Open one picture.

    Raises
    ------
    InputError
        If it is in colour.
    """
    return PagesStack(path)


def open_several(path: Path, _: Choices) -> FilesStack:
    """Open the pictures of a folder or pattern, sorted by the numbers in their names.

    Raises
    ------
    InputError
        If there are none.
    """
    files = _files(path)
    if not files:
        raise InputError(f"No picture ({', '.join(_SUFFIXES)}) goes by {path}; check the pattern.")
    return FilesStack(files)


def _files(path: Path) -> list[Path]:
    names = path.iterdir() if path.is_dir() else map(Path, glob.iglob(str(path)))
    return sorted((p for p in names if p.suffix.lower() in _SUFFIXES and p.is_file()), key=natural)


def natural(path: Path) -> list[tuple[int, str]]:
    """Sort by this to have frame 9 before frame 10, one folder after the other.

    Examples
    --------
    >>> [path.name for path in sorted([Path("a10.png"), Path("a9.png"), Path("b1.png")], key=natural)]
    ['a9.png', 'a10.png', 'b1.png']
    """
    pieces = re.split(r"([0-9]+)", str(path))
    return [(int(piece) if number % 2 else -1, piece) for number, piece in enumerate(pieces)]


def _open(path: Path) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(path, formats=("PNG", "TIFF"))
    except UnidentifiedImageError:
        raise InputError(
            f"{path} is a picture of a kind that is not read; save TIFF of whole numbers of 8 or 16 bits, or "
            "of floating point of 32."
        ) from None
    require_frame((image.height, image.width))
    return image


def _pixels(image: Image, shape: tuple[int, int]) -> np.ndarray:
    if (image.height, image.width) != shape:
        raise ValueError(f"a frame of {image.height} x {image.width} among those of {shape[0]} x {shape[1]}")
    if len(image.getbands()) > 1 or image.mode == "P":
        raise InputError(f"{image.filename} is in colour ({image.mode}); frames are grey: convert it.")  # type: ignore[attr-defined]
    pixels = np.asarray(image)
    if image.format != "TIFF":
        return pixels
    (kind,) = image.tag_v2.get(_SAMPLE_FORMAT, (1,))  # type: ignore[attr-defined]
    return pixels.view(_MISTAKEN.get((kind, pixels.dtype.name), pixels.dtype))


@contextmanager
def _pillow(path: Path) -> Iterator[None]:
    """Make a ValueError of whatever Pillow stumbles over in a broken file; its exceptions are of any kind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(f"{path.name}: {error}") from None
