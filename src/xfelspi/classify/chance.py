"""Chance in a training: it follows from the seed and from where the training stands alone."""

import numpy as np
import torch


def chance(seed: int, *where: int) -> torch.Generator:
    """Return a generator at its start, so that there is no state of it to keep.

    Parameters
    ----------
    seed : int
        Of the training.
    *where : int
        Epoch, step and part, as far as they matter.
    """
    (word,) = np.random.SeedSequence((seed, *where)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(word >> 1))
