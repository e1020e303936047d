"""Where figures were taken, and the page that they go to."""

import argparse
import os
import platform
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from xfelspi import __version__


def machine() -> str:
    """One line that figures need beside them: processor, cores, software, day."""
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", cpuinfo.read_text("utf-8")) if cpuinfo.exists() else None
    processor = named[1] if named else platform.processor() or platform.machine()
    software = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "torch"))
    return (
        f"{processor}, {os.cpu_count()} cores; xfel {__version__}, Python {platform.python_version()}, "
        f"{software}; {date.today()}."
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
