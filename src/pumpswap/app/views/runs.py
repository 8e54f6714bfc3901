"""The runs of the database, each with its own books."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.app.control import running_runs
from pumpswap.app.views.sight import RunFacts, Sight, facts_of
from pumpswap.clock import Clock
from pumpswap.settings import Settings
from pumpswap.storage.database import Database

__all__ = ["Runs", "near_runs", "runs"]

_MOST = 500
_NEAR = 6


@dataclass(frozen=True, slots=True)
class Runs:
    """``rows``: the newest 500, the newest first, of ``total``."""

    total: int
    rows: tuple[RunFacts, ...]


def runs(database: Database, settings: Settings, clock: Clock) -> Runs:
    """Which there are, and which of them an engine keeps now."""
    running = {header.run_id for header in running_runs(database, settings, clock.now_ns())}
    headers = database.newest_runs(_MOST)
    rows = (facts_of(header, is_running=header.run_id in running) for header in headers)
    return Runs(database.count_runs(), tuple(rows))


def near_runs(sight: Sight) -> tuple[RunFacts, ...]:
    """Those that somebody may want to look at: the shown one, those that engines keep, the newest; the newest first."""
    found = {each.run_id: each for each in (sight.facts, *sight.others)}
    for header in sight.books.database.newest_runs(_NEAR):
        found.setdefault(header.run_id, facts_of(header, is_running=False))
    return tuple(found[run_id] for run_id in sorted(found, reverse=True))
