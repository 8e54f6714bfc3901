"""kill -9 at random moments of a process that trades on paper, and a judge that reads only what is stored."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pumpswap.engine.restore import LOST, restore_paper
from pumpswap.model import Denied, TradeSide
from pumpswap.portfolio.audit import audit_run
from pumpswap.storage import Run, open_database
from pumpswap.storage.maintenance import Status, check
from tests.support.market import START_NS, at
from tests.support.material import ROOT

__all__ = ["BrokenPaper", "PaperKills", "judge_paper", "run_paper_kills"]


class BrokenPaper(AssertionError):
    """Something is lost, half there, twice there, or does not agree."""


@dataclass
class PaperKills:
    """What happened, for people and for the evidence."""

    kills: int = 0
    trades: int = 0
    lost_orders: int = 0
    restored_exits: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def run_paper_kills(
    target: str | Path, seed: int, kills: int, progress: Callable[[int], None] = lambda _: None
) -> PaperKills:
    """Raises BrokenPaper at the first thing that is not as it must be."""
    rng, found = Random(f"paper kills {seed}"), PaperKills()
    for number in range(1, kills + 1):
        latest_ns, entries = _trade_until_killed(target, number, rng.uniform(0.0, 0.8))
        with open_database(target) as database:
            run = database.open_paper()
            if run is None:
                _expect(not entries, "the run is lost")
                continue
            judge_paper(run, latest_ns, entries, found)
        wrong = [f"{one.name}: {one.text}" for one in check(target) if one.status is Status.FAILED]
        _expect(not wrong, f"db check: {wrong}")
        found.kills += 1
        progress(found.kills)
    return found


def judge_paper(run: Run, latest_ns: int, entries: int, found: PaperKills) -> None:
    """What is stored is one moment, not before the last one that was reported; restoring it twice changes nothing."""
    last = run.books.last()
    _expect(last is None or last.sequence >= entries, f"{entries} entries were reported, {last} is the last")
    on_the_way = [order.order_id for order in run.orders(unresolved=True)]
    memory, exits = run.states.risk(), run.states.exits()
    taken = restore_paper(run, latest_ns or START_NS)
    _expect([order.order_id for order in taken.lost] == on_the_way, "an order on its way was forgotten")
    again = restore_paper(run, latest_ns or START_NS)
    _expect(again.lost == () and again.wallet == taken.wallet, "restored twice, it is another wallet")
    report = audit_run(run)
    _expect(report.is_right, f"the audit differs: {report.differences[:3]}")
    _judge_orders(run, found)
    buys = [order.created_ns for order in run.orders() if order.side is TradeSide.BUY]
    if memory is not None:
        day = [made for made in buys if made > memory.entries_ns[-1] - 86_400 * 10**9] if memory.entries_ns else []
        _expect(list(memory.entries_ns) == day or not buys, "risk counts other entries than there are orders")
        _expect(again.restored.risk == memory, "risk remembers something else after a restart")
    held = {(position.pool, position.round) for position in run.open_positions()}
    _expect({(state.pool, state.round) for state in exits} == held, "exits and open rounds are not of one moment")
    found.lost_orders += len(on_the_way)
    found.restored_exits = max(found.restored_exits, len(exits))


def _judge_orders(run: Run, found: PaperKills) -> None:
    orders = [order.order_id for order in run.orders()]
    _expect(len(orders) == len(set(orders)), "an order is there twice")
    decisions = [decision.decision_id for decision in run.decisions()]
    _expect(len(decisions) == len(set(decisions)), "a decision is there twice")
    outcomes = list(run.outcomes())
    _expect({outcome.order_id for outcome in outcomes} == set(orders), "an order has no end")
    found.outcomes = Counter(
        LOST if isinstance(outcome, Denied) and outcome.rule == LOST else type(outcome).__name__ for outcome in outcomes
    )
    found.trades = sum(1 for _ in run.trades())


def _trade_until_killed(target: str | Path, number: int, seconds: float) -> tuple[int, int]:
    """(moment, ledger entries) that the process has reported last."""
    command = [sys.executable, "-m", "tests.crash.paper_process", str(target), str(number)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "open\n":
            raise BrokenPaper(f"the process did not start: code {process.wait(10)}")
        time.sleep(seconds)
    finally:
        process.kill()
        lines = [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        process.wait()
        process.stdout.close()
    if not lines:
        return at(number * 10_000), 0
    moment, entries = lines[-1].split()
    return int(moment), int(entries)


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise BrokenPaper(what)
