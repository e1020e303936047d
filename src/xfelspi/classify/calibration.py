"""From a logit to the probability of being single."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHAPE_SPREAD = 0.1
"""How far the logits of one shape lie from those of another, as a standard deviation; the unit is what lies
between the median logits of singles and of all others.

The map is meant for shapes that the network never saw, and the patterns held out from a training are of those
it did see.
"""

_CELL = 0.05  # logits are counted in cells of this width: what the fit costs does not grow with n
_NODES = 9
_START = np.array([0.0, 0.0, -4.0, -4.0])
_WIDTH = np.array([1.0, 5.0, 5.0, 5.0])  # of a weak prior around it, which weighs as much as one pattern


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Probability of being single where half of all shots are: low + (high - low) s(slope l + offset).

    s is the logistic function, l the logit; low and high are the bounds. With bounds of 0 and 1 this is
    Platt's map (1999, Advances in Large Margin Classifiers, p. 61). They keep it honest where few shots are
    singles: a multiple whose particles lie on top of each other looks like a single to everybody, so there
    is a certainty that no logit can exceed.

    Attributes
    ----------
    slope, offset : float
        Of the log-odds between the bounds.
    lowest, highest : float
        Probabilities that are never passed.
    """

    slope: float
    offset: float
    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not (0 < self.slope < np.inf and np.isfinite(self.offset)):
            raise ValueError(f"slope {self.slope} and offset {self.offset} make no map")
        if not 0 <= self.lowest < self.highest <= 1:
            raise ValueError(f"there is no probability between {self.lowest} and {self.highest}")

    def probabilities(self, logits: np.ndarray, prior: float = 0.5) -> np.ndarray:
        """Return the probability of being single, (n,) float64, where a share `prior` of all shots is.

        Log-odds move by those of the prior: the network and the map were fitted with both classes weighing
        the same. A logit of -inf, of a frame that holds nothing or was not looked at, is certain: 0.

        Examples
        --------
        >>> plain = Calibration(slope=1.0, offset=0.0, lowest=0.0, highest=1.0)
        >>> plain.probabilities(np.array([0.0, np.log(9.0)]), prior=0.1).round(3).tolist()
        [0.1, 0.5]
        """
        from scipy.special import expit

        logits = np.asarray(logits, float)
        at_half = self.lowest + (self.highest - self.lowest) * expit(self.slope * logits + self.offset)
        at_half = np.where(np.isneginf(logits), 0.0, at_half)
        with np.errstate(divide="ignore"):  # rises even where rounded: each step is one operation
            return 1 / (1 + (1 - prior) / prior * ((1 - at_half) / at_half))


def fit_calibration(logits: np.ndarray, labels: np.ndarray, spread: float = SHAPE_SPREAD) -> Calibration:
    """Find the map under which held-out labels are likeliest, both classes weighing the same.

    Labels are softened as Platt does, by one pattern of each class that was not seen, so that classes apart
    do not make certainties.

    Parameters
    ----------
    logits : (n,) float
        Of patterns that the network did not learn from.
    labels : (n,) int
        1 single, 0 not; there must be both.
    spread : float
        Every logit is taken as a normal distribution of this width, in units of what lies between the
        classes' medians, as those of another shape might be. 0 if the patterns are of shapes that the network
        never saw.
    """
    from scipy.optimize import minimize

    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    width = spread * abs(np.median(logits[labels == 1]) - np.median(logits[labels == 0]))
    cells, losses = [], []
    for label in (1, 0):
        of_class = logits[labels == label].astype(float)
        centres, counts = np.unique(np.round(of_class / _CELL), return_counts=True)
        target = (of_class.size + 1) / (of_class.size + 2)
        cells.append((centres[:, None] * _CELL + width * nodes).ravel())
        share = np.outer(counts / counts.sum(), weights / weights.sum()).ravel() / 2
        losses.append((share, target if label == 1 else 1 - target))

    def loss(parameters: np.ndarray) -> float:
        calibration = _calibration(parameters)
        total = float((((parameters - _START) / _WIDTH) ** 2).sum()) / (2 * logits.size)
        for at, (share, target) in zip(cells, losses, strict=True):
            p = np.clip(calibration.probabilities(at), 1e-12, 1 - 1e-12)
            total -= float(share @ (target * np.log(p) + (1 - target) * np.log1p(-p)))
        return total

    found = minimize(
        loss, _START, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-4, "fatol": 1e-9}
    )
    return _calibration(found.x)


def _calibration(parameters: np.ndarray) -> Calibration:
    """Any four numbers -> a map; the bounds stay on their side of one half."""
    from scipy.special import expit

    log_slope, offset, low, high = parameters
    return Calibration(
        slope=float(np.exp(np.clip(log_slope, -10, 10))),
        offset=float(offset),
        lowest=float(expit(low) / 2),
        highest=float(1 - expit(high) / 2),
    )
