"""Where figures were taken, and the page that they go to."""

import argparse
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from xfelspi.studies import provenance


def machine() -> str:
    """One line that figures need beside them: processor, cores, software, day."""
    software = {**provenance.versions(), "numba": version("numba")}
    return (
        f"{provenance.machine()}; {', '.join(f'{name} {number}' for name, number in software.items())}; "
        f"{date.today()}."
    )


def page_asked_for(description: str | None) -> Path | None:
    """Read the command line: `--write PAGE`, or nothing."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    return parser.parse_args().write


def publish(section: str, text: str, page: Path | None) -> None:
    """Print a section, and put it into the page between its two markers, or at the page's end."""
    print(text)
    if page is None:
        return
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    framed = f"{begin}\n{text}\n{end}"
    old = page.read_text("utf-8") if page.exists() else "# Benchmarks\n"
    there = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    new = there.sub(lambda _: framed, old) if there.search(old) else f"{old.rstrip()}\n\n{framed}\n"
    page.write_text(new, "utf-8")
