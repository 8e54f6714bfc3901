"""BaseChronicle: what every chronicle knows of itself after one pass over its steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pumpswap.amm import schedule_at
from pumpswap.errors import UsageError
from pumpswap.research.chronicle.identity import IdentityDigest
from pumpswap.research.chronicle.step import ChronicleIdentity, Range, ScheduleFor, Step, StepTimes
from pumpswap.research.chronicle.window import Window

__all__ = ["BaseChronicle"]


@dataclass(frozen=True, slots=True)
class _Survey:
    identity: ChronicleIdentity
    counts: dict[str, int]
    span_ns: Range


def _nothing(_: Step) -> None:
    pass


class BaseChronicle(ABC):
    """``_weave`` makes the steps, of the window or more, and counts in ``tally`` what it had to infer. Steps are made
    anew at every call; what only a whole pass can tell is found by one, the first time it is asked for.
    """

    def __init__(
        self,
        location: str,
        source: Mapping[str, str],
        slots: StepTimes,
        schedule_for: ScheduleFor = schedule_at,
        window: Window | None = None,
    ) -> None:
        self.location = location
        self.slots: StepTimes = slots
        self.schedule_for = schedule_for
        self.window = window or Window()
        self._surveyed: _Survey | None = None
        self._source = dict(source)

    @abstractmethod
    def _weave(self, tally: Counter[str]) -> Iterator[Step]: ...

    @property
    @abstractmethod
    def assumptions(self) -> tuple[str, ...]:
        """Sentences for reports."""

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """By pool, when nothing can have happened that is not in here."""
        return {}

    def steps(self) -> Iterator[Step]:
        """Every step in its order, the same at every call."""
        return self._in_window(Counter())

    def _in_window(self, tally: Counter[str]) -> Iterator[Step]:
        return self.window.of(self._weave(tally), self.slots, tally)

    @property
    def identity(self) -> ChronicleIdentity:
        """The digest of all steps, and where they came from."""
        return self._known().identity

    @property
    def counts(self) -> Mapping[str, int]:
        """Steps, swaps, snapshots, acts by their class, exactness, and what was inferred, by name."""
        return self._known().counts

    @property
    def span_ns(self) -> Range:
        """Times of the first and the last step; (0, 0) when there is none."""
        return self._known().span_ns

    def survey(self, also: Callable[[Step], None] = _nothing) -> None:
        """Pass over all steps once, and remember what only that tells; ``also`` is given every step on the way."""
        digest, tally = IdentityDigest(), Counter[str]()
        first_ns = last_ns = 0
        for step in self._in_window(tally):
            first_ns = first_ns or step.at_ns
            last_ns = step.at_ns
            digest.add(step)
            tally["swaps"] += step.swap is not None
            tally["snapshots"] += step.snapshot is not None
            if step.act is not None:
                tally[type(step.act).__name__] += 1
                tally[step.exactness.value] += 1
            also(step)
        tally["steps"], tally["pools"] = digest.steps, digest.pools
        identity = ChronicleIdentity(digest.hexdigest(), digest.steps, digest.pools, self._source)
        counts = {name: tally[name] for name in sorted(tally) if tally[name]}
        self._surveyed = _Survey(identity, counts, (first_ns, last_ns))

    def _known(self) -> _Survey:
        if self._surveyed is None:
            self.survey()
        if self._surveyed is None:
            raise UsageError("a chronicle that surveyed nothing", hint="survey() must not be overridden")
        return self._surveyed
