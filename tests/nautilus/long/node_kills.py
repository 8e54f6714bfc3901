"""Nodes that trade with real transactions over an endpoint that fails, killed at any moment, until all is settled."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.localnet.faults import STATUSES, TRANSACTION, Fault, FaultKind
from pumpswap.model import Filled, TradeSide
from pumpswap.portfolio.audit import audit_run
from tests.nautilus.live.nodes import SOL, NodeProcess, Stage, stage
from tests.nautilus.long.part import Found, Part, Progress

__all__ = ["NODE_KILLS", "Life"]

LIVES, KILLS = 4, 5
_ENDED = ("OrderFilled", "OrderRejected", "OrderExpired", "OrderDenied")
_FAULTS = (
    Fault(FaultKind.DROP_AFTER, times=3),
    Fault(FaultKind.DROP_BEFORE, times=3),
    Fault(FaultKind.FALSE_OK, times=2),
    Fault(FaultKind.FALSE_ERROR, times=2),
    Fault(FaultKind.DELAY, amount=15, times=3),
    Fault(FaultKind.SERVER_ERROR, frozenset({STATUSES, TRANSACTION})),
    Fault(FaultKind.HIDE),
)


class Life:
    """One wallet through many processes; what is wrong at the end, in sentences."""

    def __init__(self, seed: int, number: int) -> None:
        self.rng = Random(f"node {seed} {number}")
        self.counts: Counter[str] = Counter()
        self.orders = 0

    async def live(self, folder: Path) -> list[str]:
        async with stage(folder, "live") as here:
            for _ in range(KILLS):
                node = await here.start()
                await self._trade(here, node)
                await asyncio.sleep(self.rng.random() * 1.5)
                await node.kill()
                self.counts["kills"] += 1
                here.chain.faults.clear()
            node = await here.start()
            told = await self._settled(here, node)
            await here.check(told)
            stopped = await node.stop()
            await here.check(stopped)
            return self._judge(here, stopped)

    async def _trade(self, here: Stage, node: NodeProcess) -> None:
        """An order or two, while the endpoint fails in one way."""
        fault = self.rng.choice((None, *_FAULTS))
        if fault is not None:
            here.chain.faults.add(fault)
            self.counts[fault.kind.value] += 1
        told = await node.state()
        held = told["books"]["held"].get(here.pool, 0)
        for _ in range(self.rng.choice((1, 1, 2))):
            self.orders += 1
            name = f"LIFE-{self.orders}"
            if held and self.rng.random() < 0.4:
                node.tell("sell", pool=here.pool, units=max(held // self.rng.choice((1, 2)), 1), id=name)
            else:
                node.tell("buy", pool=here.pool, lamports=SOL // 20, id=name)
            if self.rng.random() < 0.5:
                await node.until(lambda line: line["kind"] == "order" and line["event"] != "OrderInitialized", 60)

    async def _settled(self, here: Stage, node: NodeProcess) -> dict[str, Any]:
        async with asyncio.timeout(120):
            while True:
                told = await node.state()
                if not told["books"]["on_the_way"] and not list(here.run().orders(unresolved=True)):
                    return told
                await asyncio.sleep(0.5)

    def _judge(self, here: Stage, told: dict[str, Any]) -> list[str]:
        run, wrong = here.run(), []
        orders = {order.order_id: order for order in run.orders()}
        filled = [one for one in run.outcomes() if isinstance(one, Filled)]
        self.counts["fills"] += len(filled)
        names = [orders[one.order_id].client_order_id for one in filled]
        if doubled := [name for name, count in Counter(names).items() if name and count > 1]:
            wrong.append(f"filled more than once: {doubled}")
        landed = set(here.chain.signatures())
        if lost := {one.signature for one in filled} - landed:
            wrong.append(f"booked, and not on the chain: {lost}")
        if not audit_run(run).is_right:
            wrong.append(f"the audit finds {audit_run(run).differences}")
        if any(one["open"] and one["side"] != "LONG" for one in told["positions"]):
            wrong.append(f"Nautilus holds {told['positions']}")
        sold = sum(orders[one.order_id].side is TradeSide.SELL for one in filled)
        self.counts["sales"] += sold
        return wrong


def run(seed: int, progress: Progress) -> Found:
    """Goes on after a failure: each names its life."""
    found, counts = Found({}), Counter[str]()
    for number in range(LIVES):
        life = Life(seed, number)
        with tempfile.TemporaryDirectory() as folder:
            try:
                found.failures += [f"life {number}: {line}" for line in asyncio.run(life.live(Path(folder)))]
            except AssertionError as failed:
                found.failures.append(f"life {number}: {failed}")
        counts += life.counts
        progress(number + 1, LIVES)
    found.figures = dict(sorted(counts.items()))
    told = f"{counts['kills']} nodes killed, {counts['fills']} fills ({counts['sales']} sales)"
    found.table.append(f"{told}: books, chain and Nautilus agree")
    return found


NODE_KILLS = Part("node kills", run)
