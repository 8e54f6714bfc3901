"""A node as its user configures it, and when something of it breaks: a coin that is dead, a bus that takes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from pumpswap.amm import PoolState
from pumpswap.localnet.chain import LocalChain
from pumpswap.model import Filled
from pumpswap.settings import load_settings
from pumpswap.storage import open_database
from tests.nautilus.live.nodes import SOL, Stage, only_whole, stage
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


def alerts(here: Stage, subject: str) -> list[str]:
    with open_database(load_settings(here.file).database_target) as database:
        return [one.text for one in database.alerts.all() if (one.topic, one.subject) == ("nautilus", subject)]


def empty(chain: LocalChain, pool: PoolState) -> None:
    """All its liquidity is gone."""
    for place in (pool.pool.pool_base_token_account, pool.pool.pool_quote_token_account):
        account = chain.account(place)
        assert account is not None
        chain.set_account(replace(account, data=account.data[:64] + bytes(8) + account.data[72:]))
    chain.advance(40)


def test_a_plain_node_buys_what_was_asked_for_and_begins_again_beside_a_dead_coin(tmp_path: Path) -> None:
    async def go() -> None:
        async with stage(tmp_path, "paper") as here:
            other = str(here.chain.pools[1].address)
            node = await here.start(is_own=True, pools=[here.pool, other])
            await node.until(lambda line: line["kind"] == "quote")
            # A list is its orders one after the other: the second finds the token blocked by the first.
            node.tell("list", pool=here.pool, orders={"LIST-1": SOL // 10, "LIST-2": SOL // 20})
            assert "order" in (await node.event("OrderDenied", "LIST-2"))["reason"]
            await node.event("OrderFilled", "LIST-1")
            # The plain engine of 1.221 has made tokens of the budget: it is a budget all the same.
            order = await here.stored(lambda run: run.ids.order_of_client("LIST-1"))
            assert order.quote_lamports == SOL // 10
            told = await node.state()
            await here.check(told)
            held = told["books"]["held"]

            # What Nautilus does not take is not lost: our books have it, and nothing is ordered on a wrong picture.
            node.tell("deafen", event="OrderFilled")
            node.tell("buy", pool=other, lamports=SOL // 20, id="UNHEARD-1")
            order = await here.stored(lambda run: run.ids.order_of_client("UNHEARD-1"))
            assert isinstance(await here.stored(lambda run: run.decided.outcome(order.order_id)), Filled)
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="AFTER-1")
            reason = (await node.event("OrderDenied", "AFTER-1"))["reason"]
            assert "does not know what became of order UNHEARD-1: start the node again" in reason
            assert [text.split(":")[0] for text in alerts(here, "events")] == [
                "Nautilus does not know what became of order UNHEARD-1"
            ]
            held = (await node.state())["books"]["held"]
            assert set(held) == {here.pool, other}
            await node.kill()

            empty(here.chain.chain, here.chain.pools[0])
            node = await here.start(pools=[here.pool, other])
            told = await node.state()
            assert told["books"]["held"] == held
            assert {one["pool"]: one["units"] for one in told["positions"]} == {other: held[other]}
            assert told["orders"]["UNHEARD-1"]["status"] == "FILLED"
            (text,) = alerts(here, here.pool)
            assert "left to pumpswap alone" in text and "no reserves" in text
            node.tell("sell", pool=other, units=held[other], id="SELL-1")
            await node.event("OrderFilled", "SELL-1")
            told = await node.stop()
            assert told["books"]["held"] == {here.pool: held[here.pool]}

    asyncio.run(go())


@only_whole
def test_with_approval_a_person_decides_about_each_buy(tmp_path: Path) -> None:
    async def go() -> None:
        async with stage(tmp_path, "live", run={"mode": "approve"}) as here:
            node = await here.start()
            for name, verb, end in (("YES-1", "approve", "OrderFilled"), ("NO-1", "decline", "OrderDenied")):
                node.tell("buy", pool=here.pool, lamports=SOL // 20, id=name)
                waiting = await here.stored(lambda run: next(iter(run.proposals.waiting()), None))
                assert (await node.state())["orders"][name]["status"] == "INITIALIZED"
                await here.command(verb, waiting.decision_id)
                await node.event(end, name)
                await here.check(await node.state())
            told = await node.stop()
            await here.check(told)
            assert {name: one["status"] for name, one in told["orders"].items()} == {
                "YES-1": "FILLED",
                "NO-1": "DENIED",
            }

    asyncio.run(go())
