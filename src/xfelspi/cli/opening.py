"""How a file of frames is to be opened: options that several commands share, declared once."""

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from xfelspi.errors import InputError

from .options import Dataset, Detector, FollowLinks, Labels, Mask

if TYPE_CHECKING:
    from xfelspi.classify import Model
    from xfelspi.patterns import AduConversion, PatternSet


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What the user says about a file of frames beyond its name.

    Each field is an option of every command that takes an opening, see `opens_frames`.
    """

    dataset: Dataset = None
    mask: Mask = None
    labels: Labels = None
    detector: Detector = None
    geometry: Annotated[Path | None, typer.Option(help="CrystFEL's .geom file, for frames in panels.")] = None
    centre: Annotated[
        str | None,
        typer.Option(help="Where the beam crosses the frames, in pixels, y,x as in 127.5,130; or middle."),
    ] = None
    adu_per_photon: Annotated[
        float | None, typer.Option(help="Frames are in a detector's units, so many for a photon.")
    ] = None
    pedestal: Annotated[
        str | None, typer.Option(help="What pixels hold in the dark, in these units; given like a mask.")
    ] = None
    common_mode: Annotated[
        str, typer.Option(help="What shifts together in these units: none, panel, or row of a panel.")
    ] = "none"
    panels: Annotated[
        str, typer.Option(help="Panels of frames without a geometry, down x across, as in 2x1.")
    ] = "1x1"
    follow_links: FollowLinks = False

    def open(self, file: Path) -> "PatternSet":
        """Open a file this way, and say what is to be known about it."""
        from xfelspi.patterns import PatternSet

        try:
            str(file).encode()
        except UnicodeEncodeError:  # lists, titles and HDF5 could not name it
            raise InputError(
                f"The name {os.fsencode(file)!r} is not UTF-8; rename the file, or make a link to it."
            ) from None
        patterns = PatternSet.open(
            file,
            dataset=self.dataset,
            mask=self.mask,
            labels=self.labels,
            detector=self.detector,
            geometry=self.geometry,
            adu=self._adu(),
            pedestal=self.pedestal,
            follow_links=self.follow_links,
        )
        try:
            if self.centre == "middle":
                ny, nx = patterns.shape
                patterns.take_centre(((ny - 1) / 2, (nx - 1) / 2))
            elif self.centre is not None:
                patterns.take_centre(_pair(self.centre, ",", float, "--centre", "127.5,130"))
        except BaseException:
            patterns.close()
            raise
        for remark in patterns.remarks:
            typer.secho(f"{file}: {remark}", fg="yellow", err=True)
        return patterns

    def as_typed(self) -> list[str]:
        """Return the options that were given, labels apart, to open the file the same way again."""
        words = []
        for field in fields(self):
            value, option = getattr(self, field.name), f"--{field.name.replace('_', '-')}"
            if field.name != "labels" and value != field.default:
                words += [option] if value is True else [option, str(value)]
        return words

    def _adu(self) -> "AduConversion | None":
        from xfelspi.patterns import AduConversion

        if self.adu_per_photon is None:
            for option, is_given in (
                ("--common-mode", self.common_mode != "none"),
                ("--panels", self.panels != "1x1"),
            ):
                if is_given:
                    raise InputError(f"{option} is for frames in ADU; give --adu-per-photon as well.")
            return None
        rows, columns = _pair(self.panels, "x", int, "--panels", "2x1")
        return AduConversion(
            adu_per_photon=self.adu_per_photon,
            common_mode=self.common_mode,
            panel_rows=rows,
            panel_columns=columns,
        )


def opens_frames(*but: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `Opening`, but for some, in place of its parameter `opening`."""
    return functools.partial(_opening, but)


def _opening(but: tuple[str, ...], command: Callable[..., None]) -> Callable[..., None]:
    hints = get_type_hints(Opening, include_extras=True)
    signature = inspect.signature(command)
    own = [each for each in signature.parameters.values() if each.name != "opening"]
    options = [
        inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
        )
        for each in fields(Opening)
        if each.name not in but
    ]
    names = {each.name for each in options}

    @functools.wraps(command)
    def opening(**given: Any) -> None:
        said = Opening(**{name: given.pop(name) for name in names})
        command(**given, opening=said)

    kept = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    opening.__signature__ = signature.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    opening.__annotations__ = {each.name: each.annotation for each in [*kept, *options]}
    return opening


def say_centre(file: Path, patterns: "PatternSet") -> None:
    """Find the centre of frames whose file does not say it, and tell so on stderr."""
    if patterns.centre_yx is not None:
        return
    from xfelspi.patterns import settle_centre

    found = settle_centre(patterns)
    if found is None:
        text = "the frames do not tell where the beam crosses them either; their middle is taken"
    else:
        text = f"found at y, x = {found.yx[0]:.2f}, {found.yx[1]:.2f} in the frames"
    typer.secho(f"{file}: the centre is not given; {text} (--centre says otherwise).", fg="yellow", err=True)


def say_scale(file: Path, patterns: "PatternSet", model: "Model") -> "Model":
    """Tell on stderr where particles look as large as none that a model knows; return it at their scale.

    Frames with their truth beside them are not asked: whoever simulated them knows.
    """
    if patterns.truth is not None:
        return model
    from xfelspi.sorting import at_scale, scale_of

    scale = scale_of(patterns, model)
    if scale is None or scale.ratio == 1.0:
        return model
    if scale.binned > 1:
        taken = f"{scale.binned} x {scale.binned} pixels are taken as one of the model's"
        text = f"it has no geometry, and its rings are so wide that {taken}"
    else:
        beyond = scale.ratio > 1.0
        factor, end, most = (
            (scale.ratio, "large", "largest") if beyond else (1 / scale.ratio, "small", "smallest")
        )
        text = (
            f"its particles look {factor:.2g} times as {end} on these pixels as the {most} that the model "
            "learned from, so do not trust its verdicts; one that knows them comes of "
            f"xfel train --recipe lcls-amo --match {file}"
        )
    typer.secho(f"{file}: {text}.", fg="yellow", err=True)
    return at_scale(model, scale)


def say_pixels(path: Path, n_nan: int, n_negative: int, n_dark: int = 0) -> None:
    """Tell what had to be masked in a file, and which frames held nothing, on stderr."""
    if n_dark:
        text = f"{path}: {n_dark} patterns hold no photon; none of them is taken for a single hit."
        typer.secho(text, fg="yellow", err=True)
    if n_nan or n_negative:
        text = f"{path}: {n_nan} pixels were NaN or infinite and {n_negative} negative; they were set to 0."
        if n_negative:
            text += " Are these detector units? --adu-per-photon makes photons of them."
        typer.secho(text, fg="yellow", err=True)


def _pair(text: str, between: str, kind: Callable[[str], Any], option: str, example: str) -> tuple[Any, Any]:
    try:
        first, second = (kind(part) for part in text.split(between))
    except ValueError:
        raise InputError(f"{option} {text} is not two numbers such as {example}.") from None
    return first, second
