"""Sight: what every view is made from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property

from pumpswap.app.books import Books
from pumpswap.app.control import beat_is_fresh
from pumpswap.clock import Clock
from pumpswap.model import Heartbeat
from pumpswap.settings import ExitRules, Settings
from pumpswap.storage.browse import Browse, PositionSums

__all__ = ["RunFacts", "Sight", "shown_name"]

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
        header = self.books.header
        return RunFacts(
            header.run_id, header.kind, self.books.network, header.started_ns, header.finished_ns, self.is_running
        )

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
