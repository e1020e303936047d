"""What a fidelity study found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .concordance import Share
from .declaration import Declaration
from .ladder import Variant
from .provenance import Provenance
from .reference import Reference


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """One recipe, all its seeds.

    Attributes
    ----------
    variant : Variant
        The recipe.
    simulated, judged : dict
        Scores on simulated patterns of its own recipe, and on the reference; see `over_seeds`.
    metrics : dict of str to dict
        Its simulated singles beside the reference's: value, low, high, ideal, better, meaning.
    refused : str or None
        Why there are no metrics, where there are none.
    logits : (seeds, n) float64
        Of the reference's frames, above each model's threshold.
    trained : list of dict
        Of each seed: identity of the model, seconds, patterns.
    """

    variant: Variant
    simulated: dict[str, Any]
    judged: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    refused: str | None
    logits: np.ndarray
    trained: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        plain = {
            name: getattr(self, name) for name in ("simulated", "judged", "metrics", "refused", "trained")
        }
        return asdict(self.variant) | plain | {"logits": self.logits.tolist()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """A whole study.

    Attributes
    ----------
    declared : Declaration
        What was declared before the run.
    reference : Reference
        What simulation was judged by.
    rungs, left_out : list of Finding
        The ladder from the bottom, and the full recipe less each term.
    gains : list of Share
        AUC of each rung above the first minus that of the rung below, shot by shot.
    losses : list of Share
        AUC of the full recipe minus that without the term.
    brightness : dict
        See `concordance.brightness`.
    looks : list of dict
        Every look at this measured set so far; none for a stand-in.
    made : Provenance
        How, where and with what.
    """

    declared: Declaration
    reference: Reference
    rungs: list[Finding]
    left_out: list[Finding]
    gains: list[Share]
    losses: list[Share]
    brightness: dict[str, Any]
    looks: list[dict[str, Any]]
    made: Provenance

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        reference = self.reference
        return {
            **asdict(self.made),
            "declared": self.declared.as_dict(),
            "reference": {
                "kind": reference.kind,
                "file": reference.path.name,
                "frames_sha256": reference.frames_sha256,
                "labels": reference.known.tolist(),
                "counts": reference.counts.tolist(),
            },
            "rungs": [finding.as_dict() for finding in self.rungs],
            "left_out": [finding.as_dict() for finding in self.left_out],
            "gains": self.gains,
            "losses": self.losses,
            "brightness": self.brightness,
            "looks": self.looks,
        }
