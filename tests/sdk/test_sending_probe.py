"""SendingProbe: whether an order could be sent now, asked of the chain and not guessed from past failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair

from pumpswap.chain.schedule import ScheduleCache
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.sdk.sending_probe import SendingProbe
from tests.execution.live_world import WALLET, World
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def probe_of(world: World) -> SendingProbe:
    return SendingProbe(world.node, ScheduleCache(world.node, world.clock, 1), WALLET)


async def test_until_somebody_has_looked_nothing_should_be_sent(world: World) -> None:
    probe = probe_of(world)
    assert probe.obstacle() == "nobody has looked yet"
    assert await probe.look() == probe.obstacle() == ""


@pytest.mark.parametrize("method", ["getLatestBlockhash", "simulateTransaction", "getMultipleAccounts"])
async def test_each_thing_that_an_order_needs_is_asked_for_and_comes_back_by_itself(world: World, method: str) -> None:
    probe = probe_of(world)
    world.node.faults.add(Fault(FaultKind.SERVER_ERROR, frozenset({method})))
    assert "503" in await probe.look() or probe.obstacle()
    world.node.faults.clear()
    assert await probe.look() == ""


async def test_a_wallet_that_can_pay_for_nothing_is_an_obstacle(world: World) -> None:
    probe = SendingProbe(world.node, ScheduleCache(world.node, world.clock, 1), Keypair().pubkey())
    assert "the simplest transaction would fail" in await probe.look()


async def test_looking_signs_and_sends_nothing(world: World) -> None:
    await probe_of(world).look()
    world.chain.advance(3)
    assert world.chain.history(WALLET) == ()
