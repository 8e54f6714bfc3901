"""The runs of the database, each with its own books."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.app.control import beat_is_fresh
from pumpswap.app.views.sight import RunFacts
from pumpswap.chain.networks import network_of
from pumpswap.clock import Clock
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run_header import RunHeader

__all__ = ["Runs", "runs"]

_MOST = 500


@dataclass(frozen=True, slots=True)
class Runs:
    """``rows``: the newest 500, the newest first, of ``total``."""

    total: int
    rows: tuple[RunFacts, ...]


def runs(database: Database, settings: Settings, clock: Clock) -> Runs:
    """Which there are, and which of them an engine keeps now."""
    headers, now_ns = database.runs(), clock.now_ns()

    def facts(header: RunHeader) -> RunFacts:
        is_running = header.finished_ns is None and beat_is_fresh(
            database.run(header.run_id).states.heartbeat(), settings, now_ns
        )
        network = None if header.network is None else network_of(header.network)
        return RunFacts(header.run_id, header.kind, network, header.started_ns, header.finished_ns, is_running)

    return Runs(len(headers), tuple(facts(header) for header in headers[::-1][:_MOST]))
