"""Imports go down, never up or across; inside a room with a dot, between rooms with the whole address."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = (  # from the ground up; rooms of one floor do not know each other
    {"constants", "errors", "cache"},
    {"shapes"},
    {"patterns"},
    {"simulate", "classify", "fidelity", "hits"},
    {"pictures", "report"},
    {"studies", "sorting"},
    {"cli"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
PACKAGE = Path(__file__).parents[1] / "src" / "xfelspi"


def trespasses(module: str, source: str) -> Iterator[str]:
    """What is wrong with the imports of `module`, a path such as "simulate/run.py"."""
    folder = module.split("/")[:-1]
    home = folder[0] if folder else module.removesuffix(".py")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            if node.level > len(folder):
                yield f"{module}:{node.lineno} leaves its room with a dot"
            continue
        for room in rooms_named(node):
            if room == home:
                yield f"{module}:{node.lineno} imports from its own room without a dot"
            elif FLOOR_OF[room] >= FLOOR_OF[home]:
                yield f"{module}:{node.lineno} imports {room}, which is not below {home}"


def rooms_named(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The rooms of ours that an absolute import names; the package itself (its version) is none."""
    if isinstance(node, ast.ImportFrom):
        addresses = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        addresses = [alias.name for alias in node.names]
    rooms = [address.split(".")[1] for address in addresses if address.startswith("xfelspi.")]
    return [room for room in rooms if not room.startswith("__")]


def test_imports_go_down() -> None:
    modules = {
        path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")
    }
    del modules["__init__.py"]  # holds the version and imports nothing
    assert {name.split("/")[0].removesuffix(".py") for name in modules} <= FLOOR_OF.keys()
    assert [wrong for module, source in sorted(modules.items()) for wrong in trespasses(module, source)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("shapes/solid.py", "from xfelspi.simulate import Beam"),  # up
        ("classify/data.py", "def f():\n    import xfelspi.simulate.beam"),  # across, inside a function
        ("patterns/reader.py", "from xfelspi import cli"),
        ("simulate/run.py", "from xfelspi.simulate.beam import Beam"),  # a neighbour by its whole address
        ("simulate/run.py", "from ..patterns import PatternSet"),  # another room by dots
        ("report.py", "from .patterns import PatternSet"),
    ],
)
def test_a_trespass_is_seen(module: str, source: str) -> None:
    assert list(trespasses(module, source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("simulate/run.py", "import numpy\nfrom .beam import Beam\nfrom xfelspi.patterns import PatternSet"),
        ("cli/study.py", "from xfelspi import __version__\nfrom xfelspi.classify.train import train"),
    ],
)
def test_a_staircase_is_no_trespass(module: str, source: str) -> None:
    assert not list(trespasses(module, source))
