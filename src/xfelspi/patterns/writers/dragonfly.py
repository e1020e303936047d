"""What goes with an EMC file: Dragonfly's detector, its class list, and its blacklist."""

from __future__ import annotations

import io
from collections.abc import Iterator

import h5py
import numpy as np

from ..geometry import Geometry
from ..layout import LIBVER
from ..truth import LABELS
from .shots import Shots

_GOOD, _BAD = 0, 2  # 1 is for pixels left out of orienting alone
_OTHER, _UNKNOWN = "o", "u"


def detector_file(geometry: Geometry, bad: np.ndarray) -> bytes:
    """Write Dragonfly's detector file, (ny * nx) numbers a column, frame row by row.

    A pixel (x, y) pixels from the beam, on a detector `detd` pixels away, lies on the Ewald sphere of radius
    R through the origin; with l^2 = x^2 + y^2 + detd^2,

        q = R (x / l, y / l, detd / l - 1),    corr = detd / l^3 (1 - x^2 / l^2)

    corr being its solid angle times what is left of light polarized along x. R = detd makes the pixel in the
    middle one voxel (Ayyer et al. 2016, J. Appl. Cryst. 49, 1320). Energy, distance and pixel size stand
    beside, for without them voxels have no scale; Dragonfly leaves them alone.

    Parameters
    ----------
    geometry : Geometry
        Of the frames.
    bad : (ny, nx) bool
        True = bad.

    Returns
    -------
    content : bytes
        Of an HDF5 file; the same whenever it is written.
    """
    ny, nx = bad.shape
    detd = geometry.distance_m / geometry.pixel_size_m
    centre_y, centre_x = geometry.centre_yx
    y, x = (
        np.ravel(steps)
        for steps in np.meshgrid(np.arange(ny) - centre_y, np.arange(nx) - centre_x, indexing="ij")
    )
    away = np.sqrt(x**2 + y**2 + detd**2)
    columns = {
        "qx": detd * x / away,
        "qy": detd * y / away,
        "qz": detd * (detd / away - 1),
        "corr": detd / away**3 * (1 - (x / away) ** 2),
        "mask": np.where(bad.ravel(), _BAD, _GOOD).astype("u1"),
        "detd": detd,
        "ewald_rad": detd,
        "photon_energy_ev": geometry.photon_energy_ev,
        "distance_m": geometry.distance_m,
        "pixel_size_m": geometry.pixel_size_m,
    }
    content = io.BytesIO()
    with h5py.File(content, "w", libver=LIBVER) as file:
        for name, values in columns.items():
            file[name] = values
    return content.getvalue()


def class_list(shots: Shots) -> Iterator[bytes] | None:
    """Give a letter for each frame, one a line; None where nobody knows anything.

    What a model said comes first: s kept, u unsure, o other. Else the truth, by the first letter of its name,
    or labels: s single, o other, u unknown.
    """
    if "kept" in shots.tags:
        unsure = shots.tags.get("unsure", np.zeros(len(shots), bool))
        letters = np.where(shots.tags["kept"], LABELS[0][0], np.where(unsure, _UNKNOWN, _OTHER))
    elif shots.truth is not None:
        letters = np.array([name[0] for name in LABELS])[shots.truth["label"]]
    elif shots.labels is not None:
        letters = np.array([_UNKNOWN, _OTHER, LABELS[0][0]])[shots.labels + 1]
    else:
        return None
    return (f"{letter}\n".encode() for letter in letters)


def blacklist(shots: Shots) -> Iterator[bytes] | None:
    """Give 1 for each frame to drop and 0 for the others, one a line; None where all are kept."""
    kept = shots.tags.get("kept")
    if kept is None or kept.all():
        return None
    return (b"0\n" if is_kept else b"1\n" for is_kept in kept)
