"""Factories for ``TradingNode``: both clients of a node share one session."""

from __future__ import annotations

import asyncio

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory

from pumpswap.errors import ConfigError
from pumpswap.nautilus.config import PumpSwapDataClientConfig, PumpSwapExecClientConfig
from pumpswap.nautilus.constants import PUMPSWAP
from pumpswap.nautilus.data import PumpSwapDataClient
from pumpswap.nautilus.execution import PumpSwapExecutionClient
from pumpswap.nautilus.providers import PumpSwapInstrumentProvider
from pumpswap.nautilus.session import PumpSwapSession

__all__ = ["PumpSwapLiveDataClientFactory", "PumpSwapLiveExecClientFactory"]


class PumpSwapLiveExecClientFactory(LiveExecClientFactory):
    """``node.add_exec_client_factory(PUMPSWAP, PumpSwapLiveExecClientFactory)``."""

    @staticmethod
    def create(
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: PumpSwapExecClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> PumpSwapExecutionClient:
        """The execution client. Raises ConfigError for another name than PUMPSWAP, and what the session raises."""
        check_name(name)
        session = PumpSwapSession.of(loop, config)
        provider = PumpSwapInstrumentProvider(session, config.instrument_provider)
        return PumpSwapExecutionClient(loop, session, provider, (msgbus, cache, clock), config)


class PumpSwapLiveDataClientFactory(LiveDataClientFactory):
    """``node.add_data_client_factory(PUMPSWAP, PumpSwapLiveDataClientFactory)``."""

    @staticmethod
    def create(
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: PumpSwapDataClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> PumpSwapDataClient:
        """The data client. Raises ConfigError for another name than PUMPSWAP, and what the session raises."""
        check_name(name)
        session = PumpSwapSession.of(loop, config)
        provider = PumpSwapInstrumentProvider(session, config.instrument_provider)
        return PumpSwapDataClient(loop, session, provider, (msgbus, cache, clock), config)


def check_name(name: str) -> None:
    """Orders and subscriptions are routed by the client's id, which strategies and mirrored orders know."""
    if name != PUMPSWAP:
        raise ConfigError(f"the client is called {name!r}", hint=f"its key in the node's configuration is {PUMPSWAP}")
