"""Sides: a run that is opened and has not begun; Head: who decides in it. `pumpswap run` and other systems use both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from pumpswap.app.follow import FollowDesk
from pumpswap.app.run_market import MarketPlaces, chain_market
from pumpswap.app.run_order import BegunRun
from pumpswap.app.run_parts import MarketSide, ScoringSide, TradingSide
from pumpswap.app.run_scoring import open_scoring
from pumpswap.app.run_tally import RunTally
from pumpswap.clock import Clock
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.trading_wallet import TradingWallet
from pumpswap.settings import Settings
from pumpswap.storage.run import Run

__all__ = ["Connect", "Head", "Sides", "own_head"]

Connect = Callable[[], Awaitable[ChainConnection]]


@dataclass(frozen=True, slots=True)
class Head:
    """What is listened to on the chain, and who thinks of it. ``market`` gets what gives it the connection, when it
    needs one; ``scoring`` gets that market.
    """

    market: Callable[[MarketPlaces, WatchList, Connect], Awaitable[MarketSide]]
    scoring: Callable[[MarketSide, WatchList], Awaitable[ScoringSide]]


@dataclass(frozen=True, slots=True)
class Sides:
    """The three sides of a run, and what it keeps. Enter ``running`` around ``run_sides``. ``wallet`` is there where
    money is traded.
    """

    market: MarketSide
    scoring: ScoringSide
    trading: TradingSide
    run: Run
    begun: BegunRun
    tally: RunTally
    wallet: TradingWallet | None = None
    running: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)


def own_head(settings: Settings, clock: Clock) -> Head:
    """The signals and the strategy of the settings."""
    follow = FollowDesk(settings) if "follow" in settings.run.signals else None

    async def market(places: MarketPlaces, watch: WatchList, connect: Connect) -> MarketSide:
        return await chain_market(settings, places, watch, connect, follow, clock)

    async def scoring(market: MarketSide, watch: WatchList) -> ScoringSide:
        return await open_scoring(settings, market, watch, follow, clock)

    return Head(market, scoring)
