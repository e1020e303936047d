"""Opening any HDF5 file for reading: what it holds, where its links lead, one sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py

from xfelspi.errors import InputError

_DEEPEST = 32  # groups in groups that are looked into
_MOST_OBJECTS = 20_000
_MOST_LINKS = 16  # as HDF5 itself: more are a circle


class Hdf5File:
    """An HDF5 file whose links to other files are followed only where that was asked for.

    HDF5 follows them unasked, so that a file from elsewhere could show whatever the reader may read.
    """

    def __init__(self, file: h5py.File, path: Path, follow_links: bool = False) -> None:
        self.path = path
        self._file = file
        self._follow_links = follow_links

    def __contains__(self, name: str) -> bool:
        """Tell whether the top has a link of that name, wherever it leads."""
        return self._file.id.links.exists(name.encode())

    def get(self, name: str) -> h5py.Dataset | h5py.Group | None:
        """Find what stands at `name`, under its real name: soft links are resolved; None for nothing.

        Raises
        ------
        InputError
            If it lies in another file and links are not to be followed.
        """
        item = self._resolve(name)
        if isinstance(item, h5py.Dataset):
            self._require_own_storage(item)
        return item

    def _resolve(self, name: str) -> h5py.Dataset | h5py.Group | None:
        """Go link by link; see `get`."""
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
                parts = [piece for piece in link.path.split("/") if piece not in ("", ".")] + parts
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
        return item

    def dataset(self, name: str) -> h5py.Dataset | None:
        """Like `get`, but None for a group."""
        item = self.get(name)
        return item if isinstance(item, h5py.Dataset) else None

    def datasets(self) -> dict[str, h5py.Dataset]:
        """Find datasets by their path, each once; those in other files only where links are followed."""
        return self._walk()[0]

    def _walk(self) -> tuple[dict[str, h5py.Dataset], dict[str, str]]:
        """Find datasets, and links to other files, breadth first; no circle or abyss keeps it."""
        found: dict[str, h5py.Dataset] = {}
        links: dict[str, str] = {}
        seen = {h5py.h5o.get_info(self._file.id).addr}
        level: list[tuple[str, h5py.Group]] = [("", self._file)]
        for _ in range(_DEEPEST):
            below: list[tuple[str, h5py.Group]] = []
            for path, group in level:
                for name in group:
                    link = group.get(name, getlink=True)
                    if isinstance(link, h5py.ExternalLink):
                        links[path + name] = link.filename
                        item = self.get(path + name) if self._follow_links else None
                    else:
                        item = group[name] if isinstance(link, h5py.HardLink) else None
                    if isinstance(item, h5py.Dataset):
                        found[path + name] = item
                    elif isinstance(item, h5py.Group) and isinstance(link, h5py.HardLink):
                        address = h5py.h5o.get_info(item.id).addr
                        if address not in seen:
                            seen.add(address)
                            below.append((f"{path}{name}/", item))
                    if len(found) + len(seen) > _MOST_OBJECTS:
                        return found, links
            level = below
        return found, links

    def listing(self, found: dict[str, h5py.Dataset] | None = None, limit: int = 12) -> str:
        """Say what datasets there are: `mask (128, 128) uint8, patterns (50, 128, 128) uint16`."""
        there, links = self._walk()
        found = there if found is None else found
        lines = [f"{name} {item.shape} {item.dtype}" for name, item in found.items()]
        if not self._follow_links:
            lines += [
                f"{name} (a link to {target}, followed only with --follow-links)"
                for name, target in links.items()
            ]
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

    def _require_own_storage(
        self, item: h5py.Dataset, above: frozenset[tuple[Path, str]] = frozenset()
    ) -> None:
        """Refuse values in other files, and virtual ones made of themselves, on which HDF5 crashes."""
        for other, _, _ in item.external or ():
            self._require_asked(item.name, other)
        if not item.is_virtual:
            return
        above |= {(self.path, item.name)}
        sources = {(source.file_name, source.dset_name) for source in item.virtual_sources()}
        for other, name in sorted(sources):
            if other != ".":
                self._require_asked(item.name, other)
            if "%" in other + name:  # which stands for many
                continue
            path = next((p for p in (self.path.parent / other, Path(other)) if p.exists()), None)
            if other == ".":
                self._require_source(name, above)
            elif path is None:  # HDF5 itself would fill in zeros
                raise InputError(f"{item.name} in {self.path} lies in {other}, which is not there; bring it.")
            else:
                with open_hdf5(path, follow_links=True) as opened:
                    opened._require_source(name, above)

    def _require_source(self, name: str, above: frozenset[tuple[Path, str]]) -> None:
        """Go through what a virtual dataset is made of, as far as it is virtual itself."""
        item = self._resolve(name)
        if isinstance(item, h5py.Dataset):
            if (self.path, item.name) in above:
                raise ValueError(f"{item.name} is made of itself")
            self._require_own_storage(item, above)

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
