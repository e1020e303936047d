"""The roof: parse, call one function, say what happened."""

import functools
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xfelspi import __version__
from xfelspi.errors import InputError

from .classify import classify
from .convert import convert
from .doctor import doctor
from .embed import embed
from .explain import explain
from .hits import hits
from .matching import Match, recipe_of, require_match
from .opening import Opening, opens_frames
from .options import beside, require_not_read
from .plan import plan
from .score import score
from .study import study
from .terminal import Progress, command_of, indices_of, printing_told, typed

app = typer.Typer(
    name="xfel",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulate single-particle X-ray diffraction, and train a network that keeps the single hits.",
    epilog="A first run, with a report at its end: xfel demo",
)


app.add_typer(study)
_command = command_of(app)


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
@opens_frames("labels")
def simulate(
    shape: Annotated[
        str | None,
        typer.Option(
            help="icosahedron, soccer, torus, sphere, cube, octahedron, tetrahedron, prolate, oblate, "
            "cylinder, disc, capsid, bowl, star, blob, random (a new solid every shot), or the path of a "
            "closed mesh (STL, OBJ, PLY)."
        ),
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Number of patterns.")] = 1000,
    recipe: Annotated[
        str, typer.Option(help="lcls-amo, euxfel-spb, benchmark, ideal, or a TOML file.")
    ] = "lcls-amo",
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
    match: Match = None,
    seed: Annotated[int, typer.Option(help="Same seed, same patterns.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("sim"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of another run.")] = False,
    *,
    opening: Opening,
) -> None:
    """Simulate single and multiple hits of one shape.

    Of two consecutive patterns one shows a single particle and one several. The file holds the truth of
    every shot and the recipe, and opens with plain h5py. A killed run goes on with the same command.

    Example: xfel simulate --shape torus -n 10000

    Example: xfel simulate --match run0042.h5 -n 20000
    """
    import time

    from xfelspi.patterns import AlreadyComplete
    from xfelspi.shapes import shape_name
    from xfelspi.simulate import simulate_to_file

    require_match(match, opening)
    changes = list(settings or [])
    if shape is not None:
        changes.append(f"sample.shape={json.dumps(shape)}")
    if natural:
        changes.append('sample.arrival="natural"')
    drawn_from = recipe_of(recipe, changes, match, opening, out)
    path = out / f"{shape_name(drawn_from.sample.shape)}.h5"
    if match is not None:
        require_not_read(path, match)
    start = time.perf_counter()
    try:
        with Progress() as progress:
            simulate_to_file(
                path, drawn_from, n, seed, overwrite=overwrite, command=typed(), progress=progress
            )
    except AlreadyComplete:
        typer.echo(f"{path} is already complete.")
        return
    seconds = time.perf_counter() - start
    typer.echo(f"{path}: {n} {path.stem} patterns, recipe {recipe}, seed {seed}, in {seconds:.1f} s")


@_command
@opens_frames()
def show(
    file: Annotated[Path, typer.Argument(help="A pattern file.")],
    out: Annotated[Path | None, typer.Option(help="The PNG to write; by default beside the file.")] = None,
    index: Annotated[
        str | None, typer.Option(help="Which patterns, as in 0,5,17; by default the first ones.")
    ] = None,
    *,
    opening: Opening,
) -> None:
    """Draw a contact sheet: patterns on a log scale with their labels.

    Example: xfel show sim/torus.h5
    """
    from xfelspi.pictures import contact_sheet

    target = out or beside(file, ".png")
    require_not_read(target, file)
    with opening.open(file) as patterns:
        contact_sheet(patterns, target, indices=indices_of(index, patterns.n), title=file.name)
    typer.echo(str(target))


@_command
@opens_frames()
def info(
    file: Annotated[Path, typer.Argument(help="A pattern file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    *,
    opening: Opening,
) -> None:
    """Say what a file holds: patterns, labels, photons, geometry, recipe.

    Example: xfel info sim/torus.h5
    """
    from xfelspi.patterns import describe

    with opening.open(file) as patterns:
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


@_command
@opens_frames("labels")
def train(
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of pattern files, or a labelled file; repeatable, measured ones too."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="Train on fresh patterns drawn from this recipe while it learns, without files."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change one value of the recipe, as in sample.diameter_nm=40; repeatable."
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", help="Patterns an epoch, with --recipe; by default 20,000.")
    ] = None,
    match: Match = None,
    shapes: Annotated[
        str | None, typer.Option(help="Train on these shapes alone, as in torus,soccer.")
    ] = None,
    hold_out: Annotated[str | None, typer.Option(help="Leave these shapes out.")] = None,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pattern files of shapes not learned from, for thresholds and probabilities; repeatable."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="resnet, or vgg16: logistic regression on what VGG16 sees.")
    ] = "resnet",
    weights: Annotated[
        Path | None, typer.Option(help="VGG16's .safetensors or .pth; by default fetched once.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Of VGG16: conv5, or fc6 or fc7 where the weights have them.")
    ] = None,
    blocks: Annotated[
        str | None,
        typer.Option(help="Train the published ResNet with n,m blocks, as in 2,2, instead of the default."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the patterns; by default as many as make 90,000 of them.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, split, order, augmentation and fresh patterns.")] = 0,
    name: Annotated[
        str | None,
        typer.Option(help="Of the model; by default made of shapes, number and a hash of the run."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of models.")] = Path("runs"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another model of that name.")
    ] = False,
    *,
    opening: Opening,
) -> None:
    """Train a network to tell single hits from everything else.

    One line an epoch; the best one is kept. A killed training goes on with the same command. With --method
    vgg16, a network trained on photographs sees every pattern once, and a regression learns from that.

    Example: xfel train --data sim --hold-out torus

    Example: xfel train --recipe lcls-amo --match run0042.h5

    Example: xfel train --data sim --method vgg16 --weights vgg16.safetensors
    """
    require_match(match, opening)
    _require_one_supply(
        recipe, {"--data": data, "--hold-out": hold_out}, {"-n": n, "--set": settings, "--match": match}
    )
    trainer = _trainer(
        method, {"blocks": blocks, "epochs": epochs}, {"weights": weights, "layer": layer}, seed
    )
    with Progress() as progress:
        source: Any = data or [Path("sim")]
        if recipe is not None:
            from xfelspi.simulate import StreamedPatterns

            drawn_from = recipe_of(recipe, settings or [], match, opening, out)
            source = StreamedPatterns(
                drawn_from, _names(shapes) or (), n=20_000 if n is None else n, seed=seed, progress=progress
            )
            shapes = None
        path = trainer(
            source,
            out=out,
            name=name,
            shapes=_names(shapes),
            hold_out=_names(hold_out),
            calibrate=calibrate or None,
            overwrite=overwrite,
            command=typed(),
            progress=progress,
            say=progress.say,
        )
    typer.echo(str(path))


_command(score)
_command(classify)
_command(explain)
_command(convert)
_command(hits)
_command(doctor)


_command(plan)
_command(embed)


@_command
def demo(
    out: Annotated[Path, typer.Option(help="Folder to work in.")] = Path("demo"),
    measured: Annotated[Path | None, typer.Option(help="A file of measured shots to sort as well.")] = None,
    labels: Annotated[str | None, typer.Option(help="Their labels: .npy, .csv or a dataset name.")] = None,
) -> None:
    """Simulate, look, train, score on shapes never seen, and write report.html: a few minutes.

    Example: xfel demo
    """
    from xfelspi.studies import demo

    if labels is not None and measured is None:
        raise InputError("--labels speaks of a --measured file; name one.")
    with Progress() as progress:
        report = demo(
            out, measured=measured, labels=labels, command=typed(), progress=progress, tell=progress.say
        )
    typer.echo(str(report))


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _require_one_supply(recipe: str | None, of_files: dict[str, Any], of_recipes: dict[str, Any]) -> None:
    """Refuse options that belong to files beside a recipe, and those of recipes beside files."""
    for option, value in of_files.items():
        if recipe is not None and value:
            raise InputError(
                f"{option} is for files, and --recipe draws patterns without any; give one of them."
            )
    for option, value in of_recipes.items():
        if recipe is None and value not in (None, []):
            raise InputError(
                f"{option} is for fresh patterns; name the recipe to draw them from with --recipe."
            )


def _trainer(method: str, of_resnet: dict[str, Any], of_vgg16: dict[str, Any], seed: int) -> Any:
    """Return what trains by a method; options of the other one are refused."""
    options = {"resnet": of_resnet, "vgg16": of_vgg16}
    if method not in options:
        raise InputError(f"There is no method {method!r}; choose one of {', '.join(options)}.")
    for other, theirs in options.items():
        for name, value in theirs.items():
            if other != method and value is not None:
                raise InputError(f"--{name} is for --method {other}; leave it out, or choose that method.")
    from xfelspi.classify import TrainConfig, TransferConfig, train, train_transfer

    if method == "vgg16":
        chosen = TransferConfig(layer=of_vgg16["layer"] or TransferConfig.layer, seed=seed)
        return functools.partial(train_transfer, weights=of_vgg16["weights"], config=chosen)
    blocks = of_resnet["blocks"]
    network = "pooled" if blocks is None else "resnet"
    config = TrainConfig(network=network, blocks=_blocks(blocks), epochs=of_resnet["epochs"], seed=seed)
    return functools.partial(train, config=config)


def _blocks(text: str | None) -> tuple[int, int]:
    if text is None:
        return (2, 2)
    try:
        n, m = (int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--blocks {text} is not two whole numbers such as 2,2.") from None
    return n, m


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the command line."""
    with printing_told():
        app()
