"""No look at a measured set is forgotten, and nothing finished is done twice."""

import json

import pytest

from xfelspi.errors import InputError
from xfelspi.report import Report
from xfelspi.studies.fidelity_page import show_looks
from xfelspi.studies.looks import log_path, looks_at, note_look
from xfelspi.studies.steps import require_question, step, take_folder


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XFELSPI_STATE", str(tmp_path / "state"))


def test_looks_are_appended_and_found_by_the_set():
    assert looks_at("a") == []
    for auc, sha in ((0.5, "a"), (0.6, "b"), (0.7, "a")):
        note_look({"frames_sha256": sha, "auc": auc})
    assert [look["auc"] for look in looks_at("a")] == [0.5, 0.7]
    assert all("time" in look for look in looks_at("a"))


def test_a_line_cut_short_costs_itself_alone():
    note_look({"frames_sha256": "a", "auc": 0.5})
    with log_path().open("a") as file:
        file.write('{"time": "2026')
    note_look({"frames_sha256": "a", "auc": 0.7})
    assert [look["auc"] for look in looks_at("a")] == [0.5, 0.7]


def test_where_no_look_can_be_noted_none_is_taken(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XFELSPI_STATE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="XFELSPI_STATE"):
        note_look({"frames_sha256": "a"})


def test_looks_noted_down_elsewhere_are_no_looks_here(tmp_path):
    """A study's folder may be copied; the page says that the log is another user's or machine's."""
    report = Report("moved")
    show_looks(report, looks_at("a"))
    page = report.save(tmp_path / "report.html").read_text("utf-8")
    assert "noted down elsewhere" in page
    assert "0 times" not in page


def test_a_folder_of_another_question_is_refused_before_anything_is_written(tmp_path):
    take_folder(tmp_path, {"declared": {"n": 1}, "reference": "a"}, overwrite=False)
    require_question(tmp_path, {"declared": {"n": 1}}, overwrite=False)
    with pytest.raises(InputError, match="holds another study"):
        require_question(tmp_path, {"declared": {"n": 2}}, overwrite=False)
    with pytest.raises(InputError, match="holds another study"):
        take_folder(tmp_path, {"declared": {"n": 1}, "reference": "b"}, overwrite=False)
    take_folder(tmp_path, {"declared": {"n": 1}, "reference": "b"}, overwrite=True)


def test_a_step_is_done_once_for_what_decides_it(tmp_path):
    done = []

    def compute():
        done.append(1)
        return {"n": len(done), "pair": (1, 2)}

    path = tmp_path / "deep" / "step.json"
    first = step(path, {"seed": 0}, compute)
    assert step(path, {"seed": 0}, compute) == first == {"n": 1, "pair": [1, 2]}
    assert step(path, {"seed": 1}, compute)["n"] == 2
    path.write_text(json.dumps({"decides": {"seed": 1}})[:-4])
    assert step(path, {"seed": 1}, compute)["n"] == 3
