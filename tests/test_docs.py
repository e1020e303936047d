"""The documents keep their word: links lead somewhere, commands exist, Python snippets run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[list[str]]:
    """Every line of a code block or in backticks that calls xfel, without comment."""
    text = page.read_text("utf-8")
    blocks = [line.strip() for _, block in BLOCK.findall(text) for line in block.splitlines()]
    spans = re.findall(r"`(xfel [^`]*)`", text)
    for line in [*blocks, *re.findall(r"^    (xfel .*)", text, re.MULTILINE), *spans]:
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if len(words) > 1 and words[0].rpartition("/")[2] == "xfel":
            yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue  # the web
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_and_their_options_exist(page):
    from typer.main import get_command

    from xfelspi.cli import app

    xfel = get_command(app)
    for verb, *words in commands(page):
        parameters = xfel.params
        if not verb.startswith("-"):
            assert verb in xfel.commands, f"xfel {verb}"
            parameters = xfel.commands[verb].params
        known = {option for parameter in parameters for option in parameter.opts + parameter.secondary_opts}
        used = {word.partition("=")[0] for word in [verb, *words] if word.startswith("-")}
        assert used <= known | {"--help", "-h"}, f"xfel {verb} {shlex.join(words)}"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Where the snippets run: a folder in which a user has typed `xfel simulate --shape torus -n 200`."""
    from xfelspi.simulate import load_recipe, simulate_to_file

    folder = tmp_path_factory.mktemp("workplace")
    recipe = load_recipe("lcls-amo", ['sample.shape="torus"'])
    simulate_to_file(folder / "sim" / "torus.h5", recipe, n=200, seed=0)
    return folder


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python\n" in page.read_text("utf-8")], ids=name
)
def test_python_snippets_run(page, workplace, monkeypatch):
    """One after the other, as a reader would paste them."""
    monkeypatch.chdir(workplace)
    known: dict = {}
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if language == "python":
            exec(compile(block, name(page), "exec"), known)
