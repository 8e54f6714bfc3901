"""Companions: those who look on while an engine runs: alerts, reports, metrics, what refused buys would have earned.

None of them can stop the engine or hold it up: observers only note, and what takes time is done by helpers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pumpswap.clock import Clock
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.model import Heartbeat, RunObserver
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["Companions", "RunPlace"]


@dataclass(frozen=True, slots=True)
class Companions:
    """``observers`` hear what the engine tells, after those who store it; ``helpers`` run beside it like feeds, and
    entries do not depend on them; ``on_beats`` hear every heartbeat; ``on_ends`` are waited for when the engine has
    ended, in order or not, and everything is stored. ``on_stops`` are called before that, when it has ended in order:
    what they tell is stored and sent. ``on_untold`` get what ended the engine where the database does not take that.
    """

    observers: Sequence[RunObserver] = ()
    helpers: Sequence[Feed] = ()
    on_beats: Sequence[Callable[[Heartbeat], None]] = ()
    on_ends: Sequence[Callable[[], Awaitable[None]]] = ()
    on_stops: Sequence[Callable[[], None]] = ()
    on_untold: Sequence[Callable[[str], Awaitable[None]]] = ()


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where they look on. ``wall`` is the machine's time; that of the market is the engine's. ``also`` does something
    in the transaction that stores what the engine has told up to now, alerts too. ``is_played``: the market has a time
    of its own. ``watch`` chooses the pools that are read, where not all of them are heard. ``alerts_before`` is the
    newest alert of before this process, where it has told something already.
    """

    settings: Settings
    database: Database
    run: Run
    engine: Engine
    wall: Clock
    also: Callable[[Callable[[], object]], None]
    is_played: bool = False
    watch: WatchList | None = None
    alerts_before: int | None = None
