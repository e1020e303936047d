"""Writing a pattern file so that a kill at any moment costs one block.

Blocks go to a journal `OUT.part`; when all are there, the HDF5 file is put together under a temporary
name, flushed to disk and renamed. So OUT is complete or absent, and the journal resumes.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from isal import isal_zlib

from xfelspi.errors import InputError

from .block import Block, pack, unpack
from .folder import flush_folder, nearest, require_writable
from .geometry import Geometry
from .hdf5 import open_hdf5
from .journal import Journal
from .layout import LIBVER, lay_out, read_run, write_block
from .sturdy import SturdyFile


class AlreadyComplete(Exception):
    """The file is there and holds this very run; not an error."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is already complete.")
        self.path = path


class PatternWriter:
    """Writes `n` patterns in blocks of `block_size`, in any order, and resumes after a kill.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made if need be.
    run : dict
        What decides the patterns, JSON-able: at least "recipe" (dict), "seed", "shape", "n" and
        "version". "command" is kept in the file but does not tell runs apart.
    geometry : Geometry
        Of the frames.
    shape : (ny, nx)
        Of one frame.
    mask : (ny, nx) uint32
        CXI bits, 0 = good.
    n : int
        Number of patterns.
    block_size : int
        Patterns in a block; the last may be shorter.
    overwrite : bool
        Replace a file or a journal of another run. The old file stays until the new one is complete.
    estimated_bytes_per_pattern : int
        For the estimate of disk space.

    Attributes
    ----------
    missing_blocks : list of int
        Blocks still to do.

    Raises
    ------
    AlreadyComplete
        If the file is there and holds this run.
    InputError
        If another run stands there, another process writes it, the disk is too small, or the folder
        is not to be written to. Nothing is touched then.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        run: dict[str, Any],
        geometry: Geometry,
        shape: tuple[int, int],
        mask: np.ndarray,
        n: int,
        block_size: int,
        overwrite: bool = False,
        estimated_bytes_per_pattern: int = 6000,
    ) -> None:
        if n < 1:
            raise InputError(f"{n} patterns are asked for; ask for 1 or more.")
        if mask.shape != tuple(shape):
            raise ValueError(f"mask {mask.shape} for frames {tuple(shape)}")
        self.path = Path(path)
        self.missing_blocks: list[int] = []
        self._run = json.loads(json.dumps(run))
        self._geometry = geometry
        self._mask = np.ascontiguousarray(mask, np.uint32)
        self._n = n
        self._block_size = block_size
        self._most_particles = 1
        self._name_length = 1
        header = {
            "run": self._run,
            "geometry": asdict(geometry) | {"centre_yx": list(geometry.centre_yx)},
            "frame": list(shape),
            "mask_crc32": isal_zlib.crc32(self._mask),
            "block_size": block_size,
        }
        part = self.path.with_name(self.path.name + ".part")
        if not part.exists():
            self._check_finished(overwrite)
        require_writable(self.path.parent)
        self._require_space(estimated_bytes_per_pattern, part.stat().st_size if part.exists() else 0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"Cannot make the folder {self.path.parent}: {error.strerror}.") from None
        self._journal = Journal(part)
        try:
            self._check_finished(overwrite)  # again, for a process that finished before we had the lock
            self._take_up(header, overwrite)
        except BaseException as error:
            finished = isinstance(error, AlreadyComplete) and not _differences(
                self._journal.header or {}, header
            )
            if finished or part.stat().st_size == 0:
                self._journal.remove()
            self._journal.close()
            raise

    def append(self, index: int, block: Block) -> None:
        """Keep one block for good.

        Parameters
        ----------
        index : int
            One of `missing_blocks`.
        block : Block
            Its patterns, from `gather`.

        Raises
        ------
        InputError
            If the disk is full or fails; what was kept before stays.
        """
        if len(block.chunks) != self._length(index):
            raise ValueError(f"block {index}: {len(block.chunks)} patterns")
        try:
            self._journal.append(index, pack(block))
        except OSError as error:
            raise self._failure(error) from error
        self._note(index, block)

    def finish(self) -> Path:
        """Put the file together from the blocks, under its own name once it is whole; remove the journal.

        Raises
        ------
        InputError
            If the disk is full or fails; the journal stays.
        """
        if self.missing_blocks:
            raise ValueError(f"{len(self.missing_blocks)} blocks are missing")
        temporary = self.path.with_name(self.path.name + ".tmp")
        try:
            self._assemble(temporary)
            temporary.replace(self.path)
            flush_folder(self.path.parent)
        except OSError as error:
            raise self._failure(error) from error
        finally:
            temporary.unlink(missing_ok=True)
        self._journal.remove()
        return self.path

    def close(self) -> None:
        """Release the lock; a journal that holds a block stays."""
        if len(self._journal):
            self._journal.close()
        else:
            self._journal.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_finished(self, overwrite: bool) -> None:
        if not self.path.exists():
            return
        if self.path.is_dir():
            raise InputError(f"{self.path} is a folder; name a file to write.")
        there = _run_of(self.path)
        differences = ["it was not written by xfel"] if there is None else _differences(there, self._run)
        if not differences:
            raise AlreadyComplete(self.path)
        if not overwrite:
            raise InputError(
                f"{self.path} exists, but {differences[0]}; choose another output, or add --overwrite."
            )

    def _take_up(self, header: dict[str, Any], overwrite: bool) -> None:
        self.missing_blocks = list(range(-(-self._n // self._block_size)))
        there = self._journal.header
        differences = [] if there is None else _differences(there, header)
        if differences and not overwrite:
            raise InputError(
                f"{self._journal.path} holds an unfinished run, but {differences[0]}; "
                "give the command that began it to resume it, or add --overwrite to start anew."
            )
        try:
            if there is None or differences:
                self._journal.begin(header)
            for index, payload in self._journal.recover():
                self._note(index, unpack(payload))
        except OSError as error:
            raise self._failure(error) from error

    def _length(self, block: int) -> int:
        return min(self._block_size, self._n - block * self._block_size)

    def _note(self, index: int, block: Block) -> None:
        self.missing_blocks.remove(index)
        self._most_particles = max(self._most_particles, block.most_particles)
        self._name_length = max(self._name_length, block.name_length)

    def _assemble(self, temporary: Path) -> None:
        with SturdyFile(temporary, "w+") as raw:
            with h5py.File(raw, "w", libver=LIBVER) as file:
                room = lay_out(
                    file,
                    run=self._run,
                    geometry=self._geometry,
                    mask=self._mask,
                    n=self._n,
                    most_particles=self._most_particles,
                    name_length=self._name_length,
                )
                for index in range(len(self._journal)):
                    write_block(room, index * self._block_size, unpack(self._journal.read(index)))
                    raw.require_written()
            raw.require_written()
            os.fsync(raw.fileno())

    def _require_space(self, bytes_per_pattern: int, present: int) -> None:
        """Journal and final file stand side by side until the rename."""
        folder = nearest(self.path.parent)
        final = self._n * bytes_per_pattern
        needed = final + max(0, final - present)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise InputError(
                f"{self._n} patterns need about {needed / 1e9:.2g} GB while they are written and "
                f"{folder} has {free / 1e9:.2g} GB free; make room, choose another output, or ask for about "
                f"{free // (2 * bytes_per_pattern)} patterns."
            )

    def _failure(self, error: OSError) -> InputError:
        reason = os.strerror(error.errno) if error.errno else str(error)
        n_missing = sum(map(self._length, self.missing_blocks))
        return InputError(
            f"Writing {self.path} failed ({reason}) with {self._n - n_missing} of {self._n} patterns kept; "
            "mend that and give the same command again, it resumes."
        )


def _run_of(path: Path) -> dict[str, Any] | None:
    """Read the run from a pattern file; None for any other file."""
    try:
        with open_hdf5(path) as file:
            return read_run(file)
    except (InputError, OSError, ValueError):
        return None


def _differences(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """One phrase for each value that differs; the command that was typed does not count."""
    old, new = _flat(there), _flat(here)
    return [
        f"its {name} is {old.get(name, 'absent')} where {new.get(name, 'none')} is asked for"
        for name in sorted(old.keys() | new.keys())
        if name != "command" and old.get(name) != new.get(name)
    ]


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings under dotted names, as JSON text, in which NaN equals NaN."""
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, "" if name == "run" else f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = json.dumps(value)
    return flat
