"""How far a frame is from those that the network learned from, as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FAMILIAR = 0.99
"""Share of the frames held out from the training that count as familiar."""

_RIDGE = 1e-3  # of the mean variance: channels that never light up have none, and bfloat16 has noise


@dataclass(frozen=True, kw_only=True, eq=False)
class Familiarity:
    """The training's features as a normal distribution, and how far from its middle is too far.

    Mahalanobis' distance (1936, Proc. Natl. Inst. Sci. India 2, 49) as a test of what a network was
    made for: Lee et al. 2018, NeurIPS 31.

    Attributes
    ----------
    mean : (c,) float32
        Of the features.
    whitening : (c, c) float32
        Makes their covariance one; features are rows.
    limit : float
        The distance that a share `FAMILIAR` of the held-out frames does not exceed.
    """

    mean: np.ndarray
    whitening: np.ndarray
    limit: float

    def __post_init__(self) -> None:
        if self.whitening.shape != (self.mean.size, self.mean.size):
            raise ValueError("the whitening of features does not fit their mean")
        if not 0 < self.limit < np.inf:
            raise ValueError(f"the limit of what is familiar is {self.limit}")

    def ood(self, features: np.ndarray) -> np.ndarray:
        """Return each row's distance over the limit, (n,) float32; above 1 is out of distribution."""
        return _distances(features, self.mean, self.whitening) / np.float32(self.limit)


def fit_familiarity(learned: np.ndarray, held: np.ndarray) -> Familiarity:
    """Describe the features of frames that were learned from; those of frames held out set the limit.

    Parameters
    ----------
    learned, held : (n, c), (k, c) float32
        Each channel averaged over the image.
    """
    mean = learned.mean(0)
    covariance = np.cov(learned.astype(float), rowvar=False)
    ridge = _RIDGE * np.trace(covariance) / len(covariance) + np.finfo(np.float32).tiny
    variances, directions = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
    whitening = (directions / np.sqrt(variances)).astype(np.float32)
    limit = float(np.quantile(_distances(held, mean, whitening), FAMILIAR))
    return Familiarity(mean=mean, whitening=whitening, limit=limit)


def _distances(features: np.ndarray, mean: np.ndarray, whitening: np.ndarray) -> np.ndarray:
    return np.linalg.norm((features - mean) @ whitening, axis=1).astype(np.float32)
