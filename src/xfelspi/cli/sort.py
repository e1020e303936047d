"""What `xfel score` and `xfel classify` share: options, loading a model, printing rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from xfelspi.classify import Model, Policy

ModelPath = Annotated[
    Path | None,
    typer.Option("--model", help="NAME.safetensors, from xfel train; by default the one in the package."),
]
MaxFpr = Annotated[
    float | None,
    typer.Option("--max-fpr", help="Share of clear multiples that may be kept, as in 0.001."),
]
Prior = Annotated[
    float | None,
    typer.Option(help="Share of single hits among all shots, as in 0.03; by default probabilities take 0.5."),
]
Abstain = Annotated[
    float | None,
    typer.Option(help="Leave undecided what would be wrong with more than this chance, as in 0.05."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC",
    "fnr": "false negatives",
    "fpr": "false positives",
    "fnr_at_1pct_fpr": "false negatives at 1 % false positives",
    "fpr_clear_at_1pct_fpr": "  which gave here, of clear multiples",
    "fpr_at_1pct_fpr": "  and of all others",
    "fnr_at_1pct_fpr_roc": "  read off these patterns' own curve",
    "fnr_at_0p1pct_fpr": "false negatives at 0.1 % false positives",
    "fpr_clear_at_0p1pct_fpr": "  which gave here, of clear multiples",
    "fpr_at_0p1pct_fpr": "  and of all others",
    "fnr_at_0p1pct_fpr_roc": "  read off these patterns' own curve",
    "accuracy_clear": "accuracy, singles and clear multiples",
    "fpr_clear": "false positives, clear multiples",
    "auc_clear": "AUC, clear multiples",
    "fnr_at_max_fpr": "false negatives at --max-fpr",
    "fpr_clear_at_max_fpr": "  which gave here, of clear multiples",
    "fpr_at_max_fpr": "  and of all others",
    "unsure": "unsure",
    "wrong_decided": "  wrong among the others",
    "kept_share": "kept, at --prior",
    "precision": "  single hits among these",
    "ece": "error of the probabilities",
    "strange": "strange frames",
}
"""Columns of a row, as people read them."""


def load(path: Path | None, policy: "Policy") -> "Model":
    """Read the model, and refuse at once what it does not support."""
    import numpy as np

    from xfelspi.classify import decide, default_model, load_model

    model = load_model(default_model() if path is None else path)
    decide(model, np.empty(0, np.float32), policy)
    return model


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Print rows of scores, a metric a line, as people read them."""
    for row in rows:
        shape = f"  {row['shape']}" if row["shape"] else ""
        typer.echo(f"\n{row['file']}{shape}: {row['n_single']} single, {row['n_other']} other")
        for name, words in METRICS.items():
            if row.get(name) is not None:
                if name.startswith("auc"):
                    low, high = row[f"{name}_ci"]
                    typer.echo(f"  {words:<42}{row[name]:9.4f}    {low:.4f} to {high:.4f}")
                else:
                    print_metric(words, row[name], row[f"{name}_ci"])


def print_metric(words: str, share: float, interval: tuple[float, float]) -> None:
    """Print a share with its interval, in percent."""
    low, high = interval
    value = f"{100 * share:7.2f} %"
    typer.echo(f"  {words:<42}{value}  {100 * low:.2f} to {100 * high:.2f} %")
