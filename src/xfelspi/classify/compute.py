"""Where and how exactly to compute, found out by trying."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD = 4  # jobs for each core that wait their turn: enough that none is idle


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device() -> torch.device:
    """Choose the first GPU, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def gpu_name() -> str | None:
    """Return what the GPU in use calls itself, None without one."""
    return torch.cuda.get_device_name(0) if device().type == "cuda" else None


def ordered(pool: ThreadPoolExecutor, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """Yield what comes of jobs in their order, like `pool.map`, but with few in the pool at a time."""
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > _AHEAD * cores():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


_chosen: dict[Hashable, torch.dtype] = {}  # by the kind of work
_NARROW = ("NO AVX", "AVX2")  # what torch calls processors whose vectors are short of 512 bits


def fastest(kind: Hashable, work: Callable[[torch.dtype], object], tries: int = 3) -> torch.dtype:
    """Choose between float32 and bfloat16 by doing some work in both, once for each kind of work.

    Which one wins depends on the processor: bfloat16 is three to ten times faster with AMX or a GPU, twice
    with AVX-512 BF16, and slower where it is emulated: so slow without AVX-512 that not even the trial pays.
    """
    if device().type == "cpu" and torch.backends.cpu.get_cpu_capability() in _NARROW:
        return torch.float32
    if kind in _chosen:
        return _chosen[kind]
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        work(dtype)  # the first call compiles kernels
        seconds[dtype] = min(_seconds(work, dtype) for _ in range(tries))
    _chosen[kind] = min(seconds, key=lambda dtype: seconds[dtype])
    return _chosen[kind]


def _seconds(work: Callable[[torch.dtype], object], dtype: torch.dtype) -> float:
    start = time.perf_counter()
    work(dtype)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
