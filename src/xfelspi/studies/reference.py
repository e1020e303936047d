"""What simulation is judged against: a measured set, or a simulated stand-in for one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet, settle_centre

_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A labelled set of frames, and how to open it.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"measured", "stand-in"}
        What to call it.
    dataset, mask, labels : str, optional
        See `PatternSet.open`.
    """

    path: Path
    kind: str
    dataset: str | None = None
    mask: str | None = None
    labels: str | None = None

    def open(self) -> PatternSet:
        """Open the file; where it does not say the centre, the one that its frames tell is taken."""
        patterns = PatternSet.open(self.path, dataset=self.dataset, mask=self.mask, labels=self.labels)
        try:
            if patterns.centre_yx is None and self._found_yx is not None:
                patterns.take_centre(self._found_yx)
        except BaseException:
            patterns.close()
            raise
        return patterns

    @cached_property
    def _found_yx(self) -> tuple[float, float] | None:
        with PatternSet.open(self.path, dataset=self.dataset, mask=self.mask) as patterns:
            found = settle_centre(patterns)
        return None if found is None else found.yx

    @property
    def is_measured(self) -> bool:
        """Whether looks at it are counted."""
        return self.kind == "measured"

    @cached_property
    def known(self) -> np.ndarray:
        """Labels, (n,) int8: 1 single, 0 not, -1 unknown.

        Raises
        ------
        InputError
            If there are none, or a class has fewer than 2.
        """
        with self.open() as patterns:
            labels = patterns.labels
        if labels is None:
            raise InputError(
                f"{self.path} has no labels to judge by; name them with --labels "
                "(.npy, .csv or a dataset; 1 single, 0 not, -1 unknown)."
            )
        for value, what in ((1, "single hits"), (0, "anything but single hits")):
            n = int((labels == value).sum())
            if n < 2:
                raise InputError(f"{self.path} has {n} labelled as {what}; a study needs 2 or more of each.")
        return labels

    @cached_property
    def counts(self) -> np.ndarray:
        """Photons of each frame on good pixels, (n,) float64."""
        with self.open() as patterns:
            blocks = [
                patterns.frames(begin, begin + _AT_ONCE).counts[:, ~patterns.mask].sum(axis=1, dtype=float)
                for begin in range(0, patterns.n, _AT_ONCE)
            ]
        return np.concatenate(blocks)

    @cached_property
    def frames_sha256(self) -> str:
        """Of the frames' photons, whatever the file's name and format."""
        digest = hashlib.sha256()
        with self.open() as patterns:
            digest.update(repr((patterns.n, patterns.shape)).encode())
            for begin in range(0, patterns.n, _AT_ONCE):
                frames = patterns.frames(begin, begin + _AT_ONCE).counts.astype("<f4")
                digest.update(np.ascontiguousarray(frames).tobytes())
        return digest.hexdigest()

    @cached_property
    def sha256(self) -> str:
        """Of frames, mask, geometry and labels: all that a score depends on."""
        digest = hashlib.sha256(self.frames_sha256.encode())
        with self.open() as patterns:
            digest.update(patterns.mask.tobytes())
            digest.update(repr((patterns.geometry, patterns.centre_yx)).encode())
        digest.update(self.known.astype("<i1").tobytes())
        return digest.hexdigest()
