"""The smallest study there is, and a file that passes for measured."""

import json

import h5py

from xfelspi.patterns import PatternSet
from xfelspi.simulate import TERMS, load_recipe, simulate_to_file

SMALL = ["detector.rows=64", "detector.columns=64"]
FIRST, *REST = TERMS
ALL = list(TERMS)


def toy_toml(path, *, leave_out=(FIRST,), ladder=None, **changes):
    """Write a declaration: `ladder` is (name, terms) from the bottom; `changes` are top-level keys."""
    keys = {
        "recipe": "lcls-amo",
        "n_train": 60,
        "n_test": 40,
        "epochs": 1,
        "confirm": [],
        "leave_out": list(leave_out),
    } | changes
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    lines += ["[settings]", "beam.photons_per_frame = [5e3, 1e5]", "background.flat_fraction = 0.02", *SMALL]
    for name, adds in ladder or [("ideal", []), ("full", ALL)]:
        lines += ["[[rung]]", f"name = {json.dumps(name)}", f"adds = {json.dumps(adds)}"]
    path.write_text("\n".join([*lines, "[quick]", "n_train = 40", "n_test = 40", "epochs = 1", ""]))
    return path


def measured_file(path, n=40):
    """A foreign HDF5 file with frames, mask and labels."""
    recipe = load_recipe("lcls-amo", [*SMALL, "beam.photons_per_frame=[5e3, 1e5]"])
    source = simulate_to_file(path.with_suffix(".source.h5"), recipe, n, seed=11)
    with PatternSet.open(source) as patterns, h5py.File(path, "w") as file:
        file["patterns"] = patterns.frames(0, n).counts
        file["mask"] = patterns.mask
        file["labels"] = patterns.labels
    source.unlink()
    return path
