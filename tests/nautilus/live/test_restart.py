"""A node that was killed begins again where its books stand; an order whose fate nobody knows stays open until it is
proven.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from pumpswap.localnet.faults import SEND, STATUSES, TRANSACTION, Fault, FaultKind
from pumpswap.model import Filled
from tests.nautilus.live.nodes import SOL, Line, only_whole, stage
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


@dataclass(frozen=True)
class Lost:
    """What a node says of an order whose fate nobody knows, and the next process of it about another."""

    unknown: Line  # the state of the node, seconds after SLOW-1 was sent and could not be heard of
    blocked: Line  # what became of an order on the same token meanwhile
    heard: Line  # as soon as SLOW-1 could be heard of
    began: Line  # the next process, which begins while nobody can tell what became of LOST-1
    ended: Line
    transactions: int  # of the wallet when LOST-1 had landed, and at the end before anything else was ordered
    transactions_after: int
    trades: tuple[str, ...]  # client order ids


@functools.cache
def lost() -> Lost:
    """Nautilus asks for orders in flight twice a second here and would reject after one question."""

    async def go(folder: Path) -> Lost:
        async with stage(folder, "live", nautilus={"open_check_seconds": 1}) as here:
            node = await here.start()
            here.chain.faults.add(HIDDEN)
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="SLOW-1")
            await node.event("OrderAccepted", "SLOW-1")
            await asyncio.sleep(3)
            unknown = await node.state()
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="BLOCKED-1")
            blocked = await node.event("OrderDenied", "BLOCKED-1")
            here.chain.faults.clear()
            await node.event("OrderFilled", "SLOW-1")
            heard = await node.calm()
            await here.check(heard)

            before = len(here.chain.signatures())
            here.chain.faults.add(HIDDEN)
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="LOST-1")
            await node.event("OrderAccepted", "LOST-1")
            async with asyncio.timeout(20):  # it has landed, and the node cannot know
                while (landed := len(here.chain.signatures())) == before:
                    await asyncio.sleep(0.05)
            await node.kill()

            node = await here.start(is_ready=False)
            began = await node.until(lambda line: line["kind"] == "ready")
            here.chain.faults.clear()
            await node.event("OrderFilled", "LOST-1")
            await here.check(await node.calm())
            after = len(here.chain.signatures())
            node.tell("buy", pool=here.pool, lamports=SOL // 20, id="NEXT-1")
            await node.event("OrderFilled", "NEXT-1")
            ended = await node.stop()
            await here.check(ended)
            run = here.run()
            names = {run.ids.order_of_client(name).order_id: name for name in ("SLOW-1", "LOST-1", "NEXT-1")}
            trades = tuple(names[one.order_id] for one in run.trades())
            return Lost(unknown, blocked, heard, began, ended, landed, after, trades)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(go(Path(folder)))


def test_an_order_that_was_on_its_way_when_the_node_was_killed_is_filled_once() -> None:
    run = lost()
    assert run.trades == ("SLOW-1", "LOST-1", "NEXT-1")
    assert run.transactions_after == run.transactions
    assert [one["status"] for one in run.ended["orders"].values()].count("FILLED") == 3


def test_tc_e74_an_unknown_outcome_is_never_a_rejection() -> None:
    run = lost()
    assert run.unknown["orders"]["SLOW-1"]["status"] == "ACCEPTED"
    assert run.unknown["positions"] == [] and len(run.unknown["books"]["on_the_way"]) == 1
    assert "order" in run.blocked["reason"]  # the token is blocked meanwhile
    assert run.heard["orders"]["SLOW-1"]["events"][-2:] == ["OrderUpdated", "OrderFilled"]


def test_tc_e84_reconcile_open_orders() -> None:
    """Open until it is heard of, and then it is the same order; the event is told to its strategy."""
    assert lost().began["orders"]["LOST-1"]["status"] == "ACCEPTED"
    assert lost().began["orders"]["LOST-1"]["strategy"] == "PUPPET-001"
    assert lost().ended["orders"]["LOST-1"]["status"] == "FILLED"


def test_tc_e85_reconcile_filled_orders() -> None:
    was, told = (line["orders"]["SLOW-1"] for line in (lost().heard, lost().began))
    assert (told["status"], told["strategy"]) == ("FILLED", "PUPPET-001")
    assert told["fills"] == was["fills"]


def test_tc_e86_reconcile_long_position() -> None:
    (was,), (told,) = lost().heard["positions"], lost().began["positions"]
    assert (told["side"], told["strategy"], told["open"]) == ("LONG", "PUPPET-001", True)
    assert {name: told[name] for name in ("units", "average", "realised")} == {
        name: was[name] for name in ("units", "average", "realised")
    }


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
