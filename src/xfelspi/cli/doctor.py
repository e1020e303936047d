"""`xfel doctor`: whether this installation is well."""

import json
from pathlib import Path
from typing import Annotated

import typer


def doctor(
    folder: Annotated[Path, typer.Argument(help="Where you want to work.")] = Path("."),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at the installation: versions, cores, caches, known trouble, and a verdict; 1 where there is any.

    Example: xfel doctor
    """
    from xfelspi.errors import InputError
    from xfelspi.studies.health import examine

    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one to work in.")
    health = examine(folder)
    if as_json:
        page = {"facts": health.facts, "problems": health.problems, "verdict": health.verdict}
        typer.echo(json.dumps(page, indent=2))
    else:
        for name, value in health.facts.items():
            text = value
            if isinstance(value, dict):
                text = ", ".join(f"{key} {of_key}" for key, of_key in value.items())
            if isinstance(value, list):
                text = ", ".join(value) or None
            typer.echo(f"{name.replace('_', ' '):<14}{'none' if text is None else text}")
        for problem in health.problems:
            typer.secho(f"! {problem}", fg="yellow")
        typer.echo(health.verdict)
    if health.problems:
        raise typer.Exit(1)
