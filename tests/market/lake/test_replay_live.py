"""The replay of a lake against the real program: the states that it tells are the chain's."""

from __future__ import annotations

import random
from pathlib import Path

from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.pools import pool_state
from pumpswap.localnet.programs import load_programs
from pumpswap.market.lake import Lake, LakeReader, LakeWriter, PoolStateSeen
from pumpswap.market.lake.bars import BarRule, read_bars
from pumpswap.market.lake.replay import LakeRecording
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import Swap
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")


def test_states_follow_from_first_states_and_swaps_exactly(tmp_path: Path) -> None:
    folder = material("chain")
    assert folder is not None
    chain = LocalChain(seed=8)
    load_programs(chain, folder)
    bots = MarketBots(chain, random.Random(8))
    pools = bots.open(4)
    chain.advance(40)
    first = [pool_state(chain, state) for state in pools]
    bots.run(120)
    swaps: list[Swap] = []
    for line in reversed(chain.history(AMM_PROGRAM)):
        transaction = chain.transaction(line.signature)
        assert transaction is not None
        swaps += swaps_of(transaction)
    lake = Lake(tmp_path)
    with LakeWriter(lake, flush_rows=50) as writer:
        writer.add("states", [PoolStateSeen(swaps[0].at_ns - 1, state) for state in first])
        writer.add("swaps", swaps, source="chain")
    assert list(LakeReader(lake).read_swaps()) == swaps

    told = {update.pool: update.state for update in LakeRecording(lake).updates() if update.state is not None}
    for state in first:
        now, mine = pool_state(chain, state), told[str(state.address)]
        assert mine is not None
        # Every figure, the pool account with its fee buckets among them; only the slot is that of the last swap.
        assert (mine.pool, mine.base_reserve, mine.quote_vault, mine.base_supply) == (
            now.pool, now.base_reserve, now.quote_vault, now.base_supply,
        )  # fmt: skip
    assert len(swaps) > 60
    assert {swap.is_buy for swap in swaps} == {True, False}

    total = sum(bar.quote_units for bar in read_bars(LakeReader(lake), BarRule(seconds=60)))
    assert total == sum(swap.quote_units for swap in swaps)
