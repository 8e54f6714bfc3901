"""A server on loopback, a clock that only sleeping moves, and a client that asks the one by the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_source import SourceParts
from tests.support.gecko_server import GeckoServer
from tests.support.patient import PatientClock


class Setting:
    """Everything that a test of the client needs."""

    def __init__(self, server: GeckoServer, **settings: Any) -> None:
        self.server, self.clock = server, PatientClock()
        parts = SourceParts(sleep=self.clock.sleep, random=Random(1))
        self.client = GeckoClient(server.settings(**settings), self.clock, parts)


@pytest.fixture
def server() -> Iterator[GeckoServer]:
    with GeckoServer() as running:
        yield running


@pytest_asyncio.fixture
async def setting(server: GeckoServer) -> AsyncIterator[Setting]:
    made = Setting(server)
    yield made
    await made.client.aclose()
