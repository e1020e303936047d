"""How truly probabilities hold for shapes never seen, for each spread of the logits that the fit supposes.

    python -m benchmarks.calibration geometry --write docs/classifier.md

FOLDER is that of a full `xfel study geometry`: its networks are calibrated anew on what they held out, and
judged by what they made of the test patterns; nothing is trained. Test patterns that are gone are simulated.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import numpy as np

from xfelspi.classify import load_model
from xfelspi.classify.calibration import SHAPE_SPREAD, fit_calibration
from xfelspi.classify.reliability import expected_calibration_error, reliability
from xfelspi.patterns import PatternSet
from xfelspi.studies.protocols import load_geometry
from xfelspi.studies.trainings import Training, trainings
from xfelspi.studies.transfer import Transfer

from .page import machine, publish

SPREADS = (0.0, 0.05, 0.1, 0.15)

Errors = dict[str, list[list[float]]]
"""Of each shape, for every seed, the calibration error with each of `SPREADS`."""


def main() -> None:
    """Fit, judge, print, and write if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of a full xfel study geometry")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    declared = load_geometry("geometry")
    transfer = Transfer(asked.folder, declared, "", lambda *_: None, print)
    rows = []
    for training in trainings(declared):
        errors: Errors = {}
        for seed in range(declared.seeds):
            for shape, found in judged(transfer, training, seed):
                errors.setdefault(shape, []).append(found)
        rows.append(f"| {training.name} | {len(errors)} | {' | '.join(cells(errors))} |")
    spreads = [f"**{spread:g}**" if spread == SHAPE_SPREAD else f"{spread:g}" for spread in SPREADS]
    head = f"| trained | shapes never seen | {' | '.join(spreads)} |\n{'|---' * (2 + len(SPREADS))}|"
    note = f"Mean of {declared.seeds} seeds, mean over the shapes; in brackets the worst of them."
    publish("calibration", "\n".join([head, *rows, "", note, "", machine()]), asked.write)


def judged(transfer: Transfer, training: Training, seed: int) -> Iterator[tuple[str, list[float]]]:
    """Yield the calibration errors of one network on each shape that it never saw and was to be tested on."""
    declared = transfer.declared
    model = load_model(transfer.out / training.folder / f"seed{seed}")
    singles, others = model.held.singles, model.held.others
    logits = np.concatenate([singles, others])
    labels = np.repeat([1, 0], [singles.size, others.size])
    maps = [fit_calibration(logits, labels, spread) for spread in SPREADS]
    asked = declared.shapes if training.left_out is None else declared.groups[training.left_out]
    for shape in asked:
        if training.has_seen(shape) != "no":
            continue
        with PatternSet.open(transfer.test_file(training, shape)) as patterns:
            truth = patterns.labels
        assert truth is not None  # we simulated it
        seen = transfer.cell(training, seed, shape).logits
        yield (
            shape,
            [expected_calibration_error(reliability(each.probabilities(seen), truth)).value for each in maps],
        )


def cells(errors: Errors) -> Iterator[str]:
    """Yield, for each spread, the mean error over shapes and the worst shape's."""
    for i in range(len(SPREADS)):
        of_shape = {shape: 100 * mean(found[i] for found in seeds) for shape, seeds in errors.items()}
        worst = max(of_shape, key=lambda shape: of_shape[shape])
        yield f"{mean(of_shape.values()):.1f} % ({worst} {of_shape[worst]:.1f} %)"


if __name__ == "__main__":
    main()
