"""Which numbers a network computes with here: found by trying, since processors differ threefold."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import torch

from .framing import MASKED
from .model import Architecture, Classifier

CANDIDATES = (torch.float32, torch.bfloat16)


def device_of_choice() -> torch.device:
    """Return the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(dtype: torch.dtype, device: torch.device) -> AbstractContextManager:
    """Return the context in which a network computes with `dtype`; its weights stay float32."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def fastest_precision(architecture: Architecture, device: torch.device) -> torch.dtype:
    """Time a few steps of training in each candidate and return the fastest.

    Speed alone decides: weights, loss and optimizer stay in single precision, and the tests hold the
    difference of the logits to what a photon more or less does.
    """
    with torch.random.fork_rng():
        classifier = Classifier(architecture).to(device)
        frames = torch.rand(32, architecture.frame.size, architecture.frame.size, device=device) * 4.0
        frames[:, :2] = MASKED
        taken: dict[torch.dtype, float] = {}
        for dtype in CANDIDATES:
            for _ in range(3):  # the first prepares memory and kernels
                start = time.perf_counter()
                with autocast(dtype, device):
                    loss = classifier(frames).float().square().mean()
                loss.backward()
                if device.type == "cuda":
                    torch.cuda.synchronize()
                taken[dtype] = min(taken.get(dtype, float("inf")), time.perf_counter() - start)
    return min(CANDIDATES, key=lambda dtype: taken[dtype])
