"""What the contact sheet shows can be read off its pixels."""

import os

import h5py
import numpy as np
import pytest
from matplotlib.image import imread

from xfelspi.errors import InputError
from xfelspi.patterns import PatternSet
from xfelspi.pictures import contact_sheet

GREY = np.array([0x55, 0x55, 0x5E]) / 255


def sheet_of(tmp_path, counts, mask=None, **options):
    """The pixels of a sheet, row 0 lowest, and without the row of captions."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["patterns"] = counts
        if mask is not None:
            file["mask"] = mask
    with PatternSet.open(tmp_path / "a.h5") as patterns:
        out = contact_sheet(patterns, tmp_path / "a.png", **options)
    return imread(out)[::-1, :, :3]


def panel(sheet, ny, nx, enlarged):
    """The lowest left panel, one colour for each pixel of the frame."""
    return sheet[8 + enlarged // 2 :: enlarged, 8 + enlarged // 2 :: enlarged][:ny, :nx]


def test_zero_one_and_masked_pixels_differ_and_y_goes_up(tmp_path):
    counts = np.zeros((1, 24, 32))
    counts[0, 2, 5] = 1
    counts[0, 3, 6] = 900
    mask = np.zeros((24, 32), np.uint8)
    mask[20, 30] = 1
    seen = panel(sheet_of(tmp_path, counts, mask), 24, 32, 8)
    dark = seen[10, 10]
    lit = np.abs(seen - dark).sum(axis=2) > 0.1
    assert sorted(map(tuple, np.argwhere(lit))) == [(2, 5), (3, 6), (20, 30)]
    np.testing.assert_allclose(seen[20, 30], GREY, atol=0.01)
    assert dark.sum() < 0.1 < seen[2, 5].sum() < seen[3, 6].sum()


def test_whole_of_a_large_frame_is_drawn(tmp_path):
    counts = np.zeros((1, 700, 500))
    counts[0, 0, 0] = counts[0, 699, 499] = 50
    sheet = sheet_of(tmp_path, counts)
    seen = sheet[8:-44, 8:-8]
    assert max(seen.shape) < 320
    lit = np.argwhere(seen[:234, :167].sum(axis=2) > 2)
    assert sorted(map(tuple, lit)) == [(0, 0), (233, 166)]


def test_sheet_is_as_large_as_its_patterns_need(tmp_path):
    counts = np.ones((30, 64, 64))
    sizes = [
        sheet_of(tmp_path, counts, **options).shape[:2]
        for options in ({}, {"rows": 1, "columns": 2}, {"indices": [7]}, {"indices": range(7), "columns": 3})
    ]
    assert [size[1] for size in sizes] == [8 + 264 * k for k in (6, 2, 1, 3)]
    assert sizes[0][0] > sizes[3][0] > sizes[1][0] == sizes[2][0]


def test_every_kind_of_caption_can_be_drawn(tmp_path, toy_file):
    with PatternSet.open(toy_file) as patterns:
        out = contact_sheet(patterns, tmp_path / "new" / "sheet.png", title="tori")
    assert os.listdir(tmp_path / "new") == ["sheet.png"]
    assert out.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["frames.h5", "."])
def test_what_is_no_picture_is_not_drawn_over(tmp_path, toy_file, name):
    (tmp_path / "frames.h5").write_bytes(b"measured")
    with PatternSet.open(toy_file) as patterns, pytest.raises(InputError, match=r"is no PNG|is a folder"):
        contact_sheet(patterns, tmp_path / name)
    assert (tmp_path / "frames.h5").read_bytes() == b"measured"


def test_refusals(tmp_path, toy_file):
    with PatternSet.open(toy_file) as patterns:
        with pytest.raises(InputError, match=r"Pattern 23 is not in .* it has 0 \.\.\. 22"):
            contact_sheet(patterns, tmp_path / "a.png", indices=[23])
        with pytest.raises(InputError, match="No pattern is chosen"):
            contact_sheet(patterns, tmp_path / "a.png", indices=[])
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="Cannot write"):
            contact_sheet(patterns, tmp_path / "file" / "a.png")
    assert os.listdir(tmp_path) == ["file"]
