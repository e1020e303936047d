"""One self-contained HTML page: text, tables and pictures, nothing to fetch."""

import base64
import html
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from xfelspi.errors import InputError

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d1d22; background: #fff; max-width: 80rem;
       margin: 2rem auto; padding: 0 1.5rem }
h1 { font-size: 1.7rem; margin-bottom: 0.3rem } h2 { font-size: 1.25rem; margin-top: 2.2rem }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
th, td { padding: 0.3rem 0.5rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap }
th { border-bottom: 2px solid #888; font-weight: 600; font-size: 0.85rem; vertical-align: bottom;
     white-space: normal }
th:first-child, td:first-child { text-align: left }
td small { color: #666 } figure { margin: 1rem 0 } img { max-width: 100%; height: auto }
figcaption { color: #555; font-size: 0.9rem }
p, li { max-width: 60rem } .lead { font-size: 1.15rem; font-weight: 600 }
pre { background: #f4f1ea; padding: 0.8rem 1rem; overflow-x: auto }
"""


_MARK = '<meta name="generator" content="xfel">'
_NEAR_THE_START = 200  # bytes of a page within which that stands


class Report:
    """A page that grows from top to bottom.

    Parameters
    ----------
    title : str
        Its heading.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{html.escape(text)}</h2>")

    def paragraph(self, text: str) -> None:
        """Add plain text."""
        self._parts.append(f"<p>{html.escape(text)}</p>")

    def lead(self, text: str) -> None:
        """Add what the page has to say, in larger letters."""
        self._parts.append(f'<p class="lead">{html.escape(text)}</p>')

    def items(self, texts: Sequence[str]) -> None:
        """Add a list."""
        self._parts.append("<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in texts) + "</ul>")

    def code(self, text: str) -> None:
        """Add what can be typed again."""
        self._parts.append(f"<pre>{html.escape(text)}</pre>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table; a line break in a cell starts its small print."""
        self._parts.append("<table><thead><tr>")
        self._parts += [f"<th>{html.escape(cell)}</th>" for cell in header]
        self._parts.append("</tr></thead><tbody>")
        for row in rows:
            self._parts.append("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>")
        self._parts.append("</tbody></table>")

    def picture(self, png: Path, caption: str) -> None:
        """Add a PNG file; its bytes go into the page."""
        data = base64.b64encode(png.read_bytes()).decode()
        text = html.escape(caption)
        image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
        self._parts.append(f"<figure>{image}<figcaption>{text}</figcaption></figure>")

    def save(self, path: Path) -> Path:
        """Write the page, whole or not at all.

        Raises
        ------
        InputError
            If it cannot be written there.
        """
        title = html.escape(self._title)
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">{_MARK}<title>{title}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
            f"<body><h1>{title}</h1>{''.join(self._parts)}</body></html>\n"
        )
        require_page(path)
        part = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(page, encoding="utf-8")
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise InputError(f"Cannot write {path} ({error.strerror}); choose another place.") from None
        return path


def require_page(path: Path) -> None:
    """Raise an `InputError` if what stands there is no page from here, and would be lost."""
    if path.exists() and not (path.is_file() and _is_ours(path)):
        raise InputError(f"{path} exists and is no page of xfel; choose another place for the page.")


def _is_ours(path: Path) -> bool:
    """Tell whether a file is a page from here, or empty: others are not to be replaced."""
    with path.open("rb") as file:
        start = file.read(_NEAR_THE_START)
    return not start or _MARK.encode() in start


def _cell(text: str) -> str:
    main, _, small = text.partition("\n")
    return html.escape(main) + (f"<br><small>{html.escape(small)}</small>" if small else "")
