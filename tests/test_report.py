"""The page stands alone and is written whole."""

import pytest

from xfelspi.errors import InputError
from xfelspi.report import Report


def test_a_report_needs_nothing_beside_it(tmp_path):
    png = tmp_path / "dot.png"
    png.write_bytes(b"\x89PNG not really")
    report = Report("Tori & <others>")
    report.heading("Scores")
    report.paragraph("a < b")
    report.table(["shape", "rate"], [["torus", "3 %\n1 to 5"]])
    report.picture(png, "a dot")
    report.code("xfel demo")
    page = report.save(tmp_path / "new" / "report.html").read_text("utf-8")
    png.unlink()
    assert "Tori &amp; &lt;others&gt;" in page
    assert "3 %<br><small>1 to 5</small>" in page
    assert "data:image/png;base64,iVBOR" in page
    assert "http" not in page
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]


def test_where_it_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write"):
        Report("x").save(tmp_path / "file" / "report.html")


def test_a_page_of_another_is_not_replaced(tmp_path):
    notes = tmp_path / "notes.html"
    notes.write_text("<html>what I saw last night</html>")
    with pytest.raises(InputError, match="no page of xfel"):
        Report("x").save(notes)
    assert "last night" in notes.read_text()
    page = Report("x").save(tmp_path / "own.html")
    assert Report("y").save(page).read_text("utf-8").count("<h1>y</h1>") == 1
