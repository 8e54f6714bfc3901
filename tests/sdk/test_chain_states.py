"""A state is as old as its slot: an endpoint that stands still does not make it fresh by answering."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import PoolSpec, create_pool
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.sdk.executor import ChainStates
from tests.clients.our_sdk import settings_for
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")


class Later(SystemClock):
    later_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.later_ns


def test_a_state_of_a_chain_that_stands_still_grows_old_until_it_moves(tmp_path: Path) -> None:
    programs = material("chain")
    assert programs is not None
    chain, clock = LocalChain(), Later()
    load_programs(chain, programs)
    pool = create_pool(chain, PoolSpec("graduate"), random.Random(1))
    chain.advance(40)

    async def story() -> None:
        async with LocalServer(chain, ServerOptions(slot_ms=10**9)).serve() as urls:
            states = ChainStates(settings_for(urls.http, urls.ws, tmp_path), clock)
            first, first_ns = await states.state(str(pool.address))
            clock.later_ns = 600 * NS_PER_SECOND
            second, second_ns = await states.state(str(pool.address))
            assert second.slot == first.slot
            assert second_ns < first_ns + 300 * NS_PER_SECOND  # since the first answer of that slot
            chain.advance(1)
            third, third_ns = await states.state(str(pool.address))
            assert third.slot > first.slot
            assert third_ns >= first_ns + 600 * NS_PER_SECOND
            await states.aclose()

    asyncio.run(story())
