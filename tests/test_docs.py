"""The documents are true: links lead somewhere, commands exist, snippets run."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from toy_psana import first_psana
from typer.testing import CliRunner

from xfelspi.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = {(command.name or command.callback.__name__,) for command in app.registered_commands} | {
    (group.typer_instance.info.name, command.name or command.callback.__name__)
    for group in app.registered_groups
    for command in group.typer_instance.registered_commands
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("docs/formats/*.md")), ROOT / "docs/convert.md"], ids=lambda page: page.name
)
def test_snippets_of_formats_run(page, tmp_path, monkeypatch):
    """In order: Python writes and reads a file, and the commands below find it."""
    monkeypatch.chdir(tmp_path)
    if page.stem == "euxfel":
        pytest.importorskip("extra_data", reason="extra-data is not installed (extra euxfel)")
        pytest.importorskip("extra_geom", reason="extra-geom is not installed (extra euxfel)")
    monkeypatch.setitem(sys.modules, "psana", first_psana())
    snippets = re.findall(r"```(python|sh)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert {"python", "sh"} == {language for language, _ in snippets}
    for language, text in snippets:
        if language == "python":
            exec(compile(text, page.name, "exec"), {})
            continue
        for line in text.splitlines():
            result = CliRunner().invoke(app, shlex.split(line)[1:])
            assert result.exit_code == 0, f"{line}: {result.output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page):
    for line in re.findall(r"\bxfel [a-z][^\n`|]*", page.read_text("utf-8")):
        words = shlex.split(re.sub(r"#.*|[…]", "", line).replace("'", ""))[1:]
        named = next((command for command in COMMANDS if tuple(words[: len(command)]) == command), None)
        if named is None:
            continue  # prose such as "xfel is"
        known = CliRunner().invoke(app, [*named, "--help"], env={"COLUMNS": "300"}).output
        for option in (word.split("=")[0] for word in words if re.fullmatch(r"--?[a-z][\w=-]*", word)):
            assert option in known, f"{page.name}: xfel {' '.join(named)} has no {option}"
