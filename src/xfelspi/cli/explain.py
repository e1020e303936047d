"""The command `xfel explain`: what a model looks at."""

from pathlib import Path
from typing import Annotated

import typer

from .opening import Opening, opens_frames, say_centre, say_scale
from .options import beside, require_not_read
from .terminal import indices_of

_FIRST = 4  # patterns that are drawn if none is named


@opens_frames()
def explain(
    model: Annotated[Path, typer.Argument(help="NAME.safetensors, from xfel train.")],
    file: Annotated[Path, typer.Argument(help="A pattern file.")],
    index: Annotated[
        str | None, typer.Option(help="Which patterns, as in 0,5,17; by default the first four.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write; by default FILE-explained.png beside the file.")
    ] = None,
    *,
    opening: Opening,
) -> None:
    """Draw what a model makes of patterns: activations from stage to stage, and Grad-CAM.

    Grad-CAM marks the places of the last stage that move the model's decision: for a single hit, or against.

    Example: xfel explain runs/sim.safetensors sim/torus.h5 --index 0,5
    """
    from xfelspi.classify import explain_patterns, load_model
    from xfelspi.pictures import Explained, explanation_sheet

    loaded = load_model(model)
    stem = beside(file, "")
    target = out or stem.with_name(f"{stem.name}-explained.png")
    require_not_read(target, file)
    with opening.open(file) as patterns:
        say_centre(file, patterns)
        loaded = say_scale(file, patterns, loaded)
        chosen = indices_of(index, patterns.n) or list(range(min(_FIRST, patterns.n)))
        known = patterns.labels
        names = {1: ", labelled single", 0: ", labelled not single"}
        rows = [
            Explained(
                caption=f"#{one.index}{'' if known is None else names.get(int(known[one.index]), '')}: "
                f"a single hit with {100 * one.probability:.1f} %",
                pattern=one.frame,
                activations=one.activations,
                cam=one.cam,
            )
            for one in explain_patterns(loaded, patterns, chosen)
        ]
    typer.echo(str(explanation_sheet(rows, target, title=f"{model.name} on {file.name}")))
