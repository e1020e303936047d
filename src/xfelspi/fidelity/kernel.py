"""Kernel distance (KID) of two sets of feature vectors."""

from __future__ import annotations

import numpy as np

from xfelspi.errors import InputError

from .curve import Estimate
from .frames import MIN_FRAMES


def kernel_distance(simulated: np.ndarray, measured: np.ndarray) -> Estimate:
    """Unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³.

    MMD² = mean of k(x, x') + mean of k(y, y') - 2 mean of k(x, y), x ≠ x' and y ≠ y': its mean is 0 for
    any n if both sets come from one distribution, so it is negative half of the time.

    The interval is value ± t · error, with the error of a jackknife that leaves out one frame of either set
    at a time, and Student's t for the smaller set. A bootstrap would draw frames twice, and each pair of
    equals would add k(x, x). Where the sets do not differ the jackknife's error is too large, by up
    to √2: the interval is wide rather than narrow.

    Parameters
    ----------
    simulated, measured : (n, d), (m, d)
        Features of a network, of both sets alike.

    Returns
    -------
    estimate : Estimate
        Grows with the cube of the features' scale: compare values of one network only.

    Raises
    ------
    InputError
        If the features do not fit each other, are not finite, or there are too few frames.

    References
    ----------
    Bińkowski et al. (2018), ICLR, arXiv:1801.01401; Gretton et al. (2012), J. Mach. Learn. Res. 13, 723,
    lemma 6; Arvesen (1969), Ann. Math. Stat. 40, 2076, for the jackknife of two samples.
    """
    from scipy.stats import t

    x, y = require_features(simulated, measured)
    n, m = len(x), len(y)
    of_x, of_y, across = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    np.fill_diagonal(of_x, 0)
    np.fill_diagonal(of_y, 0)
    sums = of_x.sum(), of_y.sum(), across.sum()

    def distance(sums: tuple, n: int, m: int) -> np.ndarray:
        return sums[0] / (n * (n - 1)) + sums[1] / (m * (m - 1)) - 2 * sums[2] / (n * m)

    value = float(distance(sums, n, m))
    without_x = distance((sums[0] - 2 * of_x.sum(axis=1), sums[1], sums[2] - across.sum(axis=1)), n - 1, m)
    without_y = distance((sums[0], sums[1] - 2 * of_y.sum(axis=1), sums[2] - across.sum(axis=0)), n, m - 1)
    variance = (n - 1) * without_x.var() + (m - 1) * without_y.var()
    half = float(t.ppf(0.975, min(n, m) - 1) * np.sqrt(variance))
    return Estimate(value, value - half, value + half)


def require_features(simulated: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64 if they can be compared.

    Raises
    ------
    InputError
        If they are not (n, d) and (m, d), hold NaN or infinity, or n or m is below `MIN_FRAMES`.
    """
    x, y = np.asarray(simulated, np.float64), np.asarray(measured, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or x.shape[1] == 0:
        raise InputError(f"Features have shapes {x.shape} and {y.shape}; (n, d) and (m, d) are needed.")
    if min(len(x), len(y)) < MIN_FRAMES:
        raise InputError(f"Features of {len(x)} and {len(y)} frames; {MIN_FRAMES} of either are needed.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("Features hold NaN or infinite values; all must be finite.")
    return x, y


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3
