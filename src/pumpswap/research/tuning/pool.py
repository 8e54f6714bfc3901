"""Workers on this machine: this process, or several. Results come in the order of the chunks, whoever was first."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from pumpswap.errors import NotRunning
from pumpswap.research.tuning.trials import Chunk, RunnerFactory, TrialResult, TrialRunner

__all__ = ["InProcess", "Processes", "computed"]

_AHEAD = 2  # chunks that wait at each process, so that none is ever idle


class InProcess:
    """No other process: for tests, for small searches, and where there is one processor."""

    told = "1 process"

    def __init__(self, factory: RunnerFactory) -> None:
        self._factory = factory
        self._runner: TrialRunner | None = None

    def map(self, chunks: Iterable[Chunk]) -> Iterator[tuple[TrialResult, ...]]:
        if self._runner is None:
            self._runner = self._factory.open()
        for chunk in chunks:
            yield computed(self._runner, chunk)

    def close(self) -> None:
        self._runner = None


class Processes:
    """``count`` processes, started anew (spawn): none inherits a thread, a lock or a random state of this one.

    ``map`` raises NotRunning when one of them has been killed, or ran out of memory.
    """

    def __init__(self, factory: RunnerFactory, count: int) -> None:
        self.told = f"{count} processes"
        self._count = count
        self._pool = ProcessPoolExecutor(
            count, mp_context=get_context("spawn"), initializer=_begin, initargs=(factory,)
        )
        self._waiting: deque[Future[tuple[TrialResult, ...]]] = deque()

    def map(self, chunks: Iterable[Chunk]) -> Iterator[tuple[TrialResult, ...]]:
        waiting = self._waiting
        try:
            for chunk in chunks:
                waiting.append(self._pool.submit(_work, chunk))
                if len(waiting) >= self._count * _AHEAD:
                    yield self._first()
            while waiting:
                yield self._first()
        except BrokenProcessPool as error:
            raise NotRunning(
                "a process of the search has ended by itself",
                hint="most often it ran out of memory: fewer --jobs; --resume goes on where it was",
            ) from error

    def _first(self) -> tuple[TrialResult, ...]:
        found = self._waiting[0].result()
        self._waiting.popleft()
        return found

    def close(self) -> None:
        if self._waiting:  # interrupted: nobody will hear what they are computing, which may take long
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


def computed(runner: TrialRunner, chunk: Chunk) -> tuple[TrialResult, ...]:
    """The results of a chunk."""
    return tuple(runner.run(job.number, job.params, job.split) for job in chunk)


_runner: TrialRunner | None = None  # of this process; only ever set in one that was started to compute


def _begin(factory: RunnerFactory) -> None:
    global _runner
    # Ctrl-C reaches the whole group: the parent alone decides, keeps what has come and ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _runner = factory.open()


def _work(chunk: Chunk) -> tuple[TrialResult, ...]:
    if _runner is None:
        raise RuntimeError("a worker that was never begun")
    return computed(_runner, chunk)
