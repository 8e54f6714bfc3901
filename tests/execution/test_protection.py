"""Protection by order: an order that is private stays private, and a cap can only be lowered (P11)."""

from __future__ import annotations

from random import Random

import pytest
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.chain.dont_front import DONT_FRONT
from pumpswap.errors import UsageError
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import Denied, Filled
from tests.execution.live_world import SOL, World
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]


class Public(LocalNode):
    """An endpoint that remembers what it was handed."""

    def __init__(self, world: World) -> None:
        super().__init__(world.chain)
        self.sent: list[bytes] = []

    async def send(self, raw: bytes, *, skip_preflight: bool = True, min_context_slot: int = 0) -> str:
        self.sent.append(raw)
        return await super().send(raw, skip_preflight=skip_preflight, min_context_slot=min_context_slot)


class Private:
    """A lane past the endpoints."""

    name, min_tip_lamports = "private", 0

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: list[bytes] = []

    def tip_account(self, rng: Random) -> Pubkey | None:
        return None

    async def send(self, raw: bytes) -> None:
        self.sent.append(raw)
        self.world.chain.submit(raw)


def has_marker(raw: bytes) -> bool:
    return DONT_FRONT in VersionedTransaction.from_bytes(raw).message.account_keys


async def test_p11_an_order_for_a_private_lane_is_never_handed_to_an_endpoint(world: World) -> None:
    public, private = Public(world), Private(world)
    world.node, world.lanes = public, [private]
    venue = await world.open()
    hidden = SandwichPolicy(dont_front=True, lanes=frozenset({"private"}))
    assert isinstance(await venue.execute(world.buy(SOL // 10), hidden), Filled)
    assert not public.sent
    assert has_marker(private.sent[0])
    private.sent.clear()
    assert isinstance(await venue.execute(world.buy(SOL // 10)), Filled)
    assert public.sent and private.sent
    assert not has_marker(public.sent[0])


async def test_the_impact_cap_of_an_order_can_only_be_lower(world: World) -> None:
    venue = await world.open()
    denied = await venue.execute(world.buy(SOL), SandwichPolicy(max_impact_bps=1))
    assert isinstance(denied, Denied)
    assert denied.rule == "impact"
    assert "the cap is 1 bps" in denied.text
    usual = world.settings.risk.max_impact_bps
    assert SandwichPolicy(max_impact_bps=usual + 1).impact_cap(world.settings) == usual


async def test_a_lane_that_is_not_configured_is_refused_before_anything_is_stored(world: World) -> None:
    venue = await world.open()
    with pytest.raises(UsageError, match="no lane is named nowhere"):
        await venue.execute(world.buy(SOL), SandwichPolicy(lanes=frozenset({"nowhere"})))
    assert list(venue.parts.books.unresolved()) == []
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)
