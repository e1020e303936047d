"""All metrics between a simulated and a measured set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .angular import angular_distance
from .curve import median_difference
from .dispersion import dispersion_distance
from .features import thinned_features
from .frames import FrameSet, on_common_pixels, require_frames
from .friedel import DIM, Friedel, friedel_symmetry
from .fringes import fringe_visibility
from .kernel import kernel_distance, require_features
from .metric import Metric
from .noise import noise_distance
from .photons import histogram_distance, photon_histogram, total_counts
from .profile import profile_distance
from .thinning import common_total, thinned
from .two_sample import two_sample_test


def compare(
    simulated: FrameSet,
    measured: FrameSet,
    *,
    features: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
) -> dict[str, Metric]:
    """Say how alike simulated and measured frames are.

    Pixels good in both sets are compared, about each set's own centre: the median of those that
    `friedel_symmetry` finds. Photon histogram, dispersion and two-sample test see frames thinned to a
    common total; frames dimmer than that are left out there.

    Parameters
    ----------
    simulated, measured : FrameSet
        `MIN_FRAMES` frames with photons or more of either, of the same shape.
    features : ((n_simulated, d), (n_measured, d)), optional
        Features of a network for each frame, for `kid` and `two_sample_network`.
    seed : int
        The same gives the same.

    Returns
    -------
    metrics : dict of str to Metric
        `two_sample`, `radial_profile`, `fringe_visibility`, `photon_histogram`, `total_counts`, `friedel`,
        `angular_power`, `dispersion`, `counting_noise`, and with features `kid` and `two_sample_network`.

    Raises
    ------
    InputError
        If the sets cannot be compared; the sentence says why.
    """
    simulated, measured = on_common_pixels(simulated, measured)
    if features is not None:
        features = require_features(*features)
    totals = total_counts(simulated, measured)
    lit = simulated.lit(), measured.lit()
    for frames in lit:
        require_frames(frames)
    total = common_total(*lit)
    symmetries = friedel_symmetry(lit[0]), friedel_symmetry(lit[1])
    sets = _centred(lit[0], symmetries[0]), _centred(lit[1], symmetries[1])
    dimmed = thinned(sets[0], total, seed)[0], thinned(sets[1], total, seed + 1)[0]
    for frames in dimmed:
        require_frames(frames)
    rng = np.random.default_rng(seed)
    two_sample = two_sample_test(
        thinned_features(dimmed[0], seed), thinned_features(dimmed[1], seed + 1), seed
    )
    metrics = {
        "two_sample": Metric.around(
            two_sample.auc,
            0.5,
            "Area under the ROC curve of a logistic regression on nine numbers per frame, blind to "
            f"brightness; shuffled origins give {two_sample.chance[0]:.2f} to {two_sample.chance[1]:.2f}.",
        ),
        "radial_profile": Metric.distance(
            profile_distance(*sets, seed=seed), "Relative difference of the radial profiles, rms over rings."
        ),
        "fringe_visibility": Metric.around(
            median_difference(rng, fringe_visibility(sets[0], seed), fringe_visibility(sets[1], seed + 1)),
            0.0,
            "Median visibility of the fringes, simulated minus measured.",
        ),
        "photon_histogram": Metric.distance(
            histogram_distance(photon_histogram(dimmed[0], seed), photon_histogram(dimmed[1], seed + 1)),
            f"Hellinger distance of the histograms of photons per pixel, {total} photons of every frame.",
        ),
        "total_counts": Metric.distance(
            totals.statistic,
            "Largest difference of the cumulative distributions of photons per frame; medians "
            f"{totals.simulated[2]:.0f} and {totals.measured[2]:.0f}, Kolmogorov-Smirnov p = "
            f"{totals.p_value:.2g}.",
        ),
        "friedel": Metric.around(
            median_difference(rng, symmetries[0].asymmetry, symmetries[1].asymmetry),
            0.0,
            "Median asymmetry between +q and -q beyond Poisson noise, mean square of (a - b) / (a + b), "
            "simulated minus measured.",
        ),
        "angular_power": Metric.distance(
            angular_distance(*sets, seed=seed),
            "Relative difference of the angular power of orders 1 to 6, rms over orders and bands of rings.",
        ),
        "dispersion": Metric.distance(
            dispersion_distance(*dimmed, seed=seed),
            "Relative difference of variance over mean between frames, rms over rings, "
            f"{total} photons of every frame.",
        ),
        "counting_noise": Metric.distance(
            noise_distance(*lit, seed=seed),
            "Relative difference of variance over mean of neighbouring pixels, rms over brightness.",
        ),
    }
    if features is not None:
        network = two_sample_test(*features, seed=seed)
        metrics["kid"] = Metric.around(
            kernel_distance(*features),
            0.0,
            "Unbiased squared kernel distance (MMD²) of the network's features; grows with their scale.",
        )
        metrics["two_sample_network"] = Metric.around(
            network.auc,
            0.5,
            "Area under the ROC curve of a logistic regression on principal components of the network's "
            f"features; shuffled origins give {network.chance[0]:.2f} to {network.chance[1]:.2f}.",
        )
    return metrics


def _centred(frames: FrameSet, symmetry: Friedel) -> FrameSet:
    """Return frames about the centre that they show, or, where they are too dim to, about the given one."""
    if np.median(frames.counts[:, frames.good].sum(axis=1)) < DIM:
        return frames
    y, x = np.median(symmetry.centre_yx, axis=0)
    return replace(frames, centre_yx=(float(y), float(x)))
