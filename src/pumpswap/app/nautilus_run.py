"""A run in which NautilusTrader decides: our market, our books, our venue and our limits; no signals of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pumpswap.app.follow import swap_stream
from pumpswap.app.live_readiness import require_ready
from pumpswap.app.run import open_paper
from pumpswap.app.run_live import open_live
from pumpswap.app.run_market import MarketPlaces, fees_in_force, watched_pools
from pumpswap.app.run_order import RunOrder
from pumpswap.app.run_parts import MarketSide, ScoringSide
from pumpswap.app.run_screens import RunScreens
from pumpswap.app.run_sides import Connect, Head, Sides
from pumpswap.clock import SteadyClock, SystemClock
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed, FeedTools
from pumpswap.engine.feeds.errand import Errand
from pumpswap.engine.feeds.pool_swaps import PoolSwapFeed, PoolWatch
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.engine.feeds.states import StateFeed
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.health import Monitor
from pumpswap.engine.strategies.outside import Outside
from pumpswap.errors import ConfigError
from pumpswap.market.chain_feed import ChainFeed
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.trading_wallet import LimitedSigner
from pumpswap.settings import Settings, read_settings
from pumpswap.settings.reload import SettingsReload
from pumpswap.wallet import PasswordSources, WalletStore, default_keystore_path, unlock

__all__ = ["ChainEye", "OutsideRun", "chosen_settings", "open_outside"]

Mode = Literal["paper", "live"]
_SCREEN_SECONDS = 1


def chosen_settings(path: Path | None, mode: Mode) -> SettingsReload:
    """The settings of a node, and how they are read again when the file changes.

    On paper the mode of the file is left aside, but for ``analysis``: a settings file for live trading is tried with
    play money as it stands. Our own signals are off: another system decides. Raises ConfigError.
    """
    asked = read_settings(path).settings.run.mode
    section: dict[str, object] = {"signals": []}
    if mode == "paper" and asked != "analysis":
        section["mode"] = "paper"
    loaded = read_settings(path, run=section)
    return SettingsReload(loaded, lambda: read_settings(path, run=section), SystemClock())


@dataclass(frozen=True, slots=True)
class OutsideRun:
    """What is to be run. ``signer`` None: on paper. ``watch`` says which pools are heard."""

    settings: Settings
    signer: LimitedSigner | None
    watch: PoolWatch
    clock: SteadyClock

    @classmethod
    def of(
        cls, settings: Settings, mode: Mode, *, key: str | None = None, signer: LimitedSigner | None = None
    ) -> OutsideRun:
        """``key`` names a wallet, None the usual one; its password comes from where it always comes. ``signer`` is one
        that is unlocked already.

        Raises ConfigError naming everything that is missing, and KeyLocked.
        """
        clock = SteadyClock(SystemClock())  # one that is set back would keep every exit waiting
        if not settings.chain.endpoints:
            raise ConfigError(
                "no endpoint to ask for states of pools",
                hint="set chain.endpoints and chain.network; `pumpswap init` makes settings",
            )
        if mode == "paper":
            return cls(settings, None, PoolWatch(), clock)
        keystore = default_keystore_path(settings) if key is None else WalletStore.of(settings).path(key)
        if signer is None:
            require_ready(settings, keystore, is_live=True)
            expected = settings.wallet.public_key if key is None else None
            signer = unlock(keystore, PasswordSources().find, expected=expected)
        elif settings.run.mode not in ("approve", "auto"):
            raise ConfigError(
                f"the mode {settings.run.mode} orders nothing live", hint="set run.mode to approve, or auto"
            )
        return cls(settings, signer, PoolWatch(), clock)


@dataclass(frozen=True, slots=True)
class ChainEye:
    """The way to the chain. ``slots`` knows since when a slot is known: a node that stands still tells no news."""

    connection: ChainConnection
    slots: SlotTimes


@asynccontextmanager
async def open_outside(run: OutsideRun) -> AsyncIterator[tuple[Sides, ChainEye]]:
    """The sides of the run, and its way to the chain. The paper books are those of `pumpswap run`, the live ones those
    of the wallet: whoever runs beside it is refused by their locks.

    Raises what ``open_paper`` or ``open_live`` raise.
    """
    eyes: list[ChainEye] = []
    head = Head(lambda *given: _market(run, eyes, *given), _scoring)
    if run.signer is None:
        opened = open_paper(run.settings, RunOrder(), head, run.clock)
    else:
        opened = open_live(run.settings, run.signer, head, run.clock)
    async with opened as sides:
        yield sides, eyes[0]


async def _scoring(market: MarketSide, watch: WatchList) -> ScoringSide:
    return ScoringSide(None, None, [Outside()])


async def _market(
    run: OutsideRun, eyes: list[ChainEye], places: MarketPlaces, watch: WatchList, connect: Connect
) -> MarketSide:
    settings, clock = run.settings, run.clock
    connection = await connect()
    await connection.schedules.current()
    tools, slots = FeedTools(clock), SlotTimes(clock, settings.chain.stale_after_slots)
    eyes.append(ChainEye(connection, slots))
    watch.ask_for(lambda _: run.watch.pools)

    def feeds(engine: Engine) -> Sequence[Feed]:
        def stream(traded: Sequence[str]) -> ChainFeed:
            return swap_stream(connection, traded)

        states = StateFeed(
            connection, lambda: watched_pools(engine, watch, clock), settings.run.state_poll_ms, tools, slots
        )
        return [states, PoolSwapFeed(stream, run.watch, connection.reader, tools, slots)]

    book = places.book()
    screens = RunScreens(connection, book, lambda: run.watch.pools)
    helpers = [Errand("screens", _SCREEN_SECONDS, screens.look, tools)] if settings.risk.require_screen else []
    return MarketSide(
        f"{settings.chain.network} through {connection.node.name}, decided by NautilusTrader",
        book,
        fees_in_force(connection),
        feeds,
        clock,
        monitors=(_drift(connection), Monitor("slots", slots.obstacle)),
        screens=screens.report if helpers else None,
        helpers=helpers,
        watch=watch,
    )


def _drift(connection: ChainConnection) -> Monitor:
    return Monitor("program", lambda: "; ".join(connection.schedules.drift))
