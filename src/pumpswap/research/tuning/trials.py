"""What a sweep is made of: jobs, trials, and the two protocols between which runners and workers are exchanged.

A ``TrialRunner`` knows a history and turns (params, split) into a ``TrialResult``; the engine is one, the kernel
another. ``Workers`` spread chunks of jobs over processes or machines. Neither knows the other: results do not depend on
who computed them, nor on how many there were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

__all__ = [
    "Chunk",
    "Job",
    "Params",
    "Round",
    "RunnerFactory",
    "Split",
    "TrialResult",
    "TrialRunner",
    "Window",
    "Workers",
    "chunks_of",
]

Params = tuple[tuple[str, str], ...]  # (dotted key of a setting, its value as text), in the order of the space


class Window(msgspec.Struct, frozen=True, gc=False):
    """A stretch of time: from ``since_ns``, up to but without ``until_ns``."""

    since_ns: int
    until_ns: int

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.until_ns - self.since_ns

    def holds(self, at_ns: int) -> bool:
        """Whether a moment is in it."""
        return self.since_ns <= at_ns < self.until_ns


class Split(msgspec.Struct, frozen=True):
    """The part of history that a trial trades in.

    ``window`` is where it may enter; it starts there with cash alone. ``warm_ns``: how much of what came before is
    replayed first without entries, so that strategies know what they would have known. At the window's end what is
    held is valued as if sold, exactly.
    """

    window: Window
    warm_ns: int = 0
    role: str = "whole"  # whole | test

    @property
    def replay_since_ns(self) -> int:
        """Where the replay begins."""
        return self.window.since_ns - self.warm_ns


class Round(msgspec.Struct, frozen=True, gc=False):
    """One round of a trial, or what an order that failed has cost.

    ``net_lamports``: gain of a closed round; of an open one its value at the end over its cost; of a failed order the
    costs, negative. They sum up to the trial's ``net_lamports``.
    """

    pool: str
    opened_ns: int
    closed_ns: int  # of an open one: the end of the window
    cost_lamports: int  # what was put in; of a failed order 0
    net_lamports: int
    kind: str = "closed"  # closed | open | failed


class TrialResult(msgspec.Struct, frozen=True):
    """What one set of params has brought in one split. Integers; nothing here depends on a clock or a machine.

    ``equity`` is measured at the window's start, then every ``period_seconds``, and at its end.
    """

    number: int
    params: Params
    split: Split
    start_lamports: int
    net_lamports: int
    fills: int
    failed: int
    max_drawdown_lamports: int
    period_seconds: int
    equity: tuple[int, ...]
    rounds: tuple[Round, ...]
    path: str = "engine"  # engine | kernel: who has computed it
    handed_over: str = ""  # why the kernel left it to the engine


class Job(msgspec.Struct, frozen=True):
    """One trial that is to be run. ``number`` is its place in the sweep."""

    number: int
    params: Params
    split: Split


Chunk = tuple[Job, ...]


class TrialRunner(Protocol):
    """Computes trials on one history. Deterministic: the same job gives an equal result, whatever ran before."""

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        """One trial. Raises ConfigError for params that the settings refuse."""
        ...


class RunnerFactory(Protocol):
    """How a worker makes its runner: small, and can be pickled; the history itself is opened by the worker."""

    def open(self) -> TrialRunner:
        """A runner of its own. Called once in each worker."""
        ...


class Workers(Protocol):
    """Those who do the work."""

    @property
    def told(self) -> str:
        """Who they are, for people: ``2 processes``."""
        ...

    def map(self, chunks: Iterable[Chunk]) -> Iterator[tuple[TrialResult, ...]]:
        """The results of each chunk, in the order of the chunks. An error of a trial is raised here."""
        ...

    def close(self) -> None:
        """Send them home."""
        ...


def chunks_of(jobs: Sequence[Job], size: int) -> list[Chunk]:
    """Chunks of a fixed size: it must not depend on how many workers there are."""
    return [tuple(jobs[start : start + size]) for start in range(0, len(jobs), size)]
