"""The table of a fidelity study for the docs, from the study.json that it left."""

import argparse
import json
from pathlib import Path
from typing import Any

from .page import publish

HEAD = """\
| rung | seeds | AUC, simulated | AUC, measured | balanced accuracy | two-sample | two-sample, network | radial profile |
|---|---|---|---|---|---|---|---|"""  # noqa: E501


def row(finding: dict[str, Any]) -> str:
    """One recipe of the study, with the 95 % intervals of the choice of shots."""
    judged, metrics = finding["judged"], finding["metrics"]
    cells = [finding["name"], str(len(finding["trained"])), f"{finding['simulated']['auc'][0]:.3f}"]
    for name in ("auc", "balanced_accuracy"):
        value, low, high = judged[name]
        cells.append(f"{value:.2f} ({low:.2f}–{high:.2f})")
    for name in ("two_sample", "two_sample_network"):
        metric = metrics[name]
        cells.append(f"{metric['value']:.2f} ({metric['low']:.2f}–{metric['high']:.2f})")
    cells.append(f"{metrics['radial_profile']['value']:.2f}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="study.json of xfel study fidelity")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page to bring up to date")
    asked = parser.parse_args()
    found = json.loads(asked.study.read_text("utf-8"))
    software = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    rows = [row(finding) for finding in [*found["rungs"], *found["left_out"]]]
    where = f"{found['machine']}; {software}. Looks at the set so far: {len(found['looks'])}."
    publish("fidelity", "\n".join([HEAD, *rows, "", where]), asked.write)


if __name__ == "__main__":
    main()
