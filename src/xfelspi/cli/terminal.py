"""How commands meet the terminal: errors, Ctrl-C, progress."""

import errno
import functools
import inspect
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from xfelspi.errors import InputError

Command = Callable[..., None]

_LONGEST = 2000  # letters of a sentence


def command_of(app: typer.Typer) -> Callable[[Command], Command]:
    """Return what registers commands: what the user can mend is a sentence and exit code 2, Ctrl-C is 130."""

    def register(function: Command) -> Command:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
            except InputError as error:
                typer.secho(f"xfel: {_printable(str(error))}", fg="red", err=True)
                raise typer.Exit(2) from None
            except KeyboardInterrupt:
                typer.secho(
                    "xfel: interrupted; give the same command again, what is finished is kept.",
                    fg="yellow",
                    err=True,
                )
                raise typer.Exit(130) from None

        return app.command(help=_flowing(function.__doc__ or ""))(guarded)

    return register


def _flowing(text: str) -> str:
    r"""Join the lines of each paragraph: the terminal's width breaks them, not the source's.

    Examples
    --------
    >>> _flowing("Does\n    it.\n\n    More.")
    'Does it.\n\nMore.'
    """
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))


def _printable(text: str) -> str:
    """Make fit for a terminal what may hold names out of a file: line breaks, escapes, no end."""
    text = "".join(sign if sign.isprintable() else "?" for sign in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


@contextmanager
def printing_told() -> Iterator[None]:
    """Make a sentence of a full disk, or another that takes nothing, under what is printed."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python would try again at the end
        typer.secho(
            f"xfel: what it prints cannot be written ({error.strerror}); free some room, or print elsewhere.",
            fg="red",
            err=True,
        )
        sys.exit(2)


def typed() -> str:
    """Return the command as it was typed."""
    return shlex.join(["xfel", *sys.argv[1:]])


def indices_of(text: str | None, n: int) -> list[int] | None:
    """Read which patterns of n are chosen, as in 0,5,17; None if nothing is said.

    Raises
    ------
    InputError
        If the text is no list of them.
    """
    if text is None:
        return None
    try:
        chosen = [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--index {text} is not a list of whole numbers such as 0,5,17.") from None
    beyond = [i for i in chosen if not 0 <= i < n]
    if beyond:
        raise InputError(f"There is no pattern {beyond[0]}: the file holds {n}, counted from 0.")
    return chosen


REDRAWN = 0.1
"""Seconds between two drawings of the bars: each takes a millisecond or more."""


class Progress:
    """A bar on the terminal for what takes longer than a moment; silent where nobody looks.

    It redraws when told, without a thread of its own: the simulator forks workers.
    """

    def __enter__(self) -> "Progress":
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            auto_refresh=False,
            transient=True,
            disable=not sys.stderr.isatty(),
            console=_stderr(),
        )
        self._bar.start()
        self._tasks: dict[str, Any] = {}
        self._drawn = 0.0
        return self

    def __call__(self, what: str, fraction: float) -> None:
        """Show how far something is; what is done goes, so that what is at work stays in sight."""
        comes, goes = what not in self._tasks, fraction >= 1.0
        if comes:
            self._tasks[what] = self._bar.add_task(what, total=1.0)
        self._bar.update(self._tasks[what], completed=fraction)
        if goes:
            self._bar.remove_task(self._tasks.pop(what))
        if comes or goes or time.monotonic() - self._drawn > REDRAWN:
            self._bar.refresh()
            self._drawn = time.monotonic()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar.disable:
            typer.echo(line, err=True)
        else:
            self._bar.console.print(line, highlight=False)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _stderr() -> Any:
    from rich.console import Console

    return Console(stderr=True)
