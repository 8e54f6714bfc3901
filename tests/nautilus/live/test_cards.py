"""Cards of NautilusTrader's execution testing spec for market orders, on both venues of ours, by its own ExecTester.

One node plays all cards that go together: it opens on start, idles, closes on stop. Cards without a test here do not
apply: E02, E87 (nothing can be sold short), E10 to E53 but E36 and E44 (market orders only), E62, E70, E75 (nothing
can be displayed in part, posted, or taken back), E81 (no order rests).
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.nautilus.live.nodes import Line, NodeProcess, only_whole, stage
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

QUANTITY = "50000.123456"
_FILLED = ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderFilled"]
VENUES = ["paper", pytest.param("live", marks=only_whole)]
EVERYWHERE = pytest.mark.parametrize("venue", VENUES)
SELDOM = pytest.mark.parametrize("venue", [pytest.param("paper", marks=only_whole), VENUES[1]])


@dataclass(frozen=True)
class Played:
    """What a node's tester has done from its start to its end."""

    opened: Line
    ready: Line
    stopping: Line
    stopped: Line
    quotes: list[Line]
    late: list[Line]  # what was heard after the strategy had stopped

    @property
    def closing(self) -> dict[str, Any]:
        """The order that has closed the position. A strategy that stops hears nothing of it: the cache knows."""
        (found,) = [one for one in self.stopped["orders"].values() if one["side"] == "SELL"]
        return dict(found)

    def order(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stopped["orders"][name]
        return found


@functools.cache
def played(venue: str, *changes: tuple[str, Any]) -> Played:
    """A node that opens a position, and closes it when it stops."""

    async def go(folder: Path) -> Played:
        async with stage(folder, venue) as here:
            given = {"pool": here.pool, "order_qty": QUANTITY, "open_position_on_start_qty": QUANTITY, **dict(changes)}
            node = await here.start(is_ready=False, tester=given, post_stop=6.0)
            ready = await node.until(lambda line: line["kind"] == "ready")
            opened = await node.event("OrderFilled")
            quotes = [await node.until(lambda line: line["kind"] == "quote") for _ in range(2)]
            stopped = await node.stop()
            stopping = await node.until(lambda line: line["kind"] == "stopping")
            await here.check(stopping, is_now=False)
            await here.check(stopped)
            end = node.lines.index(next(line for line in node.lines if line["kind"] == "disposed"))
            late = [line for line in node.lines[end:] if line["kind"] in ("quote", "trade")]
            return Played(opened, ready, stopping, stopped, quotes, late)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(go(Path(folder)))


def check_opened(run: Played, quantity: str | None = QUANTITY) -> None:
    """The criteria of E01, which others share."""
    (position,) = run.stopping["positions"]
    assert (position["side"], position["strategy"], position["open"]) == ("LONG", "TESTER-001", True)
    if quantity is not None:
        assert Decimal(run.opened["qty"]) == Decimal(quantity)
        assert position["units"] == int(Decimal(quantity) * 10**6)
    events = [one for one in run.order(run.opened["id"])["events"] if one != "OrderUpdated"]
    assert events == _FILLED
    # Our own purchase has moved the price: the quotes behind it are those of the pool that it has left.
    bid, price = (Decimal(text) for text in (run.quotes[0]["bid"], run.opened["px"]))
    assert abs(price / bid - 1) < Decimal("0.01")
    assert run.ready["account"]["SOL"] > run.stopping["account"]["SOL"] > 0


@EVERYWHERE
def test_tc_e01_market_buy_submit_and_fill(venue: str) -> None:
    check_opened(played(venue))


@SELDOM
def test_tc_e03_market_order_ioc(venue: str) -> None:
    check_opened(played(venue, ("open_position_time_in_force", "IOC")))


@SELDOM
def test_tc_e04_market_order_fok(venue: str) -> None:
    check_opened(played(venue, ("open_position_time_in_force", "FOK")))


@SELDOM
def test_tc_e05_market_order_quote_quantity(venue: str) -> None:
    changes = (("order_qty", "0.05"), ("open_position_on_start_qty", "0.05"), ("use_quote_quantity", True))
    run = played(venue, *changes)
    check_opened(run, quantity=None)
    assert run.order(run.opened["id"])["events"] == [*_FILLED[:3], "OrderUpdated", "OrderFilled"]
    assert run.order(run.opened["id"])["quantity"] == run.opened["qty"]
    paid = int(run.opened["info"]["user_quote_lamports"])
    assert 49_999_990 <= paid <= 50_000_000


@EVERYWHERE
def test_tc_e06_close_position_via_market_on_stop(venue: str) -> None:
    run = played(venue)
    assert (run.closing["status"], run.closing["events"]) == ("FILLED", _FILLED)
    assert [one for one in run.stopped["positions"] if one["open"]] == []


@EVERYWHERE
def test_tc_e61_reduce_only_on_close(venue: str) -> None:
    run = played(venue)
    assert run.closing["reduce_only"]
    assert run.stopped["books"]["held"] == {}


@EVERYWHERE
def test_tc_e80_open_position_on_start(venue: str) -> None:
    run = played(venue)
    assert run.ready["positions"] == []
    assert run.stopping["books"]["held"]


@EVERYWHERE
def test_tc_e82_close_positions_on_stop(venue: str) -> None:
    run = played(venue)
    assert {one["side"] for one in run.stopped["positions"]} == {"FLAT"}
    assert run.stopped["books"]["on_the_way"] == []


@EVERYWHERE
def test_tc_e83_unsubscribe_on_stop(venue: str) -> None:
    assert played(venue).late == []


@functools.cache
def refused(venue: str) -> dict[str, Line]:
    """What a node denies, by card; and an order of its that cannot be changed."""

    async def go(folder: Path) -> dict[str, Line]:
        async with stage(folder, venue) as here:
            node = await here.start()
            await node.until(lambda line: line["kind"] == "quote")
            # Not by the tester: that of 1.221 has no such order.
            node.tell("buy", pool=here.pool, units=10**10, reduce_only=True)
            told = {"E71": await node.event("OrderDenied")}
            node.tell("limit", pool=here.pool, units=10**6)
            told["E72"] = await node.event("OrderDenied")
            node.tell("buy", pool=here.pool, lamports=10**8, tif="DAY")
            told["E73"] = await node.event("OrderDenied")
            told |= await _taken_back(node, here.pool)
            await here.check(await node.stop())
            return told

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(go(Path(folder)))


async def _taken_back(node: NodeProcess, pool: str) -> dict[str, Line]:
    node.tell("buy", pool=pool, lamports=10**8, id="GOES-1")
    await node.event("OrderAccepted", "GOES-1")
    node.tell("modify", id="GOES-1")
    node.tell("cancel", id="GOES-1")
    changed = await node.event("OrderModifyRejected", "GOES-1")
    cancelled = await node.event("OrderCancelRejected", "GOES-1")
    return {"E36": changed, "E44": cancelled, "filled": await node.event("OrderFilled", "GOES-1")}


@SELDOM
def test_tc_e71_reduce_only_rejection(venue: str) -> None:
    """Denied, not rejected: nothing was sent."""
    assert "never reduces" in refused(venue)["E71"]["reason"]


@SELDOM
def test_tc_e72_unsupported_order_type(venue: str) -> None:
    assert "market orders only" in refused(venue)["E72"]["reason"]


@SELDOM
def test_tc_e73_unsupported_time_in_force(venue: str) -> None:
    assert "GTC, IOC or FOK" in refused(venue)["E73"]["reason"]


@SELDOM
def test_tc_e36_modify_rejected(venue: str) -> None:
    assert "cannot be taken back or changed" in refused(venue)["E36"]["reason"]


@SELDOM
def test_tc_e44_cancel_of_what_cannot_be_cancelled(venue: str) -> None:
    assert "cannot be taken back or changed" in refused(venue)["E44"]["reason"]
    assert refused(venue)["filled"]["event"] == "OrderFilled"
