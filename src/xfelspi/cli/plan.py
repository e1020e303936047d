"""The command `xfel plan`: what to expect of a particle before the beam time."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xfelspi.errors import InputError

from .terminal import Progress, typed


def plan(
    diameter: Annotated[float | None, typer.Option(help="Of the particle, in nm.")] = None,
    photon_energy: Annotated[float | None, typer.Option(help="In eV.")] = None,
    pulse_energy_mj: Annotated[float | None, typer.Option(help="Of the source, in mJ.")] = None,
    focus: Annotated[float | None, typer.Option(help="Width of the focus at half maximum, in µm.")] = None,
    transmission: Annotated[
        float | None, typer.Option(help="Part of the pulse energy that arrives in the focus.")
    ] = None,
    shape: Annotated[
        str | None, typer.Option(help="As in xfel simulate: icosahedron, soccer, ..., or a mesh file.")
    ] = None,
    material: Annotated[str | None, typer.Option(help="protein, water, sucrose, polystyrene.")] = None,
    recipe: Annotated[
        str, typer.Option(help="The instrument: lcls-amo, euxfel-spb, ideal, or a TOML file.")
    ] = "lcls-amo",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change one more value of the recipe, as in detector.distance_m=0.3; repeatable."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="NAME.safetensors, from xfel train; by default the one of this installation."),
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Shots to simulate.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same shots.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="A page to write (.html), or a picture of some shots (.png).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how many photons to expect from one particle, and how surely it would be recognised.

    What is not given is the recipe's. Shots are simulated just so, and a model sorts them: photons on the
    detector and in its speckles, background, the limits of its pixels, whether pairs show fringes, and how
    many single hits would be lost and how many others kept.

    Example: xfel plan --diameter 30 --photon-energy 1600 --pulse-energy-mj 1
    """
    from xfelspi.simulate import load_recipe
    from xfelspi.studies.plan import NO_MODEL
    from xfelspi.studies.plan import plan as make_plan
    from xfelspi.studies.plan_page import lines, require_page_or_picture, setting, write_plan

    if out is not None:
        require_page_or_picture(out)
    given = {
        "sample.diameter_nm": diameter,
        "sample.shape": shape,
        "sample.material": material,
        "beam.photon_energy_ev": photon_energy,
        "beam.pulse_energy_mj": pulse_energy_mj,
        "beam.focus_fwhm_um": focus,
        "beam.transmission": transmission,
    }
    changes = [f"{name}={json.dumps(value)}" for name, value in given.items() if value is not None]
    planned = load_recipe(recipe, [*changes, *(settings or [])])
    judge = _model(model)
    command = typed()

    def show(found: Any, patterns: Any) -> None:
        if out is not None:
            write_plan(found, patterns, out, command)

    with Progress() as progress:
        found = make_plan(planned, judge, n=n, seed=seed, show=show, progress=progress)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
        return
    typer.echo(setting(found))
    for heading, some in lines(found).items():
        typer.echo(f"\n{heading}")
        for what, value, remark in some:
            typer.echo(f"  {what:<44} {value}{f'   ({remark})' if remark else ''}")
    if judge is None:
        typer.echo(f"\n{NO_MODEL}")
    if out is not None:
        typer.echo(f"\n{out}")


def _model(path: Path | None) -> Any:
    """Load the model that was named, or the default one; None where there is neither."""
    from xfelspi.classify import load_model
    from xfelspi.classify.default import default_model

    if path is None:
        try:
            path = default_model()
        except InputError:
            return None
    return load_model(path)
