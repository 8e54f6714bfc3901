"""What a pool that cannot be read does to the equity: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.chain.node import AccountsAt, Node
from pumpswap.chain.pools import PoolReader
from pumpswap.sdk.marking import store_marks
from tests.sdk.test_trader import in_world
from tests.sdk.world import World, trader_of
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


class ForgettingNode:
    """Knows nothing of one account."""

    def __init__(self, node: Node, lost: Pubkey) -> None:
        self._node, self._lost = node, lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    async def accounts(self, addresses: Sequence[Pubkey], **more: Any) -> AccountsAt:
        found = await self._node.accounts(addresses, **more)
        seen = zip(addresses, found.accounts, strict=True)
        return AccountsAt(found.slot, tuple(None if one == self._lost else account for one, account in seen))


def test_what_cannot_be_read_counts_as_it_was_last_valued_else_as_it_has_cost(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            trader = trader_of(sdk)
            connection, run = trader.connection, trader.books.run
            for number in (0, 1):
                assert (await sdk.buy(chain.mint(number), "0.5"))["status"] == "filled"
            lost = chain.pools[0].address
            readers = connection.reader, PoolReader(ForgettingNode(connection.node, lost))  # type: ignore[arg-type]
            rules, (cost,) = connection.settings.exits, [
                one.cost_lamports for one in run.open_positions() if one.pool == str(lost)
            ]  # fmt: skip

            async def marked(reader: PoolReader) -> tuple[int, int]:
                """(equity in positions, value of the pool that is lost)."""
                connection.reader = reader
                marks = {mark.pool: mark for mark in await store_marks(connection, run, rules)}
                point = run.equity.latest()
                assert point is not None and point.put_in_lamports == trader.books.portfolio.put_in_lamports
                assert bool(marks[str(lost)].obstacle) == (reader is readers[1])
                others = sum(mark.value_lamports for pool, mark in marks.items() if pool != str(lost))
                return point.marks_lamports - others, marks[str(lost)].value_lamports

            assert await marked(readers[1]) == (cost, 0)
            counted, value = await marked(readers[0])
            assert counted == value != cost
            for _ in range(2):
                assert await marked(readers[1]) == (value, 0)

    asyncio.run(in_world(tmp_path, story))
