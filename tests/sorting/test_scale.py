"""Whether a model knows particles as large as those of a file: told from the frames, in its own pixels."""

import dataclasses
import math

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

from xfelspi.classify import Framing, default_model, load_model, q_per_pixel_per_nm
from xfelspi.cli import app
from xfelspi.patterns import PatternSet
from xfelspi.simulate import Experiment, load_recipe, simulate_to_file
from xfelspi.sorting import Scale, at_scale, scale_of

DIAMETER_NM = 60.0


def recipe(pixel_um, n, *more):
    sphere = ('sample.shape="sphere"', f"sample.diameter_nm={DIAMETER_NM}", "sample.diameter_spread=0")
    pixels = (f"detector.pixel_size_m={pixel_um}e-6", f"detector.rows={n}", f"detector.columns={n}")
    return load_recipe("ideal", [*sphere, *pixels, "beam.photons_per_frame=[5e4,5e4]", *more])


def frames_of(path, made):
    """Write a file of 8 frames without geometry or truth."""
    experiment = Experiment(made, seed=0)
    with h5py.File(path, "w") as file:
        file["data"] = np.stack([experiment.pattern(index)[0] for index in range(8)])
        file["mask"] = (made.detector.mask != 0).astype(np.uint8)
    return path


def knowing(*recipes):
    data = [{"recipes": [each.as_dict() for each in recipes]}, {"recipe": None}]
    return dataclasses.replace(load_model(default_model()), about={"training": {"data": data}})


def seen_in(path, model):
    with PatternSet.open(path) as patterns:
        return scale_of(patterns, model)


@pytest.mark.parametrize(("pixel_um", "n"), [(75, 1024), (300, 200), (900, 90)])
def test_the_scale_is_that_of_the_sphere(tmp_path, pixel_um, n):
    made = recipe(pixel_um, n)
    found = seen_in(frames_of(tmp_path / "run.h5", made), knowing(made))
    q = q_per_pixel_per_nm(Experiment(made, seed=0).geometry)
    assert found.seen == pytest.approx(q * DIAMETER_NM / 2.0, rel=0.03)


def test_pixels_too_narrow_are_taken_together_and_too_wide_ones_told(tmp_path):
    knows = knowing(recipe(300, 200))
    fine = seen_in(frames_of(tmp_path / "fine.h5", recipe(75, 800)), knows)
    same = seen_in(frames_of(tmp_path / "same.h5", recipe(300, 200)), knows)
    wide = seen_in(frames_of(tmp_path / "wide.h5", recipe(600, 100)), knows)
    assert fine.ratio < 1.0
    assert fine.binned in (2, 3)
    assert (same.ratio, same.binned) == (1.0, 1)
    assert wide.ratio == pytest.approx(2.0, rel=0.05)
    assert wide.binned == 1
    unstated = at_scale(knows, fine).frame
    counts = np.random.default_rng(0).poisson(0.1, (1, 512, 512))
    taken = Framing((512, 512), np.zeros((512, 512), bool), None, unstated)(counts)
    blocks = counts[:, 256 - 64 * fine.binned : 256 + 64 * fine.binned, :][:, :, 256 - 64 * fine.binned :]
    blocks = blocks[:, :, : 128 * fine.binned].reshape(1, 128, fine.binned, 128, fine.binned)
    assert_array_equal(taken, blocks.sum(axis=(2, 4)))
    assert at_scale(knows, same) is at_scale(knows, None) is knows


def test_with_a_geometry_nothing_is_taken_together(tmp_path):
    path = simulate_to_file(tmp_path / "sphere.h5", recipe(75, 512), 6, 0)
    knows = knowing(recipe(900, 90))
    with PatternSet.open(path) as patterns:
        found = scale_of(patterns, knows)
        assert found.binned == 1
        per_nm = knows.frame.q_per_pixel_per_nm  # its pixels are those of 300 um, and of 900 where they are
        assert found.seen == pytest.approx(per_nm * DIAMETER_NM / 2.0, rel=0.03)
        assert found.ratio == pytest.approx(1 / 3 / 0.4, rel=0.03)


def test_what_tells_nothing_is_no_scale(tmp_path):
    made = recipe(300, 200)
    path = frames_of(tmp_path / "run.h5", made)
    assert seen_in(path, dataclasses.replace(knowing(made), about={})) is None  # learned from measured frames
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["data"] = np.random.default_rng(0).poisson(1.0, (8, 200, 200)).astype(np.uint16)
    assert seen_in(tmp_path / "flat.h5", knowing(made)) is None
    assert math.isclose(Scale(seen=0.1, smallest=0.2, largest=0.4).ratio, 0.5)


def test_the_user_is_told(tmp_path):
    wide, fine = recipe(1400, 90), recipe(60, 1024)
    coarse = CliRunner().invoke(app, ["classify", str(frames_of(tmp_path / "coarse.h5", wide))])
    assert coarse.exit_code == 0, coarse.output
    assert "times as large on these pixels as the largest that the model learned from" in coarse.output
    narrow = CliRunner().invoke(app, ["classify", str(frames_of(tmp_path / "fine.h5", fine))])
    assert "pixels are taken as one of the model's" in narrow.output
    known = simulate_to_file(tmp_path / "known.h5", wide, 8, 0)
    assert "times as large" not in CliRunner().invoke(app, ["classify", str(known)]).output
