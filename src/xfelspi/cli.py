"""The roof: parse, call one function, say what happened."""

import functools
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from xfelspi import __version__
from xfelspi.errors import InputError

app = typer.Typer(
    name="xfel",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulate single-particle X-ray diffraction, and train a network that keeps the single hits.",
    epilog="A first run, with a report at its end: xfel demo",
)


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command: what the user can mend is one sentence and exit code 2, Ctrl-C is 130."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except InputError as error:
            typer.secho(f"xfel: {error}", fg="red", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.secho("xfel: interrupted; the same command goes on from here.", fg="yellow", err=True)
            raise typer.Exit(130) from None

    return app.command()(guarded)


def _typed() -> str:
    """Return the command as it was typed."""
    return shlex.join(["xfel", *sys.argv[1:]])


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xfel {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


@_command
def simulate(
    shape: Annotated[
        str | None,
        typer.Option(
            help="icosahedron, soccer, torus, sphere, or the path of a closed mesh (STL, OBJ, PLY)."
        ),
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Number of patterns.")] = 1000,
    recipe: Annotated[str, typer.Option(help="lcls-amo, benchmark, ideal, or a TOML file.")] = "lcls-amo",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change one value of the recipe, as in sample.diameter_nm=40; repeatable."
        ),
    ] = None,
    natural: Annotated[
        bool,
        typer.Option("--natural", help="Poisson numbers of particles, blanks included, instead of pairs."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same patterns.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("sim"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of another run.")] = False,
) -> None:
    """Simulate single and multiple hits of one shape.

    Of two consecutive patterns one shows a single particle and one several. The file holds the truth of
    every shot and the recipe, and opens with plain h5py. A killed run goes on with the same command.

    Example: xfel simulate --shape torus -n 10000
    """
    import time

    from xfelspi.patterns import AlreadyComplete
    from xfelspi.shapes import shape_name
    from xfelspi.simulate import load_recipe, simulate_to_file

    changes = list(settings or [])
    if shape is not None:
        changes.append(f"sample.shape={json.dumps(shape)}")
    if natural:
        changes.append('sample.arrival="natural"')
    drawn_from = load_recipe(recipe, changes)
    path = out / f"{shape_name(drawn_from.sample.shape)}.h5"
    start = time.perf_counter()
    try:
        with _Progress() as progress:
            simulate_to_file(
                path, drawn_from, n, seed, overwrite=overwrite, command=_typed(), progress=progress
            )
    except AlreadyComplete:
        typer.echo(f"{path} is already complete.")
        return
    seconds = time.perf_counter() - start
    typer.echo(f"{path}: {n} {path.stem} patterns, recipe {recipe}, seed {seed}, in {seconds:.1f} s")


@_command
def show(
    file: Annotated[Path, typer.Argument(help="A pattern file.")],
    out: Annotated[Path | None, typer.Option(help="The PNG to write; by default beside the file.")] = None,
    index: Annotated[
        str | None, typer.Option(help="Which patterns, as in 0,5,17; by default the first ones.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Frames inside a foreign HDF5 file.")] = None,
    mask: Annotated[str | None, typer.Option(help="Mask: .npy, FILE.h5:DATASET or a dataset name.")] = None,
    labels: Annotated[str | None, typer.Option(help="Labels: .npy, .csv or a dataset name.")] = None,
) -> None:
    """Draw a contact sheet: patterns on a log scale with their labels.

    Example: xfel show sim/torus.h5
    """
    from xfelspi.patterns import PatternSet
    from xfelspi.pictures import contact_sheet

    target = out or file.with_suffix(".png")
    with PatternSet.open(file, dataset=dataset, mask=mask, labels=labels) as patterns:
        contact_sheet(patterns, target, indices=_indices(index, patterns.n), title=file.name)
    typer.echo(str(target))


@_command
def info(
    file: Annotated[Path, typer.Argument(help="A pattern file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    dataset: Annotated[str | None, typer.Option(help="Frames inside a foreign HDF5 file.")] = None,
    mask: Annotated[str | None, typer.Option(help="Mask: .npy, FILE.h5:DATASET or a dataset name.")] = None,
    labels: Annotated[str | None, typer.Option(help="Labels: .npy, .csv or a dataset name.")] = None,
) -> None:
    """Say what a file holds: patterns, labels, photons, geometry, recipe.

    Example: xfel info sim/torus.h5
    """
    from xfelspi.patterns import PatternSet, describe

    with PatternSet.open(file, dataset=dataset, mask=mask, labels=labels) as patterns:
        facts = describe(patterns)
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {_short(item)}" for key, item in value.items())
        if value is not None:
            typer.echo(f"{name:<{width}}  {_short(value)}")


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _indices(text: str | None, n: int) -> list[int] | None:
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


class _Progress:
    """A bar on the terminal for what takes longer than a moment; silent where nobody looks.

    It redraws when told, without a thread of its own: the simulator forks workers.
    """

    def __enter__(self) -> "_Progress":
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            auto_refresh=False,
            transient=True,
            disable=not sys.stderr.isatty(),
            console=_stderr(),
        )
        self._bar.start()
        self._tasks: dict[str, Any] = {}
        return self

    def __call__(self, what: str, fraction: float) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=1.0)
        self._bar.update(self._tasks[what], completed=fraction, refresh=True)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _stderr() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def main() -> None:
    """Run the command line."""
    app()
