"""Sight: what every view is made from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property

from pumpswap.app.books import Books
from pumpswap.app.control import beat_is_fresh, running_runs
from pumpswap.chain.networks import network_of
from pumpswap.clock import Clock
from pumpswap.model import Heartbeat
from pumpswap.settings import ExitRules, Settings
from pumpswap.storage.browse import Browse, PositionSums
from pumpswap.storage.run_header import RunHeader

__all__ = ["RunFacts", "Sight", "facts_of", "shown_name"]

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Which run a page is about. ``network``: ``mainnet``, ``devnet``, ``localnet``; None for what was on no chain."""

    run_id: int
    kind: str
    network: str | None
    started_ns: int
    finished_ns: int | None
    is_running: bool


def facts_of(header: RunHeader, *, is_running: bool) -> RunFacts:
    """Of a run by its header."""
    network = None if header.network is None else network_of(header.network)
    return RunFacts(header.run_id, header.kind, network, header.started_ns, header.finished_ns, is_running)


@dataclass(frozen=True)
class Sight:
    """The books of one run as they are seen now: what is asked twice of one Sight is read once."""

    books: Books
    settings: Settings
    clock: Clock

    @cached_property
    def as_of_ns(self) -> int:
        """The moment of the market that is shown."""
        return self.books.as_of_ns(self.clock)

    @cached_property
    def browse(self) -> Browse:
        """Lists of the run."""
        return self.books.database.browse(self.books.run.run_id)

    @cached_property
    def rules(self) -> ExitRules:
        """The exits in force."""
        return self.books.exit_rules(self.settings)

    @cached_property
    def heartbeat(self) -> Heartbeat | None:
        """The engine's last word about itself."""
        return self.books.run.states.heartbeat()

    @cached_property
    def is_running(self) -> bool:
        """Whether an engine keeps this run now."""
        is_fresh = beat_is_fresh(self.heartbeat, self.settings, self.clock.now_ns())
        return self.books.header.finished_ns is None and is_fresh

    @cached_property
    def facts(self) -> RunFacts:
        """Which run it is."""
        return facts_of(self.books.header, is_running=self.is_running)

    @cached_property
    def others(self) -> tuple[RunFacts, ...]:
        """The other runs that engines keep now, whatever is shown: there may be one with money, and one without."""
        found = running_runs(self.books.database, self.settings, self.clock.now_ns())
        return tuple(facts_of(each, is_running=True) for each in found if each.run_id != self.books.header.run_id)

    @cached_property
    def sums(self) -> PositionSums:
        """Over all rounds; every page says something of them."""
        return self.browse.position_sums()

    def names(self, pools: set[str]) -> dict[str, str]:
        """What the coins of these pools are called, where a position tells it."""
        return {pool: shown_name(name) for pool, name in self.browse.names(pools).items()}


def shown_name(name: str) -> str:
    """A name on one line, without anything that steers a terminal or turns the text round: such characters are shown
    by their numbers. Cut where it is longer than a name should be.
    """
    text = "".join(each if _is_plain(each) else f"\\u{ord(each):04x}" for each in name.strip())
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"


def _is_plain(each: str) -> bool:
    # Marks that combine are letters of many scripts, and a tower of them covers the lines above.
    return each.isprintable() and unicodedata.category(each) not in ("Mn", "Me")
