"""Processes that compute side by side what is asked for, in order, a bounded number ahead."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from xfelspi.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers(Generic[Job, Result]):
    """Worker processes, since drawing a shot holds Python's lock; they start with the first job.

    Parameters
    ----------
    work : callable
        Job -> result. Every worker keeps a copy, so a job need not carry tables along.
    n : int, optional
        Processes; by default one per core. Results do not depend on it.
    beside_torch : bool
        This process runs, or may run, threads of torch.
    """

    def __init__(
        self, work: Callable[[Job], Result], n: int | None = None, *, beside_torch: bool = False
    ) -> None:
        # Forked, workers share the tables at once. But a fork copies the locks that other threads hold,
        # and OpenMP hangs in the copy: beside torch's threads, workers are forked from a server without any.
        method = "spawn" if sys.platform != "linux" else "forkserver" if beside_torch else "fork"
        context: Any = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload([type(self).__module__.rpartition(".")[0]])
        self._n = n or cores()
        self._pool = ProcessPoolExecutor(self._n, mp_context=context, initializer=_start, initargs=(work,))

    def __call__(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Compute jobs side by side and yield results in order.

        Raises
        ------
        InputError
            If a worker was killed.
        """
        waiting: deque[Future[Result]] = deque()
        try:
            for job in jobs:
                waiting.append(self._pool.submit(_compute, job))
                if len(waiting) > 2 * self._n:  # a few ahead: memory does not grow with the jobs
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise InputError(
                "A worker process was killed, most likely for want of memory; free some and give the same "
                "command again: it goes on where it was."
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


_work: Callable[[Any], Any]
"""What a worker process does with a job."""


def _start(work: Callable[[Any], Any]) -> None:
    from threadpoolctl import threadpool_limits

    global _work
    _work = work
    threadpool_limits(1)  # a worker is one core: BLAS must not take the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # it was killed: do not stay behind


def _compute(job: Any) -> Any:
    return _work(job)
