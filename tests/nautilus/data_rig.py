"""Our data client in Nautilus' own data engine, with an actor that keeps what it hears, over a practice chain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.data import Data
from nautilus_trader.live.data_engine import LiveDataEngine
from nautilus_trader.model.data import DataType
from nautilus_trader.model.identifiers import TraderId
from nautilus_trader.portfolio.portfolio import Portfolio

from pumpswap.nautilus import PUMPSWAP, PUMPSWAP_CLIENT_ID, PumpSwapDataClient, PumpSwapDataClientConfig
from pumpswap.nautilus.config import PumpSwapInstrumentProviderConfig
from pumpswap.nautilus.factories import PumpSwapLiveDataClientFactory
from pumpswap.nautilus.providers import PumpSwapInstrumentProvider
from pumpswap.nautilus.session import PumpSwapSession
from tests.nautilus.live.nodes import settings_file
from tests.sdk.world import World

__all__ = ["Listener", "Rig", "rig", "until"]


class Listener(Actor):
    """Keeps everything, by the name of its type."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []
        self.answers: list[Any] = []

    def of(self, kind: type[Data]) -> list[Any]:
        return [one for one in self.heard if type(one) is kind]

    def on_instrument(self, instrument: Any) -> None:
        self.heard.append(instrument)

    def on_quote_tick(self, tick: Any) -> None:
        self.heard.append(tick)

    def on_trade_tick(self, tick: Any) -> None:
        self.heard.append(tick)

    def on_instrument_status(self, data: Any) -> None:
        self.heard.append(data)

    def on_data(self, data: Any) -> None:
        self.heard.append(data)

    def on_historical_data(self, data: Any) -> None:
        self.answers.append(data)


@dataclass(frozen=True)
class Rig:
    """What a test looks at."""

    world: World
    session: PumpSwapSession
    provider: PumpSwapInstrumentProvider
    client: PumpSwapDataClient
    engine: LiveDataEngine
    cache: Cache
    listener: Listener

    async def connected(self) -> None:
        """Connect; returns when the client says that it is."""
        self.engine.connect()
        await until(lambda: self.client.is_connected)

    def subscribe_data(self, data_type: DataType) -> None:
        self.listener.subscribe_data(data_type, client_id=PUMPSWAP_CLIENT_ID)


@contextlib.asynccontextmanager
async def rig(
    world: World, folder: Path, named: PumpSwapInstrumentProviderConfig, **sections: Any
) -> AsyncIterator[Rig]:
    """A data engine with our client on this chain, not connected yet; on paper, with books of its own."""
    data_dir = folder / "node"
    data_dir.mkdir()
    file = settings_file(world, folder, data_dir=str(data_dir), **sections)
    loop = asyncio.get_running_loop()
    clock, cache = LiveClock(), Cache()
    bus = MessageBus(TraderId("TESTER-001"), clock)
    engine = LiveDataEngine(loop=loop, msgbus=bus, cache=cache, clock=clock)
    config = PumpSwapDataClientConfig(settings_path=str(file), instrument_provider=named)
    client = PumpSwapLiveDataClientFactory.create(loop, PUMPSWAP, config, bus, cache, clock)
    engine.register_client(client)
    listener = Listener()
    listener.register_base(Portfolio(bus, cache, clock), bus, cache, clock)
    engine.start()
    listener.start()
    session = PumpSwapSession.of(loop, config)
    try:
        yield Rig(world, session, client._provider, client, engine, cache, listener)
    finally:
        listener.stop()
        engine.disconnect()
        await until(lambda: not client._is_open)
        engine.stop()
        await asyncio.sleep(0)


async def until(wanted: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What ``wanted`` returns, once that is true."""
    async with asyncio.timeout(seconds):
        while not (found := wanted()):
            await asyncio.sleep(0.01)
        return found
