"""StrategyMemory: what a strategy leaves with the run, for its next start, for reports, and for the run itself."""

from __future__ import annotations

import logging

from pumpswap.errors import StorageError
from pumpswap.model import Intent
from pumpswap.nautilus.statistics import MEMORY, STATISTICS, Q50Statistics
from pumpswap.nautilus.venue_facts import VenueFacts
from pumpswap.signals.q50_policy import Q50Policy

__all__ = ["StrategyMemory"]

_log = logging.getLogger(__name__)


class StrategyMemory:
    """``venue`` None: there is nobody who would keep it. ``strategy`` is Nautilus' id of the strategy."""

    def __init__(self, venue: VenueFacts | None, strategy: str) -> None:
        self._venue = venue
        self._strategy = strategy

    def recall(self, policy: Q50Policy) -> Q50Statistics | None:
        """Put into ``policy`` what an earlier process knew; its counts, None where there are none. Raises BadInput."""
        known = None if self._venue is None else self._venue.load(f"{MEMORY}/{self._strategy}")
        if known is None or self._venue is None:
            return None
        counts = self._venue.load(f"{STATISTICS}/{self._strategy}")
        found = None if counts is None else Q50Statistics.of_json(counts)
        policy.restore(known)
        policy.warm_up_again()
        return found

    def keep(self, policy: Q50Policy) -> None:
        """Which rows were traded. Books that cannot be written now are a fault of the run already, which lifts itself;
        the strategy is not broken by it, and keeps it the next time.
        """
        if self._venue is not None:
            try:
                self._venue.save(f"{MEMORY}/{self._strategy}", policy.state())
            except StorageError as failed:
                _log.warning("nautilus-strategy-not-kept", extra={"strategy": self._strategy, "reason": failed.what})

    def count(self, statistics: Q50Statistics, at_ns: int) -> None:
        """The counts so far, for reports."""
        if self._venue is not None:
            self._venue.save(f"{STATISTICS}/{self._strategy}", {"at_ns": str(at_ns), **statistics.to_json()})

    def broken(self, error: str) -> None:
        """The strategy has failed: nothing is bought until a person resumes, and somebody is told."""
        if self._venue is not None:
            self._venue.fault(self._strategy, error)

    def is_resumed(self) -> bool:
        """Whether a person has resumed since ``broken``."""
        return self._venue is not None and not self._venue.is_faulty(self._strategy)

    def hindered(self, obstacle: str) -> None:
        """What keeps the strategy from deciding, empty for nothing: entries stop as long as there is something."""
        if self._venue is not None:
            self._venue.hinder(self._strategy, obstacle)

    def analysed(self, intent: Intent, why: str) -> None:
        """A wish that is not ordered: decided and stored like any other, and refused for that."""
        if self._venue is not None:
            self._venue.analyse(intent, why)
