"""Opening any HDF5 file for reading: what it holds, where its links lead, one sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

from xfelspi.errors import InputError

_MOST_LINKS = 16  # as HDF5 itself: more are a circle
_MOST_COMPRESSION = 1032  # deflate's best
_SMALL_BYTES = 1 << 26  # what may be declared without being stored


class Hdf5File:
    """An HDF5 file whose links to other files are followed only where that was asked for.

    HDF5 follows them unasked, so that a file from elsewhere could show whatever the reader may read.
    """

    def __init__(self, file: h5py.File, path: Path, follow_links: bool = False) -> None:
        self.path = path
        self._file = file
        self._follow_links = follow_links

    def __contains__(self, name: str) -> bool:
        return name in self._file

    def get(self, name: str) -> h5py.Dataset | h5py.Group | None:
        """Find what stands at `name`, under its real name: soft links are resolved; None for nothing.

        Raises
        ------
        InputError
            If it lies in another file and links are not to be followed.
        """
        item: h5py.Dataset | h5py.Group = self._file
        parts = [part for part in name.split("/") if part]
        left = _MOST_LINKS
        while parts:
            if not isinstance(item, h5py.Group):
                return None
            part, *parts = parts
            link = item.get(part, getlink=True)
            if link is None:
                return None
            if isinstance(link, h5py.ExternalLink):
                self._require_asked(name, link.filename)
            if isinstance(link, h5py.SoftLink):
                left -= 1
                if not left:
                    return None
                parts = [piece for piece in link.path.split("/") if piece] + parts
                item = item.file if link.path.startswith("/") else item
                continue
            try:
                item = item[part]
            except (KeyError, OSError):
                if isinstance(link, h5py.ExternalLink):
                    raise InputError(
                        f"{name} in {self.path} leads to {link.path} in {link.filename}, which is not there; "
                        "bring that file."
                    ) from None
                raise
        if isinstance(item, h5py.Dataset):
            self._require_own_storage(item)
        return item

    def dataset(self, name: str) -> h5py.Dataset | None:
        """Like `get`, but None for a group."""
        item = self.get(name)
        return item if isinstance(item, h5py.Dataset) else None

    def datasets(self) -> dict[str, h5py.Dataset]:
        """Every dataset of the file by its path, each once; in other files only where links are followed."""
        found: dict[str, h5py.Dataset] = {}

        def note(name: str, item: h5py.HLObject) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = item

        self._file.visititems(note)
        if self._follow_links:
            for name in self.external_links():
                item = self.get(name)
                if isinstance(item, h5py.Dataset):
                    found[name] = item
        return found

    def external_links(self) -> dict[str, str]:
        """Names of links to other files, and the files."""
        found: dict[str, str] = {}

        def note(name: str, link: object) -> None:
            if isinstance(link, h5py.ExternalLink):
                found[name] = link.filename

        self._file.visititems_links(note)
        return found

    def listing(self, found: dict[str, h5py.Dataset] | None = None, limit: int = 12) -> str:
        """Say what datasets there are: `mask (128, 128) uint8, patterns (50, 128, 128) uint16`."""
        found = self.datasets() if found is None else found
        lines = [f"{name} {item.shape} {item.dtype}" for name, item in found.items()]
        if not self._follow_links:
            lines += [f"{name} (a link to {target})" for name, target in self.external_links().items()]
        more = f" and {len(lines) - limit} more" if len(lines) > limit else ""
        return ", ".join(lines[:limit]) + more if lines else "no datasets"

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require_own_storage(self, item: h5py.Dataset) -> None:
        """Refuse values that lie in other files: virtual sources and external storage."""
        sources = {source.file_name for source in item.virtual_sources()} if item.is_virtual else set()
        for other in sorted(sources - {"."}):
            self._require_asked(item.name, other)
            # HDF5 itself would fill in zeros; a name with % stands for many.
            if "%" not in other and not (self.path.parent / other).exists() and not Path(other).exists():
                raise InputError(f"{item.name} in {self.path} lies in {other}, which is not there; bring it.")
        for other, _, _ in item.external or ():
            self._require_asked(item.name, other)

    def _require_asked(self, name: str, target: str) -> None:
        if not self._follow_links:
            raise InputError(
                f"{name.lstrip('/')} in {self.path} lies in another file, {target}, which is read only when "
                "asked for: add --follow-links if you trust it."
            )


def open_hdf5(path: Path, follow_links: bool = False) -> Hdf5File:
    """Open for reading, without locks: a file that somebody writes can still be looked at.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, not HDF5, cut short, or may not be read.
    """
    require_readable(path)
    if not h5py.is_hdf5(path):
        raise InputError(f"{path} is not an HDF5 file; give one, or another name.")
    try:
        return Hdf5File(h5py.File(path, "r", locking=False), path, follow_links)
    except OSError:
        raise InputError(f"{path} is cut short or damaged; copy or simulate it again.") from None


def holds(path: Path, what: Callable[[Hdf5File], bool]) -> bool:
    """Tell whether a path is an HDF5 file of which `what` is true."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        return what(file)


def load(item: h5py.Dataset) -> np.ndarray:
    """Read a whole dataset, unless it declares more than it can hold; see `require_stored`."""
    require_stored(item)
    return np.asarray(item[()])


def require_stored(item: h5py.Dataset) -> None:
    """Refuse what would take more memory than any compression allows for what is stored.

    Raises
    ------
    ValueError
        If it does.
    """
    declared = (item.size or 0) * item.dtype.itemsize
    if declared > max(_SMALL_BYTES, _MOST_COMPRESSION * item.id.get_storage_size()):
        raise ValueError(f"{item.name} declares {declared} bytes and does not hold them")


def require_readable(path: Path) -> None:
    """Refuse what is no file with something in it.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, or may not be read.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a pattern file; name a file in it.")
    if not path.is_file():
        raise InputError(f"{path} is a device or a pipe; patterns are read from files.")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; copy or simulate it again.")
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
