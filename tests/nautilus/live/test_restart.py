"""A node that was killed begins again where its books stand; an order whose fate nobody knows stays open until it is
proven.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.localnet.faults import SEND, STATUSES, TRANSACTION, Fault, FaultKind
from pumpswap.model import Filled
from tests.nautilus.live.nodes import SOL, only_whole, stage
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

HIDDEN = Fault(FaultKind.SERVER_ERROR, frozenset({STATUSES, TRANSACTION}))


@only_whole
@pytest.mark.parametrize("mode", ["paper", "live"])
def test_what_is_held_comes_back_to_its_strategy_after_a_kill(tmp_path: Path, mode: str) -> None:
    async def go() -> None:
        async with stage(tmp_path, mode) as here:
            node = await here.start()
            for name in ("BUY-1", "BUY-2"):
                node.tell("buy", pool=here.pool, lamports=SOL // 20, id=name)
                await node.event("OrderFilled", name)
            node.tell("sell", pool=here.pool, units=10**9, id="SELL-1")
            await node.event("OrderFilled", "SELL-1")
            before = await node.state()
            order = await here.stored(lambda run: run.ids.order_of_client("SELL-1"))
            await here.stored(lambda run: run.decided.outcome(order.order_id))  # on paper that is a moment later
            await node.kill()

            node = await here.start(is_ready=False)
            told = await node.until(lambda line: line["kind"] == "ready")
            await here.check(told)
            assert told["books"]["ledger"] == before["books"]["ledger"]
            known = {name: (one["status"], one["strategy"]) for name, one in told["orders"].items()}
            assert known == dict.fromkeys(("BUY-1", "BUY-2", "SELL-1"), ("FILLED", "PUPPET-001"))
            (held,), (was,) = told["positions"], before["positions"]
            assert (held["strategy"], held["units"]) == ("PUPPET-001", was["units"])
            # The same fills to the last digit, and the same steps in doubles: nothing is left to tolerate.
            fills = [{name: one["fills"] for name, one in line["orders"].items()} for line in (told, before)]
            assert fills[0] == fills[1]
            assert (held["realised"], held["average"]) == (was["realised"], was["average"])

            # The same name again is the same order, also for another process.
            node.tell("sell", pool=here.pool, units=held["units"], id="SELL-2")
            await node.event("OrderFilled", "SELL-2")
            told = await node.stop()
            await here.check(told)
            assert told["books"]["held"] == {}

    asyncio.run(go())


def test_an_order_that_was_on_its_way_when_the_node_was_killed_is_filled_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with stage(tmp_path, "live") as here:
            node = await here.start()
            here.chain.faults.add(HIDDEN)
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="LOST-1")
            await node.event("OrderAccepted", "LOST-1")
            async with asyncio.timeout(20):  # it has landed, and the node cannot know
                while len(here.chain.signatures()) < 1:
                    await asyncio.sleep(0.05)
            await node.kill()
            here.chain.faults.clear()

            node = await here.start(is_ready=False)
            told = await node.until(lambda line: line["kind"] == "ready")
            async with asyncio.timeout(60):  # it may be told as open at first, and be heard a moment later
                while told["orders"]["LOST-1"]["status"] == "ACCEPTED":
                    await asyncio.sleep(0.2)
                    told = await node.state()
            await here.check(told)
            assert told["orders"]["LOST-1"]["status"] == "FILLED"
            order = await here.stored(lambda run: run.ids.order_of_client("LOST-1"))
            assert [one.order_id for one in here.run().trades()] == [order.order_id]
            assert len(here.chain.signatures()) == 1
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="LOST-1x")
            await node.event("OrderFilled", "LOST-1x")
            await here.check(await node.stop())

    asyncio.run(go())


def test_an_unknown_outcome_is_never_a_rejection(tmp_path: Path) -> None:
    """Nautilus asks for orders in flight twice a second here and would reject after one question."""

    async def go() -> None:
        async with stage(tmp_path, "live", nautilus={"open_check_seconds": 1}) as here:
            node = await here.start()
            here.chain.faults.add(HIDDEN)
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="SLOW-1")
            await node.event("OrderAccepted", "SLOW-1")
            await asyncio.sleep(4)
            told = await node.state()
            assert told["orders"]["SLOW-1"]["status"] == "ACCEPTED"
            assert told["positions"] == [] and len(told["books"]["on_the_way"]) == 1
            # The token is blocked meanwhile.
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="BLOCKED-1")
            assert "order" in (await node.event("OrderDenied", "BLOCKED-1"))["reason"]
            here.chain.faults.clear()
            await node.event("OrderFilled", "SLOW-1")
            told = await node.state()
            await here.check(told)

            await here.check(await node.stop())

    asyncio.run(go())


@only_whole
def test_one_that_never_arrives_is_expired_when_that_is_proven(tmp_path: Path) -> None:
    async def go() -> None:
        async with stage(tmp_path, "live") as here:
            node = await here.start()
            here.chain.faults.add(Fault(FaultKind.FALSE_OK, frozenset({SEND})))
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="NEVER-1")
            await node.event("OrderAccepted", "NEVER-1")
            ended = await node.until(
                lambda line: (
                    line["kind"] == "order" and line["event"] in ("OrderExpired", "OrderRejected", "OrderFilled")
                )
            )
            assert ended["event"] == "OrderExpired", ended
            here.chain.faults.clear()
            await here.check(await node.stop())
            assert not [one for one in here.run().outcomes() if isinstance(one, Filled)]

    asyncio.run(go())
