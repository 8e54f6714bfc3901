"""A node over a practice chain, with play money on the curve and with real transactions: the same orders and books."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.nautilus.live.nodes import SOL, NodeProcess, Stage, stage
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

MODES = ("paper", "live")


async def bought(here: Stage, node: NodeProcess, **given: Any) -> dict[str, Any]:
    node.tell("buy", pool=here.pool, **given)
    filled = await node.event("OrderFilled")
    told = await node.state()
    await here.check(told)
    return {"filled": filled, **told}


@pytest.mark.parametrize("mode", MODES)
def test_orders_are_filled_denied_and_rejected_as_the_books_say(tmp_path: Path, mode: str) -> None:
    async def go() -> None:
        async with stage(tmp_path, mode) as here:
            node = await here.start()
            assert (await node.until(lambda line: line["kind"] == "status"))["action"] == "TRADING"
            quote = await node.until(lambda line: line["kind"] == "quote")
            assert float(quote["bid"]) < float(quote["ask"])
            here.others_buy(SOL // 10)
            trade = await node.until(lambda line: line["kind"] == "trade")
            assert trade["side"] == "BUYER"

            # A budget, to the lamport, though a token of 6 decimals cannot show it.
            told = await bought(here, node, lamports=100_000_123, exact=True)
            filled = told["filled"]
            assert filled["info"]["user_quote_lamports"] == "100000123" or mode == "paper"
            (order,) = told["orders"].values()
            assert order["events"][-3:] == ["OrderAccepted", "OrderUpdated", "OrderFilled"]
            assert filled["trade_id"] == f"{told['books']['run']}-{'l' if mode == 'live' else 'o'}000001"
            held = told["books"]["held"][here.pool]

            # Exactly so many units.
            told = await bought(here, node, units=62_345_678_912)
            assert told["books"]["held"][here.pool] == held + 62_345_678_912
            assert told["filled"]["qty"] == "62345.678912"

            await self_contained_refusals(here, node)

            node.tell("sell", pool=here.pool, units=held // 2)
            await node.event("OrderFilled")
            await here.check(await node.state())
            await person_ends_it(here, node)
            told = await node.stop()
            await here.check(told)
            assert told["books"]["held"] == {} and told["books"]["on_the_way"] == []
            assert [line for line in node.lines if line["kind"] == "disposed"]
            assert not [text for text in node.errors if "never awaited" in text or "Traceback" in text], node.errors

    asyncio.run(go())


async def self_contained_refusals(here: Stage, node: NodeProcess) -> None:
    """What is denied, each with its reason; and what cannot be taken back."""
    node.tell("buy", pool=here.pool, lamports=40 * SOL)
    denied = await node.event("OrderDenied")
    number, _, why = denied["reason"].partition(": ")
    assert "SOL" in why
    stored = await here.stored(lambda run: run.decided.get(number))
    assert not stored.decision.accepted
    assert stored.decision.intent.strategy == "nautilus:PUPPET-001"

    node.tell("limit", pool=here.pool, units=1_000_000)
    assert "market orders only" in (await node.event("OrderDenied"))["reason"]
    node.tell("buy", pool=here.pool, lamports=SOL // 100, tif="DAY")
    assert "GTC, IOC or FOK" in (await node.event("OrderDenied"))["reason"]

    # The same name twice is one order.
    node.tell("buy", pool=here.pool, lamports=SOL // 100, id="ONCE-1")
    await node.event("OrderFilled", "ONCE-1")
    order = await here.stored(lambda run: run.ids.order_of_client("ONCE-1"))
    assert order.quote_lamports == SOL // 100
    node.tell("cancel", id="ONCE-1")


async def person_ends_it(here: Stage, node: NodeProcess) -> None:
    """``pumpswap panic`` at another terminal: everything is sold, and Nautilus hears of it as the strategy's order."""
    await here.command("panic", "--yes")
    halted = await node.until(lambda line: line["kind"] == "status" and line["action"] != "TRADING")
    assert halted["reason"]
    sold = await node.event("OrderFilled")
    assert sold["id"] == f"PS-{sold['trade_id']}"
    told = await node.state()
    await here.check(told)
    mirrored = told["orders"][sold["id"]]
    assert (mirrored["strategy"], mirrored["side"], mirrored["tags"][0]) == ("PUPPET-001", "SELL", "mirror")
    assert [one for one in told["positions"] if one["open"]] == []
    node.tell("buy", pool=here.pool, lamports=SOL // 100)
    assert "trading" in (await node.event("OrderDenied"))["reason"]
